//! Standard input: the request body, as it arrives.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// Why a request body broke off. The guest sees an I/O error, never a shorter body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The client went away, or broke the protocol.
    #[error("the request body broke off")]
    BrokenOff,
    /// More bytes than the route's limit.
    #[error("the request body is larger than the limit")]
    TooLarge,
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, InputError>> + Send>>;

/// A request body on its way to a guest.
pub struct Input {
    chunks: Option<Chunks>,
    failure: Arc<Mutex<Option<InputError>>>,
}

impl Input {
    /// An empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self { chunks: None, failure: Arc::default() }
    }

    /// A body that arrives in chunks; the guest's reads pull them, so that a slow guest slows
    /// the client down.
    #[must_use]
    pub fn stream(chunks: impl Stream<Item = Result<Bytes, InputError>> + Send + 'static) -> Self {
        Self { chunks: Some(Box::pin(chunks)), failure: Arc::default() }
    }

    /// Where the reason will stand if the body breaks off.
    pub(crate) fn failure(&self) -> Arc<Mutex<Option<InputError>>> {
        Arc::clone(&self.failure)
    }

    pub(crate) fn into_stdin(self) -> Stdin {
        let failure = self.failure;
        let reader = Reader { chunks: self.chunks, ready: Bytes::new(), failed: false, failure };
        Stdin(Mutex::new(Some(reader)))
    }
}

/// Gives its reader to the first stream that is opened on it.
pub(crate) struct Stdin(Mutex<Option<Reader>>);

impl Stdin {
    /// Reads what is there, or the end, as a stream that was opened would: nothing if the guest has
    /// to wait, or to be told of a failure.
    pub(crate) fn read_at_once(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let reader = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()?;
        reader.ready().now_or_never()?;
        match reader.read(buffer.len()) {
            Ok(bytes) => {
                buffer.get_mut(..bytes.len())?.copy_from_slice(&bytes);
                Some(bytes.len())
            }
            Err(StreamError::Closed) => Some(0),
            Err(_) => None,
        }
    }
}

impl IsTerminal for Stdin {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Stdin {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncRead + Send + Sync> {
        // Only WASI 0.3 asks for this form; core modules use `p2_stream`.
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        let reader = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::new(reader.unwrap_or_else(Reader::at_end))
    }
}

struct Reader {
    chunks: Option<Chunks>,
    ready: Bytes,
    failed: bool,
    failure: Arc<Mutex<Option<InputError>>>,
}

impl Reader {
    fn at_end() -> Self {
        Self { chunks: None, ready: Bytes::new(), failed: false, failure: Arc::default() }
    }
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        while self.ready.is_empty() && !self.failed {
            let Some(chunks) = &mut self.chunks else { return };
            match chunks.next().await {
                Some(Ok(chunk)) => self.ready = chunk,
                Some(Err(error)) => {
                    self.failed = true;
                    *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
                None => self.chunks = None,
            }
        }
    }
}

#[async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.failed {
            return Err(StreamError::LastOperationFailed(wasmtime::format_err!(
                "the request body broke off"
            )));
        }
        if self.ready.is_empty() && self.chunks.is_none() {
            return Err(StreamError::Closed);
        }
        let size = size.min(self.ready.len());
        Ok(self.ready.split_to(size))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn reader(
        chunks: Vec<Result<&'static str, InputError>>,
    ) -> (Box<dyn InputStream>, Arc<Mutex<Option<InputError>>>) {
        let chunks =
            chunks.into_iter().map(|chunk| chunk.map(|text| Bytes::from_static(text.as_bytes())));
        let input = Input::stream(stream::iter(chunks));
        let failure = input.failure();
        (input.into_stdin().p2_stream(), failure)
    }

    /// What a guest gets that waits and then reads at most `size` bytes.
    fn read(reader: &mut dyn InputStream, size: usize) -> StreamResult<Bytes> {
        reader.ready().now_or_never().expect("does not wait");
        reader.read(size)
    }

    #[test]
    fn chunks_are_cut_to_the_guests_buffer_and_empty_ones_are_no_end() {
        let (mut reader, failure) = reader(vec![Ok(""), Ok("abc"), Ok(""), Ok("d")]);
        for (size, expected) in [(2, "ab"), (0, ""), (2, "c"), (9, "d")] {
            assert_eq!(read(&mut *reader, size).expect("open"), expected);
        }
        for _ in 0..2 {
            assert!(matches!(read(&mut *reader, 1), Err(StreamError::Closed)));
        }
        assert_eq!(*failure.lock().expect("not poisoned"), None);
    }

    #[test]
    fn a_body_that_fails_never_looks_like_its_end() {
        for error in [InputError::BrokenOff, InputError::TooLarge] {
            let (mut reader, failure) = reader(vec![Ok("a"), Err(error), Ok("b")]);
            assert_eq!(read(&mut *reader, 9).expect("open"), "a");
            assert_eq!(*failure.lock().expect("not poisoned"), None);
            for _ in 0..3 {
                let again = read(&mut *reader, 9);
                assert!(matches!(again, Err(StreamError::LastOperationFailed(_))), "{again:?}");
            }
            assert_eq!(*failure.lock().expect("not poisoned"), Some(error));
        }
    }

    #[test]
    fn a_body_on_its_way_makes_the_guest_wait() {
        let stdin = Input::stream(stream::pending()).into_stdin();
        let mut reader = stdin.p2_stream();
        assert_eq!(reader.ready().now_or_never(), None);
        assert_eq!(reader.read(9).expect("open"), "");
        let mut second = stdin.p2_stream();
        assert!(matches!(read(&mut *second, 9), Err(StreamError::Closed)));
    }

    #[test]
    fn no_body_is_at_its_end() {
        let mut reader = Input::empty().into_stdin().p2_stream();
        assert!(matches!(read(&mut *reader, 9), Err(StreamError::Closed)));
    }
}
