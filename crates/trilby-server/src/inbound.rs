//! Deliveries of the embedded runtime, which come over no connection.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use trilby_dapr::Inbound;
use trilby_dapr::invoke::ServiceReply;
use trilby_dapr::stream::ByteStream;

use crate::body::request_body;
use crate::service::Door;
use crate::{Peer, Service};

/// Bytes of a guest's answer to a delivery; the answer is a status and a few words.
const DELIVERY_ANSWER_BYTES_MAX: usize = 64 << 10;

/// The service as a receiver of the embedded runtime's deliveries.
pub struct ServiceHandle(pub Arc<Service>);

#[async_trait]
impl Inbound for ServiceHandle {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let peer = Peer { remote: nowhere, local: nowhere, tls: false };
        let request = request.map(request_body);
        let response = self.0.answer(request, peer, Door::Embedded).await;
        let (head, body) = response.into_parts();
        let limited = http_body_util::Limited::new(body, DELIVERY_ANSWER_BYTES_MAX);
        match limited.collect().await {
            Ok(whole) => Response::from_parts(head, whole.to_bytes()),
            Err(_) => {
                let mut failed = Response::new(Bytes::new());
                *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                failed
            }
        }
    }

    async fn invoke(&self, _: Request<ByteStream>) -> ServiceReply {
        ServiceReply {
            status: StatusCode::NOT_IMPLEMENTED,
            headers: HeaderMap::new(),
            body: trilby_dapr::stream::whole(Bytes::new()),
        }
    }
}
