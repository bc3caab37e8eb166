//! Standard error: lines for the log.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A longer line is cut into pieces of this many bytes.
const LINE_BYTES_MAX: usize = 8 << 10;

/// Cuts what a guest writes to standard error into lines, up to a limit in bytes.
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

    /// Emits an unfinished last line, and a note when bytes were dropped.
    pub fn finish(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).finish();
    }

    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(self.bytes_left);
        self.bytes_left -= taken;
        self.bytes_dropped = self.bytes_dropped.saturating_add(bytes.len() - taken);
        for &byte in bytes.iter().take(taken) {
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
        (self.emit)(line.trim_end_matches('\r'));
        self.partial.clear();
    }

    fn finish(&mut self) {
        if !self.partial.is_empty() {
            self.emit();
        }
        if self.bytes_dropped > 0 {
            (self.emit)(&format!(
                "({} more bytes dropped: the limit is reached)",
                self.bytes_dropped
            ));
            self.bytes_dropped = 0;
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
        for write in writes {
            sink.push(write.as_bytes());
        }
        sink.finish();
        lines.lock().expect("not poisoned").clone()
    }

    #[test]
    fn lines_are_joined_and_cut_where_they_end() {
        assert_eq!(lines_of(100, &["a", "b\r\nc", "\n", "d"]), ["ab", "c", "d"]);
    }

    #[test]
    fn what_exceeds_the_limit_is_counted() {
        let lines = lines_of(4, &["ab\n", "cdef\n"]);
        assert_eq!(lines, ["ab", "c", "(4 more bytes dropped: the limit is reached)"]);
    }

    #[test]
    fn a_line_without_end_is_emitted_in_pieces() {
        let lines = lines_of(usize::MAX, &[&"x".repeat(LINE_BYTES_MAX + 1)]);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES_MAX, 1]);
    }
}
