//! The body of an answer, within its bounds.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Error;

/// The body of an answer as it arrives. It fails when it grows too large or takes too long.
#[derive(Debug)]
pub struct Body {
    inner: Incoming,
    origin: String,
    bytes_left: usize,
    bytes_max: usize,
    end: Pin<Box<Sleep>>,
}

impl Body {
    /// # Errors
    /// When the answer says that it is larger than `bytes_max`.
    pub(crate) fn new(
        inner: Incoming,
        origin: String,
        bytes_max: usize,
        end: Instant,
    ) -> Result<Self, Error> {
        let end = Box::pin(sleep_until(end));
        let body = Self { inner, origin, bytes_left: bytes_max, bytes_max, end };
        let declared = http_body::Body::size_hint(&body.inner).lower();
        match usize::try_from(declared) {
            Ok(declared) if declared <= bytes_max => Ok(body),
            _ => Err(body.too_large()),
        }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { origin: self.origin.clone(), bytes_max: self.bytes_max }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Error::Timeout { origin: self.origin.clone() })));
        }
        let frame = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => {
                let (origin, reason) = (self.origin.clone(), error.to_string());
                return Poll::Ready(Some(Err(Error::Request { origin, reason })));
            }
            Some(Ok(frame)) => frame,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        Poll::Ready(Some(match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(frame)
            }
            None => Err(self.too_large()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
