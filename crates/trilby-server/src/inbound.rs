//! Requests that come over no connection: deliveries of the embedded runtime and of streams, and
//! service invocation within the process.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use trilby_dapr::Inbound;
use trilby_dapr::invoke::ServiceReply;
use trilby_dapr::stream::ByteStream;

use crate::body::{self, request_body};
use crate::dapr_app::answers::VERDICT_BYTES_MAX;
use crate::dapr_app::headers::remove_hop_by_hop;
use crate::service::Door;
use crate::streamed::{incoming, outgoing};
use crate::{Peer, Service};

/// The service as a receiver of deliveries and of service invocation.
pub struct ServiceHandle(pub Arc<Service>);

#[async_trait]
impl Inbound for ServiceHandle {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request = request.map(request_body);
        body::whole(self.0.answer(request, NOWHERE, Door::Embedded).await, VERDICT_BYTES_MAX).await
    }

    async fn invoke(&self, request: Request<ByteStream>) -> ServiceReply {
        let (mut head, stream) = request.into_parts();
        remove_hop_by_hop(&mut head.headers);
        let body = incoming(stream, length(&head.headers));
        let request = Request::from_parts(head, body);
        let response = self.0.answer(request, NOWHERE, Door::Invocation).await;
        let (mut head, body) = response.into_parts();
        remove_hop_by_hop(&mut head.headers);
        ServiceReply { status: head.status, headers: head.headers, body: outgoing(body) }
    }
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
