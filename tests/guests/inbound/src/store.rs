//! The files in which deliveries are kept.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

const FOLDER: &str = "/out";

/// Keeps a record with a body under a key, and tells how many there are now. What cannot be kept
/// traps.
pub fn keep(key: &str, mut record: Value, body: &[u8]) -> usize {
    match std::str::from_utf8(body) {
        Ok(text) => record["body"] = text.into(),
        Err(_) => record["body-base64"] = BASE64_STANDARD.encode(body).into(),
    }
    let name: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    for count in 1.. {
        // Who makes the file has the number: others may be here at the same time.
        let path = format!("{FOLDER}/{name}.{count}.json");
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => {
                let written = file.write_all(record.to_string().as_bytes());
                assert!(written.is_ok(), "cannot keep {name}: {written:?}");
                return count;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => panic!("cannot keep {name}: {error}"),
        }
    }
    unreachable!("numbers do not end")
}

/// Whether a file is there.
pub fn is_there(name: &str) -> bool {
    fs::exists(Path::new(FOLDER).join(name)).unwrap_or(false)
}
