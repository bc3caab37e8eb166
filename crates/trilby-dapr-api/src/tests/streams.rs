//! Streams of the gRPC API.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tonic::{Code, Streaming};
use trilby_dapr::proto::runtime::v1 as runtime;

use runtime::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked;
use runtime::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told;
use runtime::topic_event_response::TopicEventResponseStatus;

use super::world::{Given, World};

type Answers = Streaming<runtime::SubscribeTopicEventsResponseAlpha1>;

struct Subscriber {
    asks: mpsc::Sender<runtime::SubscribeTopicEventsRequestAlpha1>,
    answers: Answers,
}

impl Subscriber {
    async fn open(world: &World, pubsub: &str, topic: &str) -> Result<Self, tonic::Status> {
        let (asks, mut asked) = mpsc::channel(8);
        let initial = runtime::SubscribeTopicEventsRequestInitialAlpha1 {
            pubsub_name: pubsub.into(),
            topic: topic.into(),
            ..<_>::default()
        };
        asks.send(request(Asked::InitialRequest(initial))).await.unwrap();
        let asked = futures_util::stream::poll_fn(move |context| asked.poll_recv(context));
        let mut rpc = world.rpc().await;
        let mut answers = rpc.subscribe_topic_events_alpha1(asked).await?.into_inner();
        let first = answers.message().await?.and_then(|it| it.subscribe_topic_events_response_type);
        assert!(matches!(first, Some(Told::InitialResponse(_))), "{first:?}");
        Ok(Self { asks, answers })
    }

    async fn event(&mut self) -> runtime::TopicEventRequest {
        let answer = self.answers.message().await.unwrap().expect("not the end");
        match answer.subscribe_topic_events_response_type {
            Some(Told::EventMessage(event)) => event,
            other => panic!("no event: {other:?}"),
        }
    }

    async fn settle(&self, id: &str, status: TopicEventResponseStatus) {
        let processed = runtime::SubscribeTopicEventsRequestProcessedAlpha1 {
            id: id.into(),
            status: Some(runtime::TopicEventResponse { status: status.into() }),
        };
        self.asks.send(request(Asked::EventProcessed(processed))).await.unwrap();
    }
}

fn request(asked: Asked) -> runtime::SubscribeTopicEventsRequestAlpha1 {
    runtime::SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(asked) }
}

async fn publish(world: &World, data: &'static str) {
    let request = runtime::PublishEventRequest {
        pubsub_name: "pubsub".into(),
        topic: "t".into(),
        data: Bytes::from_static(data.as_bytes()),
        data_content_type: "application/json".into(),
        ..runtime::PublishEventRequest::default()
    };
    world.rpc().await.publish_event(request).await.unwrap();
}

#[tokio::test]
async fn events_come_over_a_stream_until_they_are_settled() {
    let world = World::start(Given::default()).await;
    let mut subscriber = Subscriber::open(&world, "pubsub", "t").await.unwrap();
    publish(&world, r#"{"n":1}"#).await;
    let event = subscriber.event().await;
    assert_eq!((event.data.as_ref(), &*event.topic), (r#"{"n":1}"#.as_bytes(), "t"));
    assert_eq!((&*event.source, &*event.path), ("a1", "/"));
    subscriber.settle(&event.id, TopicEventResponseStatus::Retry).await;
    let again = subscriber.event().await;
    assert_eq!(again.id, event.id);
    subscriber.settle(&again.id, TopicEventResponseStatus::Success).await;
    publish(&world, "2").await;
    assert_eq!(subscriber.event().await.data, "2");
}

#[tokio::test]
async fn a_half_close_ends_the_subscription() {
    let world = World::start(Given::default()).await;
    let Subscriber { asks, mut answers } = Subscriber::open(&world, "pubsub", "t").await.unwrap();
    drop(asks);
    assert!(answers.message().await.unwrap().is_none());
    // Nobody is there to fill a queue for.
    publish(&world, "1").await;
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused() {
    let world = World::start(Given::default()).await;
    for (pubsub, topic, code) in [
        ("nope", "t", Code::InvalidArgument),
        ("", "t", Code::Unknown),
        ("pubsub", "", Code::Unknown),
    ] {
        let refused = Subscriber::open(&world, pubsub, topic).await.err().expect("refused");
        assert_eq!(refused.code(), code, "{refused}");
    }
}

#[tokio::test]
async fn a_drain_brings_what_was_accepted_and_ends_streams() {
    let world = World::start(Given::default()).await;
    let mut subscriber = Subscriber::open(&world, "pubsub", "t").await.unwrap();
    publish(&world, "1").await;
    publish(&world, "2").await;
    let World { api, .. } = world;
    let finished = tokio::spawn(api.finish(Duration::from_secs(20)));
    for data in ["1", "2"] {
        let event = subscriber.event().await;
        assert_eq!(event.data, data);
        subscriber.settle(&event.id, TopicEventResponseStatus::Success).await;
    }
    let end = subscriber.answers.next().await.expect("an end").unwrap_err();
    assert_eq!((end.code(), end.message()), (Code::Unavailable, "api server closed"));
    assert_eq!(finished.await.unwrap(), 0);
}

#[tokio::test]
async fn a_store_that_is_not_there_has_no_changes() {
    let world = World::start(Given::default()).await;
    let mut rpc = world.rpc().await;
    let request = runtime::SubscribeConfigurationRequest {
        store_name: "nope".into(),
        ..runtime::SubscribeConfigurationRequest::default()
    };
    let refused = rpc.subscribe_configuration(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn encryption_asks_for_its_options_first() {
    let world = World::start(Given::default()).await;
    let mut rpc = world.rpc().await;
    let none = futures_util::stream::iter([runtime::EncryptRequest::default()]);
    let refused = rpc.encrypt_alpha1(none).await.unwrap_err();
    let text = "invalid request: first message does not contain the required options";
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, text));
    let options = runtime::EncryptRequestOptions {
        component_name: "c".into(),
        key_name: "k".into(),
        key_wrap_algorithm: "A256KW".into(),
        ..runtime::EncryptRequestOptions::default()
    };
    let request = runtime::EncryptRequest { options: Some(options), payload: None };
    let refused = rpc.encrypt_alpha1(futures_util::stream::iter([request])).await.unwrap_err();
    assert_eq!(refused.message(), "crypto providers not configured");
}
