//! The response: a status, headers, a body.

use std::io::{self, Write};

use super::Status;

/// A larger body is written by itself, rather than copied.
const COPIED_BYTES_MAX: usize = 64 << 10;

/// A response. Nothing is written before [`send`](Self::send).
///
/// A header cannot break out of its line: a response with a name or value that HTTP does not
/// allow is not sent at all, and `send` fails.
#[derive(Clone, Debug)]
#[must_use = "nothing is written before `send`"]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// An empty response of this status.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Plain text in UTF-8.
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status).header("Content-Type", "text/plain; charset=utf-8").body(body)
    }

    /// An HTML page in UTF-8. Escape what comes from outside with [`escape`](Self::escape).
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status).header("Content-Type", "text/html; charset=utf-8").body(body)
    }

    /// A JSON document.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status).header("Content-Type", "application/json").body(body)
    }

    /// Says that an event, a job or a binding's call is done.
    pub fn ack() -> Self {
        Self::new(204)
    }

    /// Asks for an event, a job or a binding's call to come again.
    pub fn retry() -> Self {
        Self::new(503)
    }

    /// Gives an event up: it goes to the dead-letter topic, if the route has one.
    pub fn drop_event() -> Self {
        Self::new(404)
    }

    /// Tells the outcome of each of the events that came in bulk, by their ids. One that is left out
    /// comes again; with none at all, the answer counts for all, as [`ack`](Self::ack).
    ///
    /// ```
    /// use trilby_guest::cgi::{Request, Response, Status};
    ///
    /// fn answer(request: &Request) -> Response {
    ///     let Some(entries) = request.entries() else { return Response::drop_event() };
    ///     Response::statuses(entries.iter().map(|entry| {
    ///         let status = if entry.data.is_empty() { Status::Drop } else { Status::Success };
    ///         (&entry.id, status)
    ///     }))
    /// }
    /// # let mut out = Vec::new();
    /// # answer(&Request::default()).write_to(&mut out)?;
    /// # assert_eq!(out, b"Status: 404\n\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn statuses<I: AsRef<str>>(outcomes: impl IntoIterator<Item = (I, Status)>) -> Self {
        Self::json(200, super::bulk::statuses(outcomes))
    }

    /// Adds a header. `Status` is not one: it goes to [`new`](Self::new).
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Writes the response to standard output. Print nothing else there.
    pub fn send(self) -> io::Result<()> {
        self.write_to(io::stdout().lock())
    }

    /// Writes the response as CGI.
    ///
    /// ```
    /// use trilby_guest::cgi::Response;
    ///
    /// let mut out = Vec::new();
    /// Response::json(201, "{}").write_to(&mut out)?;
    /// assert_eq!(out, b"Status: 201\nContent-Type: application/json\n\n{}");
    ///
    /// let hostile = "/\nSet-Cookie: a=b";
    /// assert!(Response::new(303).header("Location", hostile).write_to(&mut out).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_to(self, mut out: impl Write) -> io::Result<()> {
        if !(200..=599).contains(&self.status) {
            return Err(illegal(format!("status {} is not one to send", self.status)));
        }
        let mut head = format!("Status: {}\n", self.status);
        for (name, value) in &self.headers {
            if !is_name(name) || !is_value(value) {
                return Err(illegal(format!("header {name:?} is not one to send")));
            }
            for part in [name, ": ", value, "\n"] {
                head.push_str(part);
            }
        }
        head.push('\n');
        let mut whole = head.into_bytes();
        if self.body.len() <= COPIED_BYTES_MAX {
            // One write, which is one call of the host.
            whole.extend_from_slice(&self.body);
            out.write_all(&whole)?;
        } else {
            out.write_all(&whole)?;
            out.write_all(&self.body)?;
        }
        out.flush()
    }

    /// Text made safe for an HTML element or a quoted attribute.
    ///
    /// ```
    /// use trilby_guest::cgi::Response;
    ///
    /// assert_eq!(Response::escape("<b> & \"c\""), "&lt;b&gt; &amp; &quot;c&quot;");
    /// ```
    #[must_use]
    pub fn escape(text: &str) -> String {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
        }
        escaped
    }
}

/// A token of HTTP, and not the one that CGI reads as the status.
fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token) && !name.eq_ignore_ascii_case("status")
}

fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control())
}

fn illegal(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_illegal_response_is_written() {
        let cases = [
            Response::new(99),
            Response::new(200).header("", "a"),
            Response::new(200).header("Status", "500"),
            Response::new(200).header("A: b\nC", "a"),
            Response::new(200).header("A", "b\r\nC: d"),
            Response::new(200).header("A", "b\rC: d"),
            Response::new(200).header("A", "b\0"),
        ];
        for response in cases {
            let mut out = Vec::new();
            let shown = format!("{response:?}");
            assert!(response.body("body").write_to(&mut out).is_err(), "{shown}");
            assert!(out.is_empty(), "{shown}");
        }
    }

    #[test]
    fn headers_may_repeat() {
        let mut out = Vec::new();
        let response = Response::new(204).header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
        response.write_to(&mut out).unwrap();
        assert_eq!(out, b"Status: 204\nSet-Cookie: a=1\nSet-Cookie: b=2\n\n");
    }
}
