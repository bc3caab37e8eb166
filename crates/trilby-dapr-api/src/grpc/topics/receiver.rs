//! What a feed brings, on its way to the caller and back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use trilby_dapr::Inbound;
use trilby_dapr::delivery::Verdict;
use trilby_dapr::proto::runtime::v1 as runtime;

use super::{Answer, Told, event};

use runtime::topic_event_response::TopicEventResponseStatus;

/// Brings events to the caller, and waits for what it says of each.
pub(super) struct Receiver {
    answers: mpsc::Sender<Result<Answer, Status>>,
    /// What is subscribed to, which an event's own attributes do not change.
    pubsub: String,
    topic: String,
    /// Who waits for a verdict, by the event's id.
    waiting: Mutex<HashMap<String, oneshot::Sender<Verdict>>>,
}

impl Receiver {
    pub(super) fn new(
        answers: mpsc::Sender<Result<Answer, Status>>,
        pubsub: &str,
        topic: &str,
    ) -> Self {
        let (pubsub, topic) = (pubsub.to_owned(), topic.to_owned());
        Self { answers, pubsub, topic, waiting: Mutex::default() }
    }

    /// The caller has dealt with an event. What it says of one that nobody waits for is dropped.
    pub(super) fn settle(&self, said: runtime::SubscribeTopicEventsRequestProcessedAlpha1) {
        let verdict = match said.status.map(|status| status.status()) {
            None | Some(TopicEventResponseStatus::Success) => Verdict::Ack,
            Some(TopicEventResponseStatus::Retry) => Verdict::Retry,
            Some(TopicEventResponseStatus::Drop) => Verdict::Drop,
        };
        if let Some(waiting) = self.waiting().remove(&said.id) {
            // Whoever waited may have given up.
            let _ = waiting.send(verdict);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Verdict>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn bring(&self, event: runtime::TopicEventRequest) -> Option<Verdict> {
        let (told, verdict) = oneshot::channel();
        // Given back also when this is given up.
        let _waiting = Waiting { receiver: self, id: event.id.clone() };
        self.waiting().insert(event.id.clone(), told);
        let answer =
            Answer { subscribe_topic_events_response_type: Some(Told::EventMessage(event)) };
        self.answers.send(Ok(answer)).await.ok()?;
        verdict.await.ok()
    }
}

/// The place of an event that is waited for.
struct Waiting<'a> {
    receiver: &'a Receiver,
    id: String,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.receiver.waiting().remove(&self.id);
    }
}

#[async_trait]
impl Inbound for Receiver {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let verdict = match event::of(request.body()) {
            Ok(mut event) => {
                event.pubsub_name.clone_from(&self.pubsub);
                event.topic.clone_from(&self.topic);
                self.bring(event).await
            }
            Err(error) => {
                tracing::warn!("an event cannot be brought over a stream: {error}");
                Some(Verdict::Drop)
            }
        };
        let mut response = Response::new(Bytes::new());
        match verdict {
            Some(verdict) => {
                *response.body_mut() = json!({ "status": verdict.word() }).to_string().into();
            }
            None => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use runtime::TopicEventResponse;

    use super::*;

    fn request() -> Request<Bytes> {
        let body = r#"{"specversion":"1.0","id":"e1","data":"x","datacontenttype":"text/plain"}"#;
        Request::new(Bytes::from_static(body.as_bytes()))
    }

    #[tokio::test]
    async fn a_verdict_comes_back_as_an_answer() {
        for (status, expected) in [
            (Some(TopicEventResponseStatus::Success), "SUCCESS"),
            (Some(TopicEventResponseStatus::Retry), "RETRY"),
            (Some(TopicEventResponseStatus::Drop), "DROP"),
            (None, "SUCCESS"),
        ] {
            let (answers, mut sent) = mpsc::channel(1);
            let receiver = Arc::new(Receiver::new(answers, "bus", "t"));
            let delivery = tokio::spawn({
                let receiver = Arc::clone(&receiver);
                async move { receiver.deliver(request()).await }
            });
            let answer = sent.recv().await.expect("an event").expect("no error");
            let Some(Told::EventMessage(event)) = answer.subscribe_topic_events_response_type
            else {
                panic!("no event");
            };
            let status = status.map(|status| TopicEventResponse { status: status.into() });
            let said = |id: &str| runtime::SubscribeTopicEventsRequestProcessedAlpha1 {
                id: id.into(),
                status,
            };
            receiver.settle(said("another"));
            receiver.settle(said(&event.id));
            let response = delivery.await.expect("no panic");
            assert_eq!(response.body(), &format!(r#"{{"status":"{expected}"}}"#));
            assert!(receiver.waiting().is_empty());
        }
    }

    #[tokio::test]
    async fn without_a_caller_an_event_is_to_come_again() {
        let (answers, sent) = mpsc::channel(1);
        drop(sent);
        let response = Receiver::new(answers, "bus", "t").deliver(request()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn what_is_no_event_is_dropped() {
        let (answers, _sent) = mpsc::channel(1);
        let response = Receiver::new(answers, "bus", "t")
            .deliver(Request::new(Bytes::from_static(b"x")))
            .await;
        assert_eq!(response.body(), r#"{"status":"DROP"}"#);
    }
}
