//! Requests that come over no connection: deliveries of the embedded runtime and of streams, and
//! service invocation within the process.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyStream;
use trilby_dapr::Inbound;
use trilby_dapr::invoke::{ServiceReply, drop_hop_by_hop};
use trilby_dapr::stream::ByteStream;

use crate::body::{ResponseBody, request_body};
use crate::dapr_app::answers::VERDICT_BYTES_MAX;
use crate::service::Door;
use crate::streamed::{incoming, outgoing};
use crate::{Peer, Service};

/// The service as a receiver of deliveries and of service invocation.
pub struct ServiceHandle(pub Arc<Service>);

#[async_trait]
impl Inbound for ServiceHandle {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request = request.map(request_body);
        verdict(self.0.answer(request, NOWHERE, Door::Embedded).await).await
    }

    async fn invoke(&self, request: Request<ByteStream>) -> ServiceReply {
        let (mut head, stream) = request.into_parts();
        drop_hop_by_hop(&mut head.headers);
        let body = incoming(stream, length(&head.headers));
        let request = Request::from_parts(head, body);
        let response = self.0.answer(request, NOWHERE, Door::Invocation).await;
        let (mut head, body) = response.into_parts();
        drop_hop_by_hop(&mut head.headers);
        ServiceReply { status: head.status, headers: head.headers, body: outgoing(body) }
    }
}

/// An answer that is a verdict. A body that is too long for one says nothing, as if it were empty: to
/// daprd, too, the status alone counts then. An answer that breaks off is a failure.
pub(crate) async fn verdict(response: Response<ResponseBody>) -> Response<Bytes> {
    let (head, body) = response.into_parts();
    let mut frames = BodyStream::new(body);
    let mut kept = BytesMut::new();
    let mut is_too_long = false;
    // To its end, even if nothing of it is kept: whether it breaks off shows there.
    while let Some(frame) = frames.next().await {
        let Ok(frame) = frame else {
            let mut failed = Response::new(Bytes::new());
            *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return failed;
        };
        let data = frame.into_data().unwrap_or_default();
        is_too_long = is_too_long || data.len() > VERDICT_BYTES_MAX - kept.len();
        if is_too_long {
            kept = BytesMut::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    Response::from_parts(head, kept.freeze())
}

/// What stands for the ends of a connection that is none.
const NOWHERE: Peer = Peer {
    remote: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0),
    local: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0),
    tls: false,
};

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};
    use trilby_dapr::delivery::Verdict;

    use super::*;

    /// An answer in two pieces, of which the second may break off.
    async fn verdict_of(status: StatusCode, first: &str, second: Option<&str>) -> Verdict {
        let pieces = [Some(first), second].map(|piece| {
            let data = piece.map(|text| Bytes::from(text.to_owned()));
            data.map(http_body::Frame::data).ok_or_else(|| std::io::Error::other("broke off"))
        });
        let body = StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync();
        let mut response = Response::new(ResponseBody::File(body, None));
        *response.status_mut() = status;
        let answer = verdict(response).await;
        Verdict::of(answer.status(), answer.body())
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_says_nothing() {
        let full = " ".repeat(VERDICT_BYTES_MAX - 1);
        let says_drop = r#"{"status":"DROP"}"#;
        let table = [
            (StatusCode::OK, says_drop, Some(""), Verdict::Drop),
            (StatusCode::OK, r#"{"status":"#, Some(r#""RETRY"}"#), Verdict::Retry),
            (StatusCode::OK, &full, Some("x"), Verdict::Ack),
            (StatusCode::OK, &full, Some("xx"), Verdict::Ack),
            (StatusCode::OK, says_drop, Some(&full), Verdict::Ack),
            (StatusCode::NOT_FOUND, says_drop, Some(&full), Verdict::Drop),
            (StatusCode::BAD_GATEWAY, says_drop, Some(&full), Verdict::Retry),
            (StatusCode::OK, &full, None, Verdict::Retry),
            (StatusCode::OK, says_drop, None, Verdict::Retry),
        ];
        for (number, (status, first, second, expected)) in table.into_iter().enumerate() {
            assert_eq!(verdict_of(status, first, second).await, expected, "row {number}");
        }
    }
}
