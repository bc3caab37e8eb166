//! Records: lists as one JSON object on each line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trilby_dapr::{Code, Error};

use crate::shown;

/// Records that one list may have.
pub(crate) const RECORDS_MAX: usize = 10_000;

/// Reads a list. `convert` makes of each record, with its number from 0, what the operation needs,
/// or says what is wrong with it.
pub(crate) fn read<R: DeserializeOwned, T>(
    body: &[u8],
    mut convert: impl FnMut(usize, R) -> Result<T, String>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        if items.len() == RECORDS_MAX {
            let message = format!("a list has more than {RECORDS_MAX} records");
            return Err(
                Error::new(Code::ResourceExhausted, message).with_reason("TRILBY_TOO_LARGE")
            );
        }
        let wrong = |what: &str| {
            let number = items.len() + 1;
            Error::invalid(format!("record {number}: {}", shown(what)))
        };
        let record = serde_json::from_slice(line).map_err(|error| wrong(&plain(&error)))?;
        let item = convert(items.len(), record).map_err(|what| wrong(&what))?;
        items.push(item);
    }
    Ok(items)
}

/// The place is one within the line of a record: only its column says something.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at column {}", error.column()),
        None => text,
    }
}

/// Bytes of a list that a guest gets; one record may be more.
const WRITTEN_BYTES_MAX: usize = 64 << 20;

/// Writes a list.
pub(crate) fn write<R: Serialize>(records: impl IntoIterator<Item = R>) -> Result<Bytes, Error> {
    let mut body = Vec::new();
    for record in records {
        if body.len() > WRITTEN_BYTES_MAX {
            let message = format!("the list has more than {WRITTEN_BYTES_MAX} bytes; ask for less");
            let error = Error::new(Code::ResourceExhausted, message);
            return Err(error.with_reason("TRILBY_TOO_LARGE"));
        }
        serde_json::to_writer(&mut body, &record)
            .map_err(|error| Error::new(Code::Internal, error.to_string()))?;
        body.push(b'\n');
    }
    Ok(body.into())
}

/// Bytes from a pair of fields, `name` and `name-base64`, of which one must be there.
pub(crate) fn bytes(
    name: &str,
    text: Option<String>,
    base64: Option<String>,
) -> Result<Bytes, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into()),
        (None, Some(encoded)) => match STANDARD.decode(encoded) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(format!("`{name}-base64` is not base64: {error}")),
        },
        (None, None) => Err(format!("it has neither `{name}` nor `{name}-base64`")),
        (Some(_), Some(_)) => Err(format!("it has both `{name}` and `{name}-base64`")),
    }
}

/// The same pair for bytes: the first where they are UTF-8.
pub(crate) fn fields(bytes: &[u8]) -> (Option<&str>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(_) => (None, Some(STANDARD.encode(bytes))),
    }
}

#[cfg(test)]
mod tests;
