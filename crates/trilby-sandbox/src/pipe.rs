//! Standard output: a bounded pipe from the guest to whoever answers the client.
//!
//! The guest waits when the pipe is full, so a slow client costs no memory beyond
//! [`CAPACITY_BYTES`]. A reader that polls the guest itself looks for chunks after each poll; one
//! whose guest runs elsewhere waits with [`Reader::poll_chunk`].
//!
//! Small writes are gathered until the reader takes them: a chunk costs the host some hundred
//! bytes, and HTTP a frame, however little is in it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// How many bytes may wait in a pipe.
pub const CAPACITY_BYTES: usize = 256 << 10;

/// A write of so many bytes is a chunk as it is, without a copy. WASI cuts larger ones into pieces
/// of this size.
const LARGE_WRITE_BYTES: usize = 4 << 10;

/// How much is gathered from small writes before a new chunk begins.
const GATHERED_BYTES_MAX: usize = 16 << 10;

#[derive(Default)]
struct Shared {
    chunks: VecDeque<Bytes>,
    /// Small writes since the last chunk.
    tail: BytesMut,
    /// The length of all chunks and the tail.
    waiting_bytes: usize,
    written_bytes: usize,
    /// Writing more than this ends the guest.
    bytes_max: usize,
    over_limit: bool,
    reader_gone: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

/// The guest's end.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<Shared>>);

/// The server's end. Dropping it makes the guest's next write fail.
pub struct Reader(Arc<Mutex<Shared>>);

/// A new pipe, through which at most `bytes_max` bytes may go.
#[must_use]
pub fn new(bytes_max: usize) -> (Writer, Reader) {
    let shared = Arc::new(Mutex::new(Shared { bytes_max, ..Shared::default() }));
    (Writer(Arc::clone(&shared)), Reader(shared))
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Nothing panics while it holds this lock; the data is whole either way.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn put(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        let is_large = bytes.len() >= LARGE_WRITE_BYTES;
        if is_large || self.tail.len() + bytes.len() > GATHERED_BYTES_MAX {
            self.end_tail();
        }
        if is_large {
            self.chunks.push_back(bytes);
        } else if self.tail.is_empty() {
            // Takes over the allocation: a guest that writes once costs no copy.
            self.tail = BytesMut::from(bytes);
        } else {
            self.tail.extend_from_slice(&bytes);
        }
    }

    /// The same for bytes that lie elsewhere.
    fn copy(&mut self, bytes: &[u8]) {
        if self.tail.is_empty() || bytes.len() >= LARGE_WRITE_BYTES {
            return self.put(Bytes::copy_from_slice(bytes));
        }
        if self.tail.len() + bytes.len() > GATHERED_BYTES_MAX {
            self.end_tail();
        }
        self.waiting_bytes += bytes.len();
        self.tail.extend_from_slice(bytes);
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(std::mem::take(&mut self.tail).freeze());
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        let chunk = match self.chunks.pop_front() {
            Some(chunk) => chunk,
            None if self.tail.is_empty() => return None,
            None => std::mem::take(&mut self.tail).freeze(),
        };
        self.waiting_bytes -= chunk.len();
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        Some(chunk)
    }
}

impl Reader {
    /// Takes the next chunk if there is one.
    #[must_use]
    pub fn try_read(&self) -> Option<Bytes> {
        lock(&self.0).take()
    }

    /// The next chunk, as soon as there is one. The guest's end shows elsewhere.
    pub fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut shared = lock(&self.0);
        if let Some(chunk) = shared.take() {
            return Poll::Ready(chunk);
        }
        shared.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether a chunk is there to be read.
    #[must_use]
    pub fn has_chunk(&self) -> bool {
        lock(&self.0).waiting_bytes > 0
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        shared.reader_gone = true;
        if let Some(writer) = shared.writer.take() {
            writer.wake();
        }
    }
}

impl Writer {
    /// Whether the guest wrote more than the pipe's limit.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        lock(&self.0).over_limit
    }

    /// Writes if nothing speaks against it: the limit, the room that is left, a reader that is gone.
    pub(crate) fn write_at_once(&self, bytes: &[u8]) -> bool {
        let mut shared = lock(&self.0);
        let written_bytes = shared.written_bytes.saturating_add(bytes.len());
        let has_room = shared.waiting_bytes.saturating_add(bytes.len()) <= CAPACITY_BYTES;
        if shared.reader_gone || !has_room || written_bytes > shared.bytes_max {
            return false;
        }
        shared.written_bytes = written_bytes;
        if !bytes.is_empty() {
            shared.copy(bytes);
            if let Some(reader) = shared.reader.take() {
                reader.wake();
            }
        }
        true
    }
}

impl IsTerminal for Writer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Writer {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form; core modules use `p2_stream`.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| {
            let mut shared = lock(&self.0);
            if shared.reader_gone || shared.waiting_bytes < CAPACITY_BYTES {
                return Poll::Ready(());
            }
            shared.writer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut shared = lock(&self.0);
        if shared.reader_gone {
            return Err(StreamError::Closed);
        }
        shared.written_bytes = shared.written_bytes.saturating_add(bytes.len());
        if shared.written_bytes > shared.bytes_max {
            shared.over_limit = true;
            return Err(StreamError::Trap(wasmtime::format_err!("output limit")));
        }
        if !bytes.is_empty() {
            shared.put(bytes);
            if let Some(reader) = shared.reader.take() {
                reader.wake();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let shared = lock(&self.0);
        if shared.reader_gone {
            return Err(StreamError::Closed);
        }
        Ok(CAPACITY_BYTES.saturating_sub(shared.waiting_bytes))
    }
}

#[cfg(test)]
mod tests;
