//! Publishing, with a receiver that does nothing by itself.

mod bulk;

use std::time::Duration;

use trilby_dapr::Code;
use trilby_dapr::event::Event;

use super::queues::{QUEUE_BYTES_MAX, QUEUE_DEPTH_MAX};
use super::*;

fn broker(metadata: &[(&str, &str)]) -> Broker {
    let component = Component::for_test("bus", "pubsub.in-memory", metadata, 7);
    Broker::open(&component, "shop", Path::new("unused")).unwrap()
}

/// Receives in the place of deliveries that are not drained.
fn subscribe(broker: &Broker, topic: &str, backlog: Arc<Backlog>) -> Result<Events, Error> {
    broker.subscribe(topic, backlog, None, &CancellationToken::new())
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(5))
}

fn event(topic: &str, metadata: &[(&str, &str)]) -> Publish {
    Publish {
        pubsub: "bus".to_owned(),
        topic: topic.to_owned(),
        data: Bytes::from_static(b"hi"),
        content_type: None,
        metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

#[tokio::test]
async fn every_subscriber_gets_an_envelope_of_its_own() {
    let broker = broker(&[]);
    let backlog = Arc::new(Backlog::default());
    let mut first = subscribe(&broker, "placed", Arc::clone(&backlog)).unwrap();
    let mut wild = subscribe(&broker, "pl*", Arc::clone(&backlog)).unwrap();
    let mut other = subscribe(&broker, "other", Arc::clone(&backlog)).unwrap();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let cx = CallContext { traceparent: Some(trace.into()), ..cx() };
    broker.publish(&cx, event("placed", &[("k", "v")])).await.unwrap();
    assert_eq!(backlog.open(), 2);
    for events in [&mut first, &mut wild] {
        let message = events.recv().await.unwrap();
        let event = Event::parse(&message.data).unwrap();
        assert_eq!((event.source.as_str(), event.topic.as_str()), ("shop", "placed"));
        assert_eq!((event.pubsub.as_str(), event.data), ("bus", Bytes::from_static(b"hi")));
        assert_eq!(event.traceparent.as_deref(), Some(trace));
        assert_eq!(message.metadata.get("k").unwrap(), "v");
    }
    assert!(other.try_recv().is_none());
    backlog.settled().await;
}

#[tokio::test]
async fn a_raw_payload_travels_as_it_is() {
    let broker = broker(&[]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    broker.publish(&cx(), event("placed", &[("rawPayload", "true")])).await.unwrap();
    let message = events.recv().await.unwrap();
    assert_eq!(message.data, "hi");
    assert_eq!(message.metadata.len(), 1, "only what the publisher said: {:?}", message.metadata);
}

#[tokio::test]
async fn an_event_without_subscribers_is_gone() {
    let broker = broker(&[]);
    broker.publish(&cx(), event("placed", &[])).await.unwrap();
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    assert!(events.try_recv().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_waited_for_until_the_deadline() {
    let broker = broker(&[]);
    let mut slow = subscribe(&broker, "placed", Arc::default()).unwrap();
    let mut fast = subscribe(&broker, "*", Arc::default()).unwrap();
    for _ in 0..QUEUE_DEPTH_MAX {
        broker.publish(&cx(), event("placed", &[])).await.unwrap();
        fast.recv().await.unwrap();
    }
    let cx = cx();
    let error = broker.publish(&cx, event("placed", &[])).await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_QUEUE_FULL"));
    assert_eq!(cx.remaining(), Duration::ZERO);
    assert!(fast.try_recv().is_none(), "an event that is refused reaches nobody");
    // Other topics are not held up, and a free place is enough.
    broker.publish(&self::cx(), event("other", &[])).await.unwrap();
    let later = self::cx();
    let publish = broker.publish(&later, event("placed", &[]));
    let (published, received) = tokio::join!(publish, slow.recv());
    published.unwrap();
    assert!(received.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_bounded_in_bytes_until_events_are_settled() {
    let broker = broker(&[]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    let half = Bytes::from(vec![b'x'; QUEUE_BYTES_MAX as usize / 2]);
    let raw = || Publish { data: half.clone(), ..event("placed", &[("rawPayload", "true")]) };
    broker.publish(&cx(), raw()).await.unwrap();
    // What the publisher said beside the data counts too, so two do not fit.
    let cx = cx();
    let error = broker.publish(&cx, raw()).await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_QUEUE_FULL"));
    assert_eq!(cx.remaining(), Duration::ZERO);
    broker.publish(&self::cx(), event("placed", &[])).await.unwrap();
    // Taken from the queue it still counts, for it may wait for another try.
    let message = events.recv().await.unwrap();
    assert!(broker.publish(&self::cx(), raw()).await.is_err());
    let later = self::cx();
    let publish = broker.publish(&later, raw());
    let (published, ()) = tokio::join!(publish, async { drop(message) });
    published.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_larger_than_the_queue_goes_alone() {
    let broker = broker(&[]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    let data = Bytes::from(vec![b'x'; QUEUE_BYTES_MAX as usize + 1]);
    let large = Publish { data, ..event("placed", &[("rawPayload", "true")]) };
    broker.publish(&cx(), large).await.unwrap();
    assert!(broker.publish(&cx(), event("placed", &[])).await.is_err());
    drop(events.recv().await.unwrap());
    broker.publish(&cx(), event("placed", &[])).await.unwrap();
}

#[tokio::test]
async fn refusals_are_daprds() {
    let broker = broker(&[("allowedTopics", "placed"), ("subscriptionScopes", "shop=none")]);
    let cloud_event = Publish {
        content_type: Some("application/cloudevents+json".to_owned()),
        ..event("placed", &[])
    };
    let table = [
        (
            event("", &[]),
            Code::InvalidArgument,
            "DAPR_PUBSUB_TOPIC_NAME_EMPTY",
            "topic is empty in pubsub bus",
        ),
        (
            event("placed", &[("rawPayload", "maybe")]),
            Code::InvalidArgument,
            "DAPR_PUBSUB_METADATA_DESERIALIZATION",
            "failed deserializing metadata. Error: rawPayload value must be a valid boolean: \
             actual is 'maybe'",
        ),
        (
            cloud_event,
            Code::InvalidArgument,
            "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
            "cannot create cloudevent",
        ),
        (
            event("other", &[]),
            Code::PermissionDenied,
            "DAPR_PUBSUB_FORBIDDEN",
            "topic other is not allowed for app id shop",
        ),
    ];
    for (publish, code, reason, message) in table {
        let error = broker.publish(&cx(), publish).await.unwrap_err();
        assert_eq!((error.code, &*error.reason, &*error.message), (code, reason, message));
    }
    let error = subscribe(&broker, "placed", Arc::default()).unwrap_err().to_string();
    let expected = "c.yaml:7: subscription to topic 'placed' on pubsub 'bus' is not allowed";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn after_the_subscriptions_ended_an_event_is_refused() {
    let broker = broker(&[]);
    drop(subscribe(&broker, "placed", Arc::default()).unwrap());
    let error = broker.publish(&cx(), event("placed", &[])).await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::Internal, "DAPR_PUBSUB_PUBLISH_MESSAGE"));
    let expected = "error when publishing to topic placed in pubsub bus: component is closed";
    assert_eq!(error.message, expected);
}

#[test]
fn topics_match_by_name_or_prefix() {
    for (subscribed, published, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "ab", true),
        ("a*", "a", false),
        ("a*", "a*", true),
        ("*", "a", true),
        ("a*b", "aab", false),
    ] {
        assert_eq!(matches(subscribed, published), expected, "{subscribed} {published}");
    }
}
