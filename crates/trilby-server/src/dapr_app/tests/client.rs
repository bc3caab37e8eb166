//! daprd's end of the gRPC app channel, and what it sends.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use prost_types::Any;
use trilby_dapr::proto::runtime::v1::app_callback_client::AppCallbackClient;
use trilby_dapr::proto::runtime::v1::topic_event_bulk_request_entry::Event;
use trilby_dapr::proto::runtime::v1::{
    JobEventRequest, TopicEventBulkRequest, TopicEventBulkRequestEntry, TopicEventCeRequest,
    TopicEventRequest,
};

use crate::Service;
use crate::body::{BrokenOff, ResponseBody};
use crate::testing::{PEER, TOKEN};

/// A channel to a service in this process.
#[derive(Clone)]
pub(super) struct Here(pub(super) Arc<Service>);

impl tonic::codegen::Service<Request<tonic::body::Body>> for Here {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let service = Arc::clone(&self.0);
        let request = request.map(|body| body.map_err(BrokenOff::new).boxed_unsync());
        Box::pin(async move { Ok(service.handle(request, PEER).await) })
    }
}

pub(super) fn client(service: &Arc<Service>) -> AppCallbackClient<Here> {
    AppCallbackClient::new(Here(Arc::clone(service)))
}

pub(super) fn with_token<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("dapr-api-token", TOKEN.parse().expect("ASCII"));
    request
}

pub(super) fn event(path: &str) -> TopicEventRequest {
    TopicEventRequest {
        id: "1".into(),
        source: "shop".into(),
        r#type: "placed".into(),
        spec_version: "1.0".into(),
        data_content_type: "text/plain".into(),
        data: Bytes::from_static(b"data"),
        topic: "t".into(),
        pubsub_name: "bus".into(),
        path: path.into(),
        extensions: Bytes::new(),
    }
}

pub(super) fn says(status: u16, body: &str) -> String {
    format!("status: {status}\ncontent-type: application/json\n\n{body}")
}

pub(super) fn several() -> TopicEventBulkRequest {
    let entry = |id: &str, event| TopicEventBulkRequestEntry {
        entry_id: id.into(),
        content_type: "text/plain".into(),
        metadata: HashMap::new(),
        event,
    };
    let cloud_event = TopicEventCeRequest {
        id: "x".into(),
        source: "shop".into(),
        r#type: "placed".into(),
        spec_version: "1.0".into(),
        data_content_type: "application/json".into(),
        data: Bytes::from_static(b"[1.0]"),
        extensions: Bytes::new(),
    };
    TopicEventBulkRequest {
        id: "b".into(),
        entries: vec![
            entry("1", Some(Event::CloudEvent(cloud_event))),
            entry("2", Some(Event::Bytes(Bytes::from_static(b"\xff")))),
            entry("3", None),
        ],
        topic: "t".into(),
        pubsub_name: "bus".into(),
        ..TopicEventBulkRequest::default()
    }
}

pub(super) fn job(name: &str, data: Option<Any>) -> JobEventRequest {
    JobEventRequest { name: name.into(), data, ..JobEventRequest::default() }
}
