//! Call other applications, or other routes of this one, by their Dapr id.
//!
//! ```no_run
//! use trilby_guest::invoke::Call;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let reply = Call::new("stock", "items/7").verb("GET").query("fields=count").send("")?;
//! if reply.status() == 200 {
//!     let item = reply.body()?;
//! #   let _ = item;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A long body is better written bit by bit, and a long answer read so:
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use trilby_guest::invoke::Call;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut exchange = Call::new("images", "thumbnail").content_type("image/png").open()?;
//! std::io::copy(&mut std::io::stdin(), &mut exchange)?;
//! let mut reply = exchange.finish()?;
//! std::io::copy(&mut reply, &mut std::io::stdout())?;
//! # Ok(())
//! # }
//! ```

use std::io::{self, Read, Write};

use crate::call::{self, Answer, Options};
use crate::stream::Stream;
use crate::{Code, Error, Result, raw};

/// Calls a method of another app with `POST`.
pub fn call(app: &str, method: &str, body: impl AsRef<[u8]>) -> Result<Reply> {
    Call::new(app, method).send(body)
}

/// A call with options. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `send` or `open`"]
pub struct Call<'a> {
    app: &'a str,
    method: &'a str,
    options: Options,
}

impl<'a> Call<'a> {
    /// A `POST`. `method` is the path at the other app as it stands in a URL, with or without a
    /// leading `/`, and without a query.
    pub fn new(app: &'a str, method: &'a str) -> Self {
        Self { app, method, options: Options::default() }
    }

    /// The HTTP method, in capitals.
    pub fn verb(self, verb: &str) -> Self {
        self.option("verb", verb)
    }

    /// The query string, encoded, without `?`.
    pub fn query(self, query: &str) -> Self {
        self.option("query", query)
    }

    /// The body's media type.
    pub fn content_type(self, media_type: &str) -> Self {
        self.option("content-type", media_type)
    }

    /// Adds a header. Those of the connection, `Host`, `Content-Length` and `dapr-*` are refused.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.option(&format!("header.{name}"), value)
    }

    fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push(name, value);
        self
    }

    /// Calls with this body, and waits for the head of the answer.
    pub fn send(self, body: impl AsRef<[u8]>) -> Result<Reply> {
        let result = raw::invoke_call(self.app, self.method, self.options.block()?, body);
        Reply::read(Answer::open(result)?)
    }

    /// Begins the call; its body is written to what this gives.
    pub fn open(self) -> Result<Exchange> {
        let result = raw::invoke_open(self.app, self.method, self.options.block()?);
        Ok(Exchange { stream: Stream::open(result)? })
    }
}

/// What the other app answered, whatever it was: a status of 500 is no error of the call.
///
/// The body is a stream: take it whole with [`body`](Self::body), or read it bit by bit.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    answer: Answer,
}

impl Reply {
    fn read(answer: Answer) -> Result<Self> {
        let headers = answer.headers()?;
        let status = status_of(call::find(&headers, "status"))?;
        Ok(Self { status, headers: call::with_prefix(&headers, "header."), answer })
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        call::find(&self.headers, name)
    }

    /// All headers in order, as pairs of name and value.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// What is left of the body.
    pub fn body(self) -> Result<Vec<u8>> {
        self.answer.rest()
    }

    /// What is left of the body, as text.
    pub fn text(self) -> Result<String> {
        String::from_utf8(self.body()?)
            .map_err(|_| Error::new(Code::DataLoss, "the answer is not UTF-8"))
    }
}

/// Reads the body.
impl Read for Reply {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.answer.read(buf)?)
    }
}

fn status_of(header: Option<&str>) -> Result<u16> {
    header
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| Error::new(Code::Internal, "the host's answer has no status"))
}

/// A call whose body is being written.
///
/// What is written goes on its way at once. Where the other app answers before the body has ended,
/// both directions can go on at once: [`status`](Self::status) and reading wait for the answer.
/// Dropped before its end, the call is broken off.
#[derive(Debug)]
pub struct Exchange {
    stream: Stream,
}

impl Exchange {
    /// Ends the body, and waits for the head of the answer.
    pub fn finish(mut self) -> Result<Reply> {
        self.end()?;
        Reply::read(self.stream.into_answer())
    }

    /// Says that the body is complete. Writing more is an error.
    pub fn end(&mut self) -> Result<()> {
        self.stream.end()
    }

    /// Waits for the answer's status.
    pub fn status(&self) -> Result<u16> {
        status_of(self.stream.answer().header("status")?.as_deref())
    }

    /// Waits for a header of the answer.
    pub fn header(&self, name: &str) -> Result<Option<String>> {
        self.stream.answer().header(&format!("header.{name}"))
    }
}

/// Writes to the body that is sent.
impl Write for Exchange {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.stream.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the body of the answer.
impl Read for Exchange {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_the_abi_names_them() {
        let call = Call::new("a", "m").verb("PUT").query("x=1").header("X-Id", "7");
        let expected = "verb: PUT\nquery: x=1\nheader.X-Id: 7\n";
        assert_eq!(call.options.block().unwrap(), expected);
        let hostile = Call::new("a", "m").query("x\nverb: DELETE");
        assert_eq!(hostile.send("").unwrap_err().code, Code::InvalidArgument);
    }

    #[test]
    fn an_answer_has_a_status() {
        assert_eq!(status_of(Some("404")).unwrap(), 404);
        assert_eq!(status_of(Some("x")).unwrap_err().code, Code::Internal);
        assert_eq!(status_of(None).unwrap_err().code, Code::Internal);
    }
}
