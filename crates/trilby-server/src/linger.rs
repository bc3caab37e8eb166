//! What a guest leaves of a request body.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::body::{BrokenOff, RequestBody};

/// How long the rest of a body is read.
const LINGER: Duration = Duration::from_secs(5);

/// A body whose rest is read, within a bound, and thrown away when it is dropped.
///
/// Closing an HTTP/1.1 connection while data still comes in resets it, and the reset may overtake
/// the answer (RFC 9112 section 9.6): a client that is told "too large" would see only that its
/// connection broke. HTTP/2 ends the stream with `NO_ERROR` instead (RFC 9113 section 8.1), which
/// curl before 8 and others take for an error all the same.
struct Lingering {
    /// `None` from the body's end on.
    body: Option<Incoming>,
    /// The client sends the body only when it is told to go on, so it must not be read for nothing.
    held_back: bool,
}

/// The request with its body as the service takes it.
pub(crate) fn request(request: Request<Incoming>) -> Request<RequestBody> {
    if request.body().is_end_stream() {
        return request.map(|body| body.map_err(BrokenOff).boxed_unsync());
    }
    let held_back = request.headers().contains_key(header::EXPECT);
    request.map(|body| Lingering { body: Some(body), held_back }.boxed_unsync())
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        this.held_back = false;
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            this.body = None;
        }
        polled.map_err(BrokenOff)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if self.held_back {
            return;
        }
        tokio::spawn(timeout(LINGER, async move {
            // An end, an error: either way nothing more comes.
            while let Some(Ok(_)) = body.frame().await {}
        }));
    }
}
