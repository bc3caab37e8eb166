//! Paths of service invocation: what a guest names must be what the other app sees.
//!
//! A grant is a prefix of the path. Whoever handles the request between the guest and the app
//! (daprd, proxies, frameworks) may decode it, resolve `..` and merge `//`, so that a path which
//! means another one after that is refused here. Between equal spellings there is one: characters
//! that need no percent-encoding have none.

use percent_encoding::percent_decode;
use trilby_dapr::Error;

use crate::shown;

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 8 << 10;

/// How often a path is decoded to find what is encoded in what is encoded.
const DECODINGS_MAX: usize = 8;

/// Checks a path, and gives it without the `/` that it may begin with.
pub(crate) fn check(method: &str) -> Result<&str, Error> {
    let path = method.strip_prefix('/').unwrap_or(method);
    match problem(path) {
        None => Ok(path),
        Some(what) => Err(Error::invalid(format!("the method `{}` {what}", shown(method)))),
    }
}

fn problem(path: &str) -> Option<&'static str> {
    if path.len() > PATH_BYTES_MAX {
        return Some("is longer than 8 KiB");
    }
    if let Some(what) = not_a_path(path).or_else(|| malformed(path)) {
        return Some(what);
    }
    // Whoever decodes twice must find nothing new either.
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..DECODINGS_MAX {
        let hidden = escapes(&decoded).any(hides);
        if hidden {
            return Some("percent-encodes a separator, a dot or a control character");
        }
        if let Some(what) = means_another(&decoded) {
            return Some(what);
        }
        let again: Vec<u8> = percent_decode(&decoded).collect();
        if again.len() == decoded.len() {
            return None;
        }
        decoded = again;
    }
    Some("is percent-encoded many times over")
}

/// RFC 3986, section 3.3: what a path is made of.
fn not_a_path(path: &str) -> Option<&'static str> {
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte);
    match path.bytes().find(|byte| !is_allowed(*byte)) {
        None => None,
        Some(b'?') => Some("has a `?`: the query is the option `query`"),
        Some(_) => Some("has characters that must be percent-encoded in a path"),
    }
}

/// One spelling only, and each `%` an escape.
fn malformed(path: &str) -> Option<&'static str> {
    if path.split('%').skip(1).count() != escapes(path.as_bytes()).count() {
        return Some("has a `%` without two hexadecimal digits");
    }
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    if escapes(path.as_bytes()).any(is_unreserved) {
        return Some("percent-encodes letters, digits or one of `-_~`; write them as they are");
    }
    None
}

/// The bytes that stand percent-encoded in a path.
fn escapes(path: &[u8]) -> impl Iterator<Item = u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    path.windows(3).filter_map(move |window| match *window {
        [b'%', high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    })
}

/// Whether a byte is percent-encoded to escape notice.
fn hides(byte: u8) -> bool {
    byte.is_ascii_control() || b"./\\?#;".contains(&byte)
}

/// What a path, as it is or decoded, may not contain.
fn means_another(path: &[u8]) -> Option<&'static str> {
    for segment in path.split(|byte| *byte == b'/') {
        // Some servers take `..;x` for `..` with a parameter.
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        match name {
            b"" if segment.is_empty() => return Some("has an empty segment"),
            b"." | b".." => return Some("has a segment `.` or `..`"),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
