//! Standard error: lines for the log.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::text;

/// A longer line is cut into pieces of this many bytes.
const LINE_BYTES_MAX: usize = 8 << 10;

/// What a line costs of the limit besides its bytes: in the log it comes with a time, a route and
/// a request, even when it is empty.
const LINE_COST_BYTES: usize = 64;

/// Cuts what a guest writes to standard error into lines, up to a limit in bytes, of which each
/// line takes 64 more than its length. An unfinished last line is emitted when the last clone is
/// dropped, and a note if something exceeded the limit.
///
/// Control characters other than the tab are emitted as escapes, so that no guest can split or
/// forge a line of the log, or drive a terminal that shows it.
#[derive(Clone)]
pub struct LineSink(Arc<Mutex<Lines>>);

struct Lines {
    emit: Box<dyn FnMut(&str) + Send>,
    partial: Vec<u8>,
    bytes_left: usize,
    bytes_dropped: usize,
}

impl LineSink {
    /// A sink that hands each line to `emit`, without its line end, and drops what exceeds
    /// `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: usize, emit: impl FnMut(&str) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            emit: Box::new(emit),
            partial: Vec::new(),
            bytes_left: bytes_max,
            bytes_dropped: 0,
        })))
    }

    pub(crate) fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        for (index, &byte) in bytes.iter().enumerate() {
            let begins = self.partial.is_empty();
            let cost_bytes = if begins { 1 + LINE_COST_BYTES } else { 1 };
            let Some(bytes_left) = self.bytes_left.checked_sub(cost_bytes) else {
                self.bytes_left = 0;
                self.bytes_dropped = self.bytes_dropped.saturating_add(bytes.len() - index);
                return;
            };
            self.bytes_left = bytes_left;
            if byte == b'\n' {
                self.emit();
            } else {
                self.partial.push(byte);
                if self.partial.len() >= LINE_BYTES_MAX {
                    self.emit();
                }
            }
        }
    }

    fn emit(&mut self) {
        let line = String::from_utf8_lossy(&self.partial);
        (self.emit)(&text::printable(line.trim_end_matches('\r')));
        self.partial.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.partial.is_empty() {
            self.emit();
        }
        if self.bytes_dropped > 0 {
            (self.emit)(&format!(
                "({} more bytes dropped: the limit is reached)",
                self.bytes_dropped
            ));
        }
    }
}

impl IsTerminal for LineSink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineSink {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form; core modules use `p2_stream`.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for LineSink {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for LineSink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(bytes_max: usize, writes: &[&str]) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&lines);
        let sink = LineSink::new(bytes_max, move |line| {
            seen.lock().expect("not poisoned").push(line.to_owned());
        });
        let stream = sink.clone();
        drop(sink);
        for write in writes {
            stream.push(write.as_bytes());
        }
        drop(stream);
        lines.lock().expect("not poisoned").clone()
    }

    #[test]
    fn lines_are_joined_and_cut_where_they_end() {
        assert_eq!(lines_of(1000, &["a", "b\r\nc", "\n", "d"]), ["ab", "c", "d"]);
    }

    #[test]
    fn what_exceeds_the_limit_is_counted() {
        let bytes_max = 3 + LINE_COST_BYTES + 1 + LINE_COST_BYTES;
        let lines = lines_of(bytes_max, &["ab\n", "cdef\n", "g"]);
        assert_eq!(lines, ["ab", "c", "(5 more bytes dropped: the limit is reached)"]);
    }

    #[test]
    fn empty_lines_are_not_almost_free() {
        let bytes_max = 64 << 10;
        let lines = lines_of(bytes_max, &[&"\n".repeat(bytes_max)]);
        assert_eq!(lines.len(), bytes_max / (1 + LINE_COST_BYTES) + 1);
        assert_eq!(
            lines.last().expect("a note"),
            "(64528 more bytes dropped: the limit is reached)"
        );
    }

    #[test]
    fn a_line_without_end_is_emitted_in_pieces() {
        let lines = lines_of(usize::MAX, &[&"x".repeat(LINE_BYTES_MAX + 1)]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES_MAX, 1]);
    }

    #[test]
    fn a_line_cannot_drive_a_terminal_or_look_like_two() {
        let lines = lines_of(1000, &["\u{1b}[2Ja\tb\rINFO forged\r\n"]);
        assert_eq!(lines, ["\\u{1b}[2Ja\tb\\rINFO forged"]);
    }
}
