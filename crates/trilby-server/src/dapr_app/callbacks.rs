//! The rpcs of `AppCallback`: each becomes the request that daprd would send to an HTTP app, and
//! goes through the same service.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use tonic::{Response, Status};
use trilby_dapr::delivery::Verdict;
use trilby_dapr::proto::common::v1::{InvokeRequest, InvokeResponse};
use trilby_dapr::proto::runtime::v1::app_callback_alpha_server::AppCallbackAlpha;
use trilby_dapr::proto::runtime::v1::app_callback_health_check_server::AppCallbackHealthCheck;
use trilby_dapr::proto::runtime::v1::app_callback_server::AppCallback;
use trilby_dapr::proto::runtime::v1::{
    BindingEventRequest, BindingEventResponse, HealthCheckResponse, JobEventRequest,
    JobEventResponse, ListInputBindingsResponse, ListTopicSubscriptionsResponse,
    TopicEventBulkRequest, TopicEventBulkResponse, TopicEventBulkResponseEntry, TopicEventRequest,
    TopicEventResponse,
};

use super::answers::{code, topic_status};
use super::{headers, messages};
use crate::body::{request_body, whole};
use crate::generation::Generation;
use crate::service::Door;
use crate::{Peer, Service, inbound};

/// Bytes of an answer that becomes a message. Its route has its own bound below this, unless it
/// serves files.
const ANSWER_BYTES_MAX: usize = 64 << 20;

type Result<T> = std::result::Result<Response<T>, Status>;

/// The app, as daprd calls it.
pub(super) struct Callbacks {
    service: Arc<Service>,
    generation: Arc<Generation>,
    peer: Peer,
}

impl Callbacks {
    pub(super) fn new(service: Arc<Service>, generation: Arc<Generation>, peer: Peer) -> Self {
        Self { service, generation, peer }
    }

    async fn answer(&self, request: Request<Bytes>, door: Door) -> http::Response<Bytes> {
        let request = request.map(request_body);
        whole(self.service.answer(request, self.peer, door).await, ANSWER_BYTES_MAX).await
    }

    /// The answer to what the sidecar delivers, of which only its verdict counts.
    async fn verdict(&self, request: Request<Bytes>) -> http::Response<Bytes> {
        let request = request.map(request_body);
        inbound::verdict(self.service.answer(request, self.peer, Door::Sidecar).await).await
    }

    async fn bulk(
        &self,
        request: tonic::Request<TopicEventBulkRequest>,
    ) -> Result<TopicEventBulkResponse> {
        let (metadata, _, events) = request.into_parts();
        let ids: Vec<String> = events.entries.iter().map(|entry| entry.entry_id.clone()).collect();
        let verdicts = match messages::bulk(events, headers::of_metadata(metadata)) {
            Some(request) => {
                let answer = self.verdict(request).await;
                let ids = ids.iter().map(String::as_str);
                Verdict::of_each(answer.status(), answer.body(), ids)
            }
            None => vec![Verdict::Drop; ids.len()],
        };
        let statuses = ids.into_iter().zip(verdicts).map(|(entry_id, verdict)| {
            TopicEventBulkResponseEntry { entry_id, status: topic_status(verdict).into() }
        });
        Ok(Response::new(TopicEventBulkResponse { statuses: statuses.collect() }))
    }

    async fn job(&self, request: tonic::Request<JobEventRequest>) -> Result<JobEventResponse> {
        let (metadata, _, event) = request.into_parts();
        let status = match messages::job(event, headers::of_metadata(metadata)) {
            Some(request) => self.verdict(request).await.status(),
            None => StatusCode::NOT_FOUND,
        };
        // What the answer says was put into its status. daprd takes NOT_FOUND for an end of the job,
        // and UNIMPLEMENTED for a wish to get it by the older rpc, too.
        match status {
            status if status.is_success() => Ok(Response::new(JobEventResponse {})),
            StatusCode::NOT_FOUND => Err(Status::not_found("the app does not want this job")),
            status => Err(Status::aborted(format!("the app answered {status}"))),
        }
    }
}

