//! Subscriptions and watches over streams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::subscription::{Bulk, ConfigurationWatch, Subscription, Target};
use trilby_dapr::{Inbound, Metadata};

use super::fake::{Daemon, Fake, TopicSession, WatchSession, pair};
use crate::{Sidecar, Streams};
use runtime::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Sent;
use runtime::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Received;

/// A delivery, and how to answer it.
type Delivery = (Request<Bytes>, oneshot::Sender<Response<Bytes>>);

/// An app whose answers the test gives.
struct App(mpsc::UnboundedSender<Delivery>);

#[async_trait::async_trait]
impl Inbound for App {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (answer, answered) = oneshot::channel();
        self.0.send((request, answer)).expect("the test goes on");
        answered.await.expect("the test answers")
    }
}

struct Test {
    fake: Arc<Fake>,
    sidecar: Sidecar,
    topics: mpsc::UnboundedReceiver<TopicSession>,
    watches: mpsc::UnboundedReceiver<WatchSession>,
    app: Arc<App>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    _daemon: Daemon,
}

impl Test {
    async fn new() -> Self {
        let (fake, sidecar, _daemon) = pair(&[]).await;
        let (opened, topics) = mpsc::unbounded_channel();
        *fake.topics.lock().unwrap() = Some(opened);
        let (opened, watches) = mpsc::unbounded_channel();
        *fake.watches.lock().unwrap() = Some(opened);
        let (app, deliveries) = mpsc::unbounded_channel();
        Self { fake, sidecar, topics, watches, app: Arc::new(App(app)), deliveries, _daemon }
    }

    fn subscribe(&self, subscription: Subscription) -> Streams {
        self.sidecar.subscribe(Arc::clone(&self.app) as _, vec![subscription], vec![])
    }

    /// The next stream that is opened, which is acknowledged.
    async fn open(&mut self) -> TopicSession {
        let session = self.topics.recv().await.expect("opens");
        let initial = runtime::SubscribeTopicEventsResponseInitialAlpha1 {};
        session.send(Received::InitialResponse(initial)).await;
        session
    }

    async fn delivery(&mut self) -> Delivery {
        self.deliveries.recv().await.expect("delivers")
    }
}

impl TopicSession {
    async fn send(&self, message: Received) {
        let message = runtime::SubscribeTopicEventsResponseAlpha1 {
            subscribe_topic_events_response_type: Some(message),
        };
        self.events.send(Ok(message)).await.expect("is open");
    }

    async fn event(&self, id: &str) {
        let event = runtime::TopicEventRequest {
            id: id.into(),
            source: "shop".into(),
            r#type: "placed".into(),
            spec_version: "1.0".into(),
            data_content_type: "application/json".into(),
            data: r#"{"n":1}"#.into(),
            topic: "t".into(),
            pubsub_name: "bus".into(),
            ..runtime::TopicEventRequest::default()
        };
        self.send(Received::EventMessage(event)).await;
    }

    /// The id and the status of the next outcome; `None` at the end of the stream.
    async fn reply(&mut self) -> Option<(String, i32)> {
        let message = self.replies.message().await.ok()??;
        match message.subscribe_topic_events_request_type {
            Some(Sent::EventProcessed(reply)) => Some((reply.id, reply.status?.status)),
            other => panic!("{other:?}"),
        }
    }
}

const SUCCESS: i32 = 0;
const RETRY: i32 = 1;
const DROP: i32 = 2;

fn topic() -> Subscription {
    let target = Target { path: "/orders".into(), deadline: Duration::from_secs(5) };
    Subscription {
        pubsub: "bus".into(),
        topic: "t".into(),
        rules: vec![],
        default: Some(target),
        dead_letter_topic: Some("dead".into()),
        bulk: None,
        metadata: Metadata::from([("rawPayload".to_owned(), "true".to_owned())]),
    }
}

fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

