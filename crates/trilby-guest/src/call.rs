//! What all blocks share: options going in, results and answers coming out.

use std::time::Duration;

use crate::json::Fields;
use crate::raw;
use crate::{Code, Error, Result};

/// The options of a call: lines of `name: value`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    block: String,
    bad: Option<String>,
}

impl Options {
    /// Adds an option. A name or value that would break out of its line fails the call.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        let name_ok = !name.is_empty() && !name.contains([':', '\r', '\n']);
        if name_ok && !value.contains(['\r', '\n']) {
            for part in [name, ": ", value, "\n"] {
                self.block.push_str(part);
            }
        } else {
            self.bad = Some(format!("option {name:?} does not fit on a line"));
        }
    }

    pub(crate) fn push_metadata(&mut self, name: &str, value: &str) {
        self.push(&format!("metadata.{name}"), value);
    }

    pub(crate) fn block(&self) -> Result<&str> {
        match &self.bad {
            Some(message) => Err(Error::new(Code::InvalidArgument, message)),
            None => Ok(&self.block),
        }
    }
}

/// A time in whole seconds, rounded up, at least one: none would mean for ever.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).max(1)
}

/// The names and values of a header block that begin with `prefix`, without it.
pub(crate) fn with_prefix(headers: &[(String, String)], prefix: &str) -> Vec<(String, String)> {
    let named = |(name, value): &(String, String)| {
        Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
    };
    headers.iter().filter_map(named).collect()
}

/// The first header of this name, whatever its case.
pub(crate) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The result of an import that gives no answer to read.
pub(crate) fn done(result: i32) -> Result<()> {
    length(result).map(drop)
}

/// An answer of the host. Closes its handle when dropped.
#[derive(Debug)]
pub(crate) struct Answer(i32);

impl Answer {
    pub(crate) fn open(result: i32) -> Result<Self> {
        length(result).map(|_| Self(result))
    }

    pub(crate) fn header(&self, name: &str) -> Result<Option<String>> {
        match fill(|buf| raw::header(self.0, name, buf)) {
            Ok(bytes) => Ok(Some(text(bytes))),
            Err(result) if result == Code::NotFound.as_result() => Ok(None),
            Err(result) => Err(failure(result)),
        }
    }

    /// All headers, in order. Line breaks in a value are blanks here, but not in
    /// [`header`](Self::header).
    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>> {
        Ok(pairs(&text(fill(|buf| raw::headers(self.0, buf)).map_err(failure)?)))
    }

    /// The whole body of an answer that is no stream.
    pub(crate) fn body(&self) -> Result<Vec<u8>> {
        let size = length(raw::size(self.0))?;
        let mut body = vec![0; size];
        let mut filled = 0;
        while let Some(rest) = body.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match length(raw::read(self.0, rest))? {
                0 => break,
                count => filled += count,
            }
        }
        body.truncate(filled);
        Ok(body)
    }

    /// The records in the body.
    pub(crate) fn records(&self) -> Result<Vec<Fields>> {
        Fields::all(self.body()?)
    }

    /// What is left of a body whose length is not known.
    pub(crate) fn rest(&self) -> Result<Vec<u8>> {
        let (mut body, mut piece) = (Vec::new(), vec![0; PIECE_BYTES_MAX]);
        loop {
            match self.read(&mut piece)? {
                0 => return Ok(body),
                count => body.extend_from_slice(piece.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Reads as much of the body as there is; 0 only at its end, or if `buf` is empty.
    pub(crate) fn read(&self, buf: &mut [u8]) -> Result<usize> {
        if buf.is_empty() { Ok(0) } else { length(raw::read(self.0, buf)) }
    }

    /// Writes the start of `data` to the body that is sent.
    pub(crate) fn write(&self, data: &[u8]) -> Result<usize> {
        match data.get(..PIECE_BYTES_MAX).unwrap_or(data) {
            [] => Ok(0),
            piece => length(raw::write(self.0, piece)),
        }
    }

    /// Ends the body that is sent.
    pub(crate) fn end(&self) -> Result<()> {
        done(raw::end(self.0))
    }
}

/// How much of a stream goes through one call of the host.
const PIECE_BYTES_MAX: usize = 64 * 1024;

impl Drop for Answer {
    fn drop(&mut self) {
        raw::close(self.0);
    }
}

/// The lines of a header block. A name may have colons, as keys of secrets do.
fn pairs(block: &str) -> Vec<(String, String)> {
    let lines = block.lines().filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn length(result: i32) -> Result<usize> {
    usize::try_from(result).map_err(|_| failure(result))
}

/// What the host knows about the error it has just reported.
fn failure(result: i32) -> Error {
    let about = fill(raw::error).map(text).unwrap_or_default();
    Error::parse(Code::from_result(result), &about)
}

/// Calls an import that tells the length needed, again with room for it if there was too little.
fn fill(mut import: impl FnMut(&mut [u8]) -> i32) -> std::result::Result<Vec<u8>, i32> {
    let mut buf = vec![0; 256];
    loop {
        let result = import(&mut buf);
        let needed = usize::try_from(result).map_err(|_| result)?;
        let fits = needed <= buf.len();
        buf.resize(needed, 0);
        if fits {
            return Ok(buf);
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_cannot_smuggle_in_another() {
        let mut options = Options::default();
        options.push("etag", "1");
        assert_eq!(options.block().unwrap(), "etag: 1\n");
        options.push_metadata("a", "1\netag: 2");
        assert_eq!(options.block().unwrap_err().code, Code::InvalidArgument);
    }

    #[test]
    fn a_time_is_never_rounded_to_none() {
        let cases = [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60)];
        for (millis, seconds) in cases {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
    }

    #[test]
    fn headers_are_found_by_name_and_by_prefix() {
        let headers = pairs("etag: 1\nmetadata.a:b:  2 \nmetadata.c: \n");
        assert_eq!(find(&headers, "ETag"), Some("1"));
        assert_eq!(find(&headers, "c"), None);
        let expected = [("a:b", " 2 "), ("c", "")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(with_prefix(&headers, "metadata."), expected);
    }

    #[test]
    fn a_long_text_is_fetched_whole() {
        let long = "x".repeat(1000);
        let fetched = fill(|buf| {
            let count = buf.len().min(long.len());
            buf[..count].copy_from_slice(&long.as_bytes()[..count]);
            1000
        });
        assert_eq!(fetched.unwrap(), long.as_bytes());
    }

    #[test]
    fn outside_wasm_the_host_is_missing() {
        assert_eq!(
            Answer::open(raw::state_get("s", "k", "")).unwrap_err().code,
            Code::Unimplemented
        );
    }
}
