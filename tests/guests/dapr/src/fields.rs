//! Records that the test sends and gets, as JSON lines.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use crate::Failure;

/// Reads each line of a text as a value.
pub fn record<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, Failure> {
    let lines = text.lines().filter(|line| !line.is_empty());
    let wrong = |error: serde_json::Error| Failure::asked(format!("a record is wrong: {error}"));
    lines.map(|line| serde_json::from_str(line).map_err(wrong)).collect()
}

/// Adds bytes as the ABI does: `name` if they are UTF-8, else `name-base64`.
pub fn bytes_field(record: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => record.insert(name.to_owned(), text.into()),
        Err(_) => record.insert(format!("{name}-base64"), BASE64_STANDARD.encode(bytes).into()),
    };
}

/// The bytes of a record that has either.
pub fn either(text: Option<String>, encoded: Option<String>) -> Result<Vec<u8>, Failure> {
    match (text, encoded) {
        (text, None) => Ok(text.unwrap_or_default().into_bytes()),
        (None, Some(encoded)) => {
            let wrong = |_| Failure::asked("a record's base64 is wrong");
            BASE64_STANDARD.decode(encoded).map_err(wrong)
        }
        (Some(_), Some(_)) => Err(Failure::asked("a record has its bytes twice")),
    }
}