#[async_trait]
impl AppCallback for Callbacks {
    async fn on_invoke(&self, request: tonic::Request<InvokeRequest>) -> Result<InvokeResponse> {
        let (metadata, _, message) = request.into_parts();
        let Some(request) = messages::invocation(message, headers::of_invocation(metadata)) else {
            return Err(Status::invalid_argument("the method is no path of a URL"));
        };
        let answer = self.answer(request, Door::Invocation).await;
        let (head, body) = answer.into_parts();
        let content_type = messages::content_type(&head.headers);
        let mut metadata = headers::metadata(head.headers);
        // daprd tells a caller by gRPC the status of an HTTP app in this way.
        if let Ok(status) = head.status.as_str().parse() {
            metadata.insert("dapr-http-status", status);
        }
        if !head.status.is_success() {
            let text = messages::text(head.status, &body);
            return Err(Status::with_metadata(code(head.status), text, metadata));
        }
        let data = prost_types::Any { type_url: String::new(), value: body.into() };
        let mut response = Response::new(InvokeResponse { data: Some(data), content_type });
        *response.metadata_mut() = metadata;
        Ok(response)
    }

    async fn list_topic_subscriptions(
        &self,
        _: tonic::Request<()>,
    ) -> Result<ListTopicSubscriptionsResponse> {
        let subscriptions = self.generation.served.table.subscriptions.iter();
        let subscriptions = subscriptions.map(messages::subscription).collect();
        Ok(Response::new(ListTopicSubscriptionsResponse { subscriptions }))
    }

    async fn on_topic_event(
        &self,
        request: tonic::Request<TopicEventRequest>,
    ) -> Result<TopicEventResponse> {
        let (metadata, _, event) = request.into_parts();
        let verdict = match messages::topic_event(&event, headers::of_metadata(metadata)) {
            Some(request) => {
                let answer = self.verdict(request).await;
                Verdict::of(answer.status(), answer.body())
            }
            None => Verdict::Drop,
        };
        Ok(Response::new(TopicEventResponse { status: topic_status(verdict).into() }))
    }

    async fn list_input_bindings(
        &self,
        _: tonic::Request<()>,
    ) -> Result<ListInputBindingsResponse> {
        let mut bindings: Vec<String> =
            self.generation.served.table.bindings.keys().cloned().collect();
        bindings.sort_unstable();
        Ok(Response::new(ListInputBindingsResponse { bindings }))
    }

    async fn on_binding_event(
        &self,
        request: tonic::Request<BindingEventRequest>,
    ) -> Result<BindingEventResponse> {
        let (metadata, _, event) = request.into_parts();
        let Some(request) = messages::binding(event, headers::of_metadata(metadata)) else {
            return Err(Status::not_found("the binding's name is too long"));
        };
        let (head, body) = self.answer(request, Door::Sidecar).await.into_parts();
        if !head.status.is_success() {
            return Err(Status::new(code(head.status), messages::text(head.status, &body)));
        }
        Ok(Response::new(BindingEventResponse { data: body, ..BindingEventResponse::default() }))
    }

    async fn on_bulk_topic_event(
        &self,
        request: tonic::Request<TopicEventBulkRequest>,
    ) -> Result<TopicEventBulkResponse> {
        self.bulk(request).await
    }

    async fn on_job_event(
        &self,
        request: tonic::Request<JobEventRequest>,
    ) -> Result<JobEventResponse> {
        self.job(request).await
    }
}

/// What daprd before 1.17 calls, and newer ones where the stable rpcs are not there.
#[async_trait]
impl AppCallbackAlpha for Callbacks {
    async fn on_bulk_topic_event_alpha1(
        &self,
        request: tonic::Request<TopicEventBulkRequest>,
    ) -> Result<TopicEventBulkResponse> {
        self.bulk(request).await
    }

    async fn on_job_event_alpha1(
        &self,
        request: tonic::Request<JobEventRequest>,
    ) -> Result<JobEventResponse> {
        self.job(request).await
    }
}

/// Healthy as long as there is an answer, also while the server drains, like `/healthz`: daprd turns
/// away what it has for an app that is not healthy, though what comes until the listener closes is
/// still served.
#[async_trait]
impl AppCallbackHealthCheck for Callbacks {
    async fn health_check(&self, _: tonic::Request<()>) -> Result<HealthCheckResponse> {
        Ok(Response::new(HealthCheckResponse {}))
    }
}
