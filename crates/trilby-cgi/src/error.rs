//! What can be wrong with a guest's answer.

/// How much of a guest's output a message repeats, in bytes.
const EXCERPT_BYTES_MAX: usize = 64;

/// Why a guest's output is not a CGI response. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The guest wrote nothing.
    #[error(
        "the guest wrote nothing; an answer begins with a header such as \
         `Content-Type: text/plain` and an empty line"
    )]
    Empty,
    /// The guest ended within its headers; most often it has written a body only.
    #[error("the output has no empty line after its headers; write one between headers and body")]
    NoBlankLine,
    /// The headers, with the empty line, are longer than allowed.
    #[error("the headers are longer than {bytes_max} bytes; is the empty line after them missing?")]
    HeadTooLarge {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// More headers than allowed.
    #[error("there are more than {headers_max} headers")]
    TooManyHeaders {
        /// The limit.
        headers_max: usize,
    },
    /// The guest wrote an HTTP response, as NPH scripts do (RFC 3875 section 5).
    #[error("the output begins with an HTTP status line; write a header `Status: 200` instead")]
    StatusLine,
    /// A header goes on in a second line, which CGI does not allow.
    #[error("line {line} begins with a space or a tab; write each header on one line")]
    Folded {
        /// The second line.
        line: usize,
    },
    /// A line that is not a header; often the start of a body.
    #[error("line {line} has no `:`: \"{text}\"; write an empty line between headers and body")]
    NoColon {
        /// Which line.
        line: usize,
        /// Its start, escaped.
        text: String,
    },
    /// A header's name has characters that HTTP does not allow.
    #[error("line {line}: \"{name}\" is not the name of a header")]
    BadName {
        /// Which line.
        line: usize,
        /// The name's start, escaped.
        name: String,
    },
    /// A header's value has control characters.
    #[error("line {line}: the value of `{name}` has a control character")]
    BadValue {
        /// Which line.
        line: usize,
        /// The header's name, or its start.
        name: String,
    },
    /// A header that may occur once occurs again.
    #[error("line {line}: there are two headers `{name}`; write one")]
    Duplicate {
        /// Which line has the second one.
        line: usize,
        /// The header's name.
        name: &'static str,
    },
    /// A header about the connection, which is the server's (RFC 3875 section 6.3.4).
    #[error("line {line}: a guest cannot set `{name}`, the server does; leave it out")]
    Connection {
        /// Which line.
        line: usize,
        /// The header's name, or its start.
        name: String,
    },
    /// There is none of the headers of which a response needs one (RFC 3875 section 6.3).
    #[error("there is no `Content-Type`, `Location` or `Status` among the headers; write one")]
    NoCgiHeader,
    /// The status is not one that a guest can answer with.
    #[error(
        "line {line}: \"{text}\" is not a status; write a number from 200 to 599, as in \
         `Status: 404 Not Found`"
    )]
    BadStatus {
        /// Which line.
        line: usize,
        /// The value's start, escaped.
        text: String,
    },
    /// The length of the body is not a number.
    #[error(
        "line {line}: \"{text}\" is not a length; write decimal digits or leave the header out"
    )]
    BadContentLength {
        /// Which line.
        line: usize,
        /// The value's start, escaped.
        text: String,
    },
    /// The body is longer than its `Content-Length`.
    #[error("the body is longer than its `Content-Length` of {length}; leave the header out")]
    BodyTooLong {
        /// The length that the guest announced.
        length: u64,
    },
    /// The body is shorter than its `Content-Length`.
    #[error(
        "the body ends after {written} bytes, its `Content-Length` is {length}; \
         leave the header out"
    )]
    BodyTooShort {
        /// The length that the guest announced.
        length: u64,
        /// How many bytes there were.
        written: u64,
    },
}

/// The start of what a guest wrote, fit for a log.
pub(crate) fn excerpt(output: &[u8]) -> String {
    match output.split_at_checked(EXCERPT_BYTES_MAX) {
        Some((start, rest)) if !rest.is_empty() => format!("{}…", start.escape_ascii()),
        _ => output.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_harmless() {
        assert_eq!(excerpt(b"a\x1b[2J\"\xff"), "a\\x1b[2J\\\"\\xff");
        assert_eq!(excerpt(&[b'x'; 64]), "x".repeat(64));
        assert_eq!(excerpt(&[b'x'; 65]), format!("{}…", "x".repeat(64)));
    }
}
