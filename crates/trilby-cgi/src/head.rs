//! The header block of a guest's answer.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::OutputError;
use crate::error::excerpt;

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The guest's `Status`; else 302 if there is a `Location`, else 200.
    pub status: StatusCode,
    /// All headers but `Status`, repeated ones in the guest's order.
    pub headers: HeaderMap,
    /// How many bytes of body must follow, if the guest said so. `None` for a status without a
    /// body, whose `Content-Length` is not about the bytes that follow (RFC 9110 section 8.6).
    pub content_length: Option<u64>,
    /// Whether the guest wrote a `Status`, which may be the one that a `Location` implies.
    has_status: bool,
}

impl Head {
    /// The path and query of a local redirect (RFC 3875 section 6.2.2), which the server answers
    /// itself, as if the client had asked for it; what the guest writes after the head must be
    /// dropped.
    ///
    /// `None` for any other response, a redirect by the client included. It is local only if
    /// `Location` is the sole header, which is the RFC's own rule: any other one, such as a cookie
    /// to be set, would get lost, so a redirect with more goes to the client. The value begins
    /// with a single slash, since two come before a host, and has no fragment, which only the
    /// client could use.
    #[must_use]
    pub fn local_redirect(&self) -> Option<&str> {
        if self.has_status || self.headers.len() != 1 {
            return None;
        }
        let target = self.headers.get(LOCATION)?.to_str().ok()?;
        let local = target.starts_with('/') && !target.starts_with("//") && !target.contains('#');
        let parses = || PathAndQuery::try_from(target).is_ok();
        (local && parses()).then_some(target)
    }

    /// Whether a response with this status can have a body; if not, what the guest writes after
    /// the head must not be sent.
    #[must_use]
    pub fn body_allowed(&self) -> bool {
        body_allowed(self.status)
    }
}

fn body_allowed(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Reads a header block that ends in its empty line. Lines end in LF or CRLF.
pub(crate) fn parse(block: &[u8], headers_max: usize) -> Result<Head, OutputError> {
    let mut fields = Fields::default();
    for (number, line) in (1..).zip(block.split(|byte| *byte == b'\n')) {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        if text.is_empty() {
            break;
        }
        if number > headers_max {
            return Err(OutputError::TooManyHeaders { headers_max });
        }
        fields.add(Line { number, text }, headers_max)?;
    }
    fields.head()
}

#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a [u8],
}

impl<'a> Line<'a> {
    /// The header's name and its value without white space around it.
    fn split(self) -> Result<(HeaderName, &'a [u8]), OutputError> {
        let line = self.number;
        if self.text.starts_with(b" ") || self.text.starts_with(b"\t") {
            return Err(OutputError::Folded { line });
        }
        if line == 1 && self.text.starts_with(b"HTTP/") {
            return Err(OutputError::StatusLine);
        }
        let colon = self.text.iter().position(|byte| *byte == b':');
        let Some((name, value)) = colon.and_then(|at| self.text.split_at_checked(at)) else {
            return Err(OutputError::NoColon { line, text: excerpt(self.text) });
        };
        let Ok(header) = HeaderName::from_bytes(name) else {
            return Err(OutputError::BadName { line, name: excerpt(name) });
        };
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let value = value.strip_prefix(b":").unwrap_or(value);
        let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
        let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
        Ok((header, value.get(start..end).unwrap_or_default()))
    }
}

#[derive(Default)]
struct Fields {
    status: Option<StatusCode>,
    content_length: Option<u64>,
    headers: HeaderMap,
}

impl Fields {
    fn add(&mut self, line: Line<'_>, headers_max: usize) -> Result<(), OutputError> {
        let (name, text) = line.split()?;
        // RFC 3875 section 6.3: a header without a value is as good as none.
        if text.is_empty() {
            return Ok(());
        }
        let number = line.number;
        let Ok(value) = HeaderValue::from_bytes(text) else {
            let name = excerpt(name.as_str().as_bytes());
            return Err(OutputError::BadValue { line: number, name });
        };
        let duplicate = |name| Err(OutputError::Duplicate { line: number, name });
        match name.as_str() {
            "status" => match self.status.replace(status(number, text)?) {
                Some(_) => return duplicate("Status"),
                None => return Ok(()),
            },
            "content-type" if self.headers.contains_key(&name) => return duplicate("Content-Type"),
            "location" if self.headers.contains_key(&name) => return duplicate("Location"),
            "content-length" => {
                let length = content_length(number, text)?;
                if self.content_length.replace(length).is_some() {
                    return duplicate("Content-Length");
                }
            }
            other if is_about_connection(other) => {
                let name = excerpt(other.as_bytes());
                return Err(OutputError::Connection { line: number, name });
            }
            _ => {}
        }
        // The map has a limit of its own, far above any sensible one.
        match self.headers.try_append(name, value) {
            Ok(_) => Ok(()),
            Err(_) => Err(OutputError::TooManyHeaders { headers_max }),
        }
    }

    fn head(mut self) -> Result<Head, OutputError> {
        let redirects = self.headers.contains_key(LOCATION);
        let status = match self.status {
            Some(status) => status,
            None if redirects => StatusCode::FOUND,
            None if self.headers.contains_key(CONTENT_TYPE) => StatusCode::OK,
            None => return Err(OutputError::NoCgiHeader),
        };
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) {
            // RFC 9110 section 8.6 forbids it with 204, even 0; with 205 it can only be 0
            // (section 15.3.6), which the server says by itself.
            self.headers.remove(CONTENT_LENGTH);
        }
        let content_length = self.content_length.filter(|_| body_allowed(status));
        let has_status = self.status.is_some();
        Ok(Head { status, headers: self.headers, content_length, has_status })
    }
}

/// The headers that a script must not return, since they are about a connection that is not its
/// own (RFC 3875 section 6.3.4, RFC 9110 section 7.6.1).
fn is_about_connection(name: &str) -> bool {
    matches!(name, "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade")
        || name.starts_with("proxy-")
}

/// `NNN` or `NNN reason`. 1xx is refused: it comes before a response and is none.
fn status(line: usize, text: &[u8]) -> Result<StatusCode, OutputError> {
    let code = text.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
    StatusCode::from_bytes(code)
        .ok()
        .filter(|code| (200..=599).contains(&code.as_u16()))
        .ok_or_else(|| OutputError::BadStatus { line, text: excerpt(text) })
}

fn content_length(line: usize, text: &[u8]) -> Result<u64, OutputError> {
    std::str::from_utf8(text)
        .ok()
        .filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| OutputError::BadContentLength { line, text: excerpt(text) })
}

#[cfg(test)]
mod tests;
