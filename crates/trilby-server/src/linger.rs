//! What a guest leaves of a request body.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::body::{BrokenOff, RequestBody};

/// How long the rest of a body is read.
const LINGER: Duration = Duration::from_secs(5);

/// How long an answer over HTTP/2 waits for the rest of a small body.
const WAIT: Duration = Duration::from_secs(1);

/// What an HTTP/2 client may send before it hears anything (RFC 9113 section 6.9.2).
const SMALL_BYTES: u64 = 65_535;

/// A body whose rest is read, within a bound, and thrown away when it is dropped.
///
/// Closing an HTTP/1.1 connection while data still comes in resets it, and the reset may overtake
/// the answer (RFC 9112 section 9.6): a client that is told "too large" would see only that its
/// connection broke. HTTP/2 ends the stream with `NO_ERROR` instead (RFC 9113 section 8.1), which
/// curl before 8 and others take for an error all the same; so there the answer waits for the rest of
/// a small body, which is on its way already.
struct Lingering {
    /// `None` from the body's end on.
    body: Option<Incoming>,
    /// The client sends the body only when it is told to go on, so it must not be read for nothing.
    held_back: bool,
    /// Where the rest goes when the answer waits for it.
    rest: Option<Sender<Incoming>>,
}

/// What a guest leaves of a small body, once it has dropped it.
pub(crate) struct Rest(Option<Receiver<Incoming>>);

impl Rest {
    /// Waits for the end of the body, if nobody else reads it any more.
    pub(crate) async fn read(self) {
        let rest = self.0.and_then(|mut rest| rest.try_recv().ok());
        if let Some(body) = rest {
            // An end, an error, the bound: the answer goes out either way.
            let _ = timeout(WAIT, read(body)).await;
        }
    }
}

async fn read(mut body: Incoming) {
    // An end, an error: either way nothing more comes.
    while let Some(Ok(_)) = body.frame().await {}
}

/// The request with its body as the service takes it, and what the answer is to wait for.
pub(crate) fn request(request: Request<Incoming>) -> (Request<RequestBody>, Rest) {
    let is_http2 = request.version() >= Version::HTTP_2;
    let is_small = request.body().size_hint().upper().is_some_and(|size| size <= SMALL_BYTES);
    if request.body().is_end_stream() || (is_http2 && !is_small) {
        return (request.map(|body| body.map_err(BrokenOff::new).boxed_unsync()), Rest(None));
    }
    let held_back = request.headers().contains_key(header::EXPECT);
    let (sender, receiver) = is_http2.then(channel).unzip();
    let lingering = |body| Lingering { body: Some(body), held_back, rest: sender };
    (request.map(|body| lingering(body).boxed_unsync()), Rest(receiver))
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
        polled.map_err(BrokenOff::new)
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
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if self.held_back {
            return;
        }
        match self.rest.take() {
            // When nobody waits, the stream is past its answer: it may end.
            Some(rest) => drop(rest.send(body)),
            None => drop(tokio::spawn(timeout(LINGER, read(body)))),
        }
    }
}
