//! Bodies: what comes in from a connection or a delivery, and what goes out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, Limited};
use tokio::sync::OwnedSemaphorePermit;
use trilby_sandbox::{Input, InputError};

use crate::streaming::Streaming;

/// A request body from anywhere: a connection, or a delivery of the embedded runtime.
pub type RequestBody = UnsyncBoxBody<Bytes, BrokenOff>;

/// The request body ended before its end: the client went away, or broke the protocol.
#[derive(Debug, thiserror::Error)]
#[error("the request body broke off")]
pub struct BrokenOff(#[source] Box<dyn std::error::Error + Send + Sync>);

impl BrokenOff {
    pub(crate) fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// A response body: whole, or written by a guest that still runs.
pub enum ResponseBody {
    /// All bytes are here.
    Whole(Full<Bytes>),
    /// The guest runs on as this body is read.
    Streaming(Box<Streaming>),
    /// A file, or a part of one, and its turn.
    File(UnsyncBoxBody<Bytes, std::io::Error>, Option<OwnedSemaphorePermit>),
    /// The message and the status of an rpc.
    Grpc(tonic::body::Body),
}

/// The guest failed after its head was sent: the connection is cut, so that the client does not
/// take what it has for the whole answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub struct CutOff;

impl ResponseBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Streaming(body) => Pin::new(body.as_mut()).poll_frame(cx),
            Self::File(body, _) => Pin::new(body).poll_frame(cx).map_err(|error| {
                tracing::warn!(%error, "a file could not be read to its end");
                CutOff
            }),
            Self::Grpc(body) => Pin::new(body).poll_frame(cx).map_err(|_| CutOff),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Streaming(_) => false,
            Self::File(body, _) => body.is_end_stream(),
            Self::Grpc(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Streaming(body) => body.size_hint(),
            Self::File(body, _) => body.size_hint(),
            Self::Grpc(body) => body.size_hint(),
        }
    }
}

/// A body of known bytes, as a request.
pub(crate) fn request_body(bytes: Bytes) -> RequestBody {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A response with its whole body. One that breaks off, or is longer than this, is a failure.
pub(crate) async fn whole(response: Response<ResponseBody>, bytes_max: usize) -> Response<Bytes> {
    let (head, body) = response.into_parts();
    match Limited::new(body, bytes_max).collect().await {
        Ok(whole) => Response::from_parts(head, whole.to_bytes()),
        Err(_) => {
            let mut failed = Response::new(Bytes::new());
            *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            failed
        }
    }
}

/// The guest's standard input: the body's data, up to `bytes_max`.
pub(crate) fn input(body: RequestBody, bytes_max: usize) -> Input {
    if body.is_end_stream() {
        return Input::empty();
    }
    let mut left = bytes_max;
    let chunks = BodyStream::new(body).filter_map(move |frame| {
        let chunk = match frame.map(Frame::into_data) {
            Ok(Ok(data)) if data.len() > left => Some(Err(InputError::TooLarge)),
            Ok(Ok(data)) => {
                left -= data.len();
                Some(Ok(data))
            }
            // Trailers have no place in CGI.
            Ok(Err(_trailers)) => None,
            Err(_broken) => Some(Err(InputError::BrokenOff)),
        };
        std::future::ready(chunk)
    });
    Input::stream(checked(chunks))
}

/// Gives the stream its name for the type checker; an identity otherwise.
fn checked<S>(stream: S) -> S
where
    S: Stream<Item = Result<Bytes, InputError>> + Send + 'static,
{
    stream
}
