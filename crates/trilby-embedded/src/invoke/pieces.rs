//! A request's body, as far as it is known when the request begins.

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use trilby_dapr::Error as DaprError;
use trilby_dapr::stream::{self as bodies, ByteStream};

/// A body as HTTP's client wants it.
pub(super) type Body = UnsyncBoxBody<Bytes, DaprError>;

/// A body. One that is there as a whole has a size, so that it is sent without chunks.
pub(super) enum Pieces {
    Whole(Bytes),
    Coming(ByteStream),
}

impl Pieces {
    /// Looks at a body, without waiting for more of it.
    pub(super) fn of(mut body: ByteStream) -> Self {
        let first = match body.next().now_or_never() {
            Some(None) => return Self::Whole(Bytes::new()),
            Some(Some(first)) => first,
            None => return Self::Coming(body),
        };
        match (first, body.next().now_or_never()) {
            (Ok(whole), Some(None)) => Self::Whole(whole),
            (first, Some(second)) => {
                let known = stream::iter([Some(first), second].into_iter().flatten());
                Self::Coming(known.chain(body).boxed())
            }
            (first, None) => Self::Coming(stream::iter([first]).chain(body).boxed()),
        }
    }

    /// Its size in bytes, if that is known.
    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::Whole(bytes) => Some(bytes.len()),
            Self::Coming(_) => None,
        }
    }

    pub(super) fn stream(self) -> ByteStream {
        match self {
            Self::Whole(bytes) => bodies::whole(bytes),
            Self::Coming(stream) => stream,
        }
    }

    pub(super) fn body(self) -> Body {
        match self {
            Self::Whole(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
            Self::Coming(stream) => {
                StreamBody::new(stream.map(|piece| piece.map(Frame::data))).boxed_unsync()
            }
        }
    }
}