#[tokio::test]
async fn events_are_delivered_and_their_outcomes_told_in_any_order() {
    let mut test = Test::new().await;
    let _streams = test.subscribe(topic());
    let mut session = test.open().await;
    assert_eq!(
        (session.initial.pubsub_name.as_str(), session.initial.topic.as_str()),
        ("bus", "t")
    );
    assert_eq!(session.initial.dead_letter_topic.as_deref(), Some("dead"));
    assert_eq!(session.initial.metadata["rawPayload"], "true");
    let table = [
        (200, "", SUCCESS),
        (404, "", DROP),
        (500, "", RETRY),
        (200, r#"{"status":"DROP"}"#, DROP),
    ];
    let mut open = Vec::new();
    for (number, _) in table.iter().enumerate() {
        session.event(&number.to_string()).await;
        let (request, tell) = test.delivery().await;
        assert_eq!(request.uri(), "/orders");
        assert_eq!(request.headers()["content-type"], "application/cloudevents+json");
        let envelope: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(envelope["id"], number.to_string());
        assert_eq!(envelope["data"]["n"], 1);
        open.push(tell);
    }
    for (number, tell) in open.into_iter().enumerate().rev() {
        let (status, body, expected) = table[number];
        tell.send(answer(status, body)).expect("waits");
        assert_eq!(session.reply().await, Some((number.to_string(), expected)));
    }
}

#[tokio::test]
async fn a_bulk_route_gets_a_list_of_one() {
    let mut test = Test::new().await;
    let _streams = test.subscribe(Subscription { bulk: Some(Bulk::default()), ..topic() });
    let mut session = test.open().await;
    session.event("e").await;
    let (request, tell) = test.delivery().await;
    assert_eq!(request.headers()["content-type"], "application/json");
    let list: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(list["entries"][0]["entryId"], "e");
    assert_eq!(list["entries"][0]["event"]["data"]["n"], 1);
    let statuses = r#"{"statuses":[{"entryId":"e","status":"RETRY"}]}"#;
    tell.send(answer(200, statuses)).expect("waits");
    assert_eq!(session.reply().await, Some(("e".into(), RETRY)));
}

#[tokio::test]
async fn an_event_that_nobody_wants_is_a_dead_letter_or_done_with() {
    for (dead_letter_topic, status) in [(Some("dead".to_owned()), DROP), (None, SUCCESS)] {
        let mut test = Test::new().await;
        let wanted = Subscription { default: None, dead_letter_topic, ..topic() };
        let _streams = test.subscribe(wanted);
        let mut session = test.open().await;
        session.event("e").await;
        assert_eq!(session.reply().await, Some(("e".into(), status)));
    }
}

#[tokio::test]
async fn so_many_events_are_in_flight_and_no_more() {
    let mut test = Test::new().await;
    let _streams = test.subscribe(topic());
    let mut session = test.open().await;
    for number in 0..20 {
        session.event(&number.to_string()).await;
    }
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(test.delivery().await);
    }
    // The others come only as places become free, and then they do.
    for _ in 0..4 {
        assert!(test.deliveries.try_recv().is_err());
        let (_, tell) = open.pop().expect("in flight");
        tell.send(answer(200, "")).expect("waits");
        session.reply().await.expect("told");
        open.push(test.delivery().await);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_opened_again() {
    let mut test = Test::new().await;
    let _streams = test.subscribe(topic());
    let session = test.open().await;
    session.event("lost").await;
    let (_, tell) = test.delivery().await;
    session.events.send(Err(Status::unavailable("going away"))).await.expect("is open");
    drop(session);
    let mut session = test.open().await;
    // What was in flight ends, but its outcome belongs to a stream that is no more.
    tell.send(answer(200, "")).expect("goes on");
    session.event("again").await;
    let (_, tell) = test.delivery().await;
    tell.send(answer(200, "")).expect("waits");
    assert_eq!(session.reply().await, Some(("again".into(), SUCCESS)));
}

#[tokio::test]
async fn a_drain_tells_what_is_in_flight_and_takes_nothing_new() {
    let mut test = Test::new().await;
    let streams = test.subscribe(topic());
    let mut session = test.open().await;
    session.event("a").await;
    let (_, tell) = test.delivery().await;
    streams.begin_drain();
    let finish = tokio::spawn(streams.finish(Duration::from_secs(60)));
    session.event("b").await;
    tell.send(answer(200, "")).expect("waits");
    assert_eq!(session.reply().await, Some(("a".into(), SUCCESS)));
    assert_eq!(session.reply().await, None, "half-closed");
    // daprd ends the stream after that.
    drop(session);
    assert_eq!(finish.await.expect("no panic"), 0);
    assert!(test.deliveries.try_recv().is_err());
}

#[tokio::test]
async fn a_drain_has_a_bound() {
    let mut test = Test::new().await;
    let streams = test.subscribe(topic());
    let session = test.open().await;
    session.event("a").await;
    let (_, tell) = test.delivery().await;
    assert_eq!(streams.finish(Duration::from_millis(10)).await, 1);
    // The delivery is broken off.
    let mut tell = tell;
    tell.closed().await;
}

#[tokio::test]
async fn a_dropped_subscription_ends_its_stream() {
    let mut test = Test::new().await;
    let streams = test.subscribe(topic());
    let mut session = test.open().await;
    drop(streams);
    assert_eq!(session.reply().await, None);
}

#[tokio::test]
async fn changes_of_configuration_are_delivered_in_order() {
    let mut test = Test::new().await;
    let watch = ConfigurationWatch {
        store: "c".into(),
        key: Some("k".into()),
        deadline: Duration::from_secs(5),
    };
    let inbound = Arc::clone(&test.app) as _;
    let streams = test.sidecar.subscribe(inbound, vec![], vec![watch]);
    let session = test.watches.recv().await.expect("opens");
    assert_eq!(
        (session.request.store_name.as_str(), session.request.keys),
        ("c", vec!["k".to_owned()])
    );
    let message = |items: &[(&str, &str)]| runtime::SubscribeConfigurationResponse {
        id: "1".into(),
        items: items
            .iter()
            .map(|(key, value)| {
                let item = common::ConfigurationItem { value: (*value).into(), ..<_>::default() };
                ((*key).to_owned(), item)
            })
            .collect(),
    };
    for items in [&[][..], &[("b", "1"), ("a", "2")], &[("a", "")]] {
        session.changes.send(Ok(message(items))).await.expect("is open");
    }
    for (path, value) in [("a", "2"), ("b", "1"), ("a", "")] {
        let (request, tell) = test.delivery().await;
        assert_eq!(request.uri().path(), format!("/configuration/c/{path}"));
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body["items"][path]["value"], value);
        assert!(test.deliveries.try_recv().is_err(), "one after the other");
        tell.send(answer(500, "")).expect("waits");
    }
    drop(session.changes);
    let session = test.watches.recv().await.expect("opens again");
    session.changes.send(Ok(message(&[]))).await.expect("is open");
    assert_eq!(streams.finish(Duration::from_secs(60)).await, 0);
}

#[tokio::test]
async fn a_refusal_is_no_end() {
    let mut test = Test::new().await;
    test.fake.will_fail(Status::unavailable("not yet"));
    let _streams = test.subscribe(topic());
    test.open().await;
    test.fake.will_fail(Status::unknown("pubsub \"nope\" not found"));
    let refused = test.subscribe(Subscription { pubsub: "nope".into(), ..topic() });
    // It was asked once, and waits long before it asks again; a drain does not wait for that.
    while test.fake.failure_is_pending() {
        tokio::task::yield_now().await;
    }
    assert_eq!(refused.finish(Duration::from_secs(60)).await, 0);
    assert!(test.topics.try_recv().is_err());
}
