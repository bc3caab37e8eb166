//! What all blocks share: options going in, results and answers coming out.

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

    /// The headers whose names begin with `prefix`, without it.
    pub(crate) fn headers(&self, prefix: &str) -> Result<Vec<(String, String)>> {
        let block = text(fill(|buf| raw::headers(self.0, buf)).map_err(failure)?);
        Ok(block
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect())
    }

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
}

impl Drop for Answer {
    fn drop(&mut self) {
        raw::close(self.0);
    }
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
