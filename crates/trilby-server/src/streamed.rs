//! Bodies of service invocation, as the service has them and as Dapr's vocabulary does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, BodyStream};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{Code, Error};

use crate::body::{BrokenOff, RequestBody, ResponseBody, request_body};

/// A request's body. Its length is what its headers say, or, where it is there already, what it is:
/// many a CGI program wants to know it.
pub(crate) fn incoming(mut body: ByteStream, length: Option<u64>) -> RequestBody {
    if let Some(left) = length {
        return Counted { body, left }.boxed_unsync();
    }
    let first = body.next().now_or_never();
    let second = match &first {
        Some(Some(Ok(_))) => body.next().now_or_never(),
        _ => None,
    };
    match (first, second) {
        (Some(None), _) => request_body(Bytes::new()),
        (Some(Some(Ok(all))), Some(None)) => request_body(all),
        (first, second) => {
            let begun = first.into_iter().chain(second).flatten();
            let frames = stream::iter(begun).chain(body).map(|chunk| match chunk {
                Ok(chunk) => Ok(Frame::data(chunk)),
                Err(error) => Err(BrokenOff::new(error)),
            });
            http_body_util::StreamBody::new(frames).boxed_unsync()
        }
    }
}

/// A response's body; what follows it (trailers) has no place in Dapr.
pub(crate) fn outgoing(body: ResponseBody) -> ByteStream {
    let chunks = BodyStream::new(body).filter_map(|frame| {
        let chunk = match frame.map(Frame::into_data) {
            Ok(Ok(chunk)) => (!chunk.is_empty()).then_some(Ok(chunk)),
            Ok(Err(_trailers)) => None,
            Err(cut_off) => Some(Err(Error::new(Code::Unavailable, cut_off.to_string()))),
        };
        std::future::ready(chunk)
    });
    chunks.boxed()
}

/// A body that is as long as it was said to be, or breaks off.
struct Counted {
    body: ByteStream,
    left: u64,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        let chunk = match ready!(this.body.as_mut().poll_next(cx)) {
            None if this.left == 0 => return Poll::Ready(None),
            None => return Poll::Ready(Some(Err(wrong_length()))),
            Some(Err(error)) => return Poll::Ready(Some(Err(BrokenOff::new(error)))),
            Some(Ok(chunk)) => chunk,
        };
        let bytes = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        match this.left.checked_sub(bytes) {
            Some(left) => {
                this.left = left;
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            None => Poll::Ready(Some(Err(wrong_length()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn wrong_length() -> BrokenOff {
    BrokenOff::new("the body is not as long as `Content-Length` says")
}

#[cfg(test)]
mod tests {
    use trilby_dapr::stream::whole;

    use super::*;

    fn chunks(texts: &[&'static str]) -> ByteStream {
        let chunks: Vec<_> =
            texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect();
        stream::iter(chunks).boxed()
    }

    async fn read(body: RequestBody) -> Option<Bytes> {
        body.collect().await.ok().map(|whole| whole.to_bytes())
    }

    #[tokio::test]
    async fn a_body_that_is_there_has_its_length() {
        for text in ["", "abc"] {
            let body = incoming(whole(Bytes::from_static(text.as_bytes())), None);
            let length = u64::try_from(text.len()).expect("short");
            assert_eq!(body.size_hint().exact(), Some(length));
            assert_eq!(read(body).await.expect("whole"), text);
        }
    }

    #[tokio::test]
    async fn a_body_that_comes_bit_by_bit_has_all_its_bits() {
        for texts in [&["a", "b", "c"][..], &["a", "b"]] {
            let body = incoming(chunks(texts), None);
            assert_eq!(body.size_hint().exact(), None);
            assert_eq!(read(body).await.expect("whole"), texts.concat());
        }
        let late = stream::pending().boxed();
        assert_eq!(incoming(late, None).size_hint().exact(), None);
    }

    #[tokio::test]
    async fn a_length_is_kept_to() {
        let table = [(3, Some("abc")), (2, None), (4, None)];
        for (length, expected) in table {
            let body = incoming(chunks(&["a", "bc"]), Some(length));
            assert_eq!(body.size_hint().exact(), Some(length));
            assert_eq!(read(body).await.as_deref(), expected.map(str::as_bytes), "{length}");
        }
        assert!(incoming(chunks(&[]), Some(0)).is_end_stream());
    }

    #[tokio::test]
    async fn errors_go_through() {
        let error = || Err(Error::new(Code::Unavailable, "gone"));
        let broken = || stream::iter([Ok(Bytes::from_static(b"a")), error()]).boxed();
        assert_eq!(read(incoming(broken(), None)).await, None);
        assert_eq!(read(incoming(stream::iter([error()]).boxed(), None)).await, None);
        assert_eq!(read(incoming(broken(), Some(1))).await, None);
        let sent = outgoing(ResponseBody::whole("abc")).collect::<Vec<_>>().await;
        assert_eq!(sent, [Ok(Bytes::from_static(b"abc"))]);
        assert!(outgoing(ResponseBody::whole("")).next().await.is_none());
    }
}
