//! Several events in one call.

use trilby_dapr::messaging::{BulkEvent, FailedEvent, PublishBulk};

use super::*;

fn entry(id: &str, data: &'static str, metadata: &[(&str, &str)]) -> BulkEvent {
    BulkEvent {
        id: id.to_owned(),
        data: Bytes::from_static(data.as_bytes()),
        content_type: None,
        metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

fn bulk(events: Vec<BulkEvent>, metadata: &[(&str, &str)]) -> PublishBulk {
    let Publish { pubsub, topic, metadata, .. } = event("placed", metadata);
    PublishBulk { pubsub, topic, events, metadata }
}

#[tokio::test]
async fn each_event_has_an_envelope_of_its_own() {
    let broker = broker(&[]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    let json = BulkEvent {
        content_type: Some("application/json".to_owned()),
        ..entry("1", "[1]", &[("cloudevent.id", "own"), ("k", "mine")])
    };
    let request = bulk(vec![json, entry("2", "text", &[])], &[("k", "all"), ("j", "all")]);
    assert_eq!(broker.publish_bulk(&cx(), request).await.unwrap(), []);
    let first = events.recv().await.unwrap();
    let event = Event::parse(&first.data).unwrap();
    assert_eq!((event.id.as_str(), &event.data[..]), ("own", &b"[1]"[..]));
    assert_eq!(event.data_content_type.as_deref(), Some("application/json"));
    assert_eq!((event.topic.as_str(), event.pubsub.as_str()), ("placed", "bus"));
    let said = |message: &Message, name: &str| message.metadata.get(name).cloned().unwrap();
    assert_eq!((said(&first, "k"), said(&first, "j")), ("mine".into(), "all".into()));
    let second = events.recv().await.unwrap();
    let event = Event::parse(&second.data).unwrap();
    assert_eq!(event.data_content_type.as_deref(), Some("text/plain"));
    assert_eq!(said(&second, "k"), "all");
}

#[tokio::test]
async fn the_call_decides_whether_payloads_are_raw() {
    let broker = broker(&[]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    let request = bulk(vec![entry("1", "as it is", &[])], &[("rawPayload", "true")]);
    broker.publish_bulk(&cx(), request).await.unwrap();
    assert_eq!(events.recv().await.unwrap().data, "as it is");
    let request = bulk(vec![entry("1", "x", &[("rawPayload", "true")])], &[]);
    broker.publish_bulk(&cx(), request).await.unwrap();
    assert_eq!(Event::parse(&events.recv().await.unwrap().data).unwrap().data, "x");
}

#[tokio::test]
async fn a_mistake_refuses_all_events() {
    let broker = broker(&[("allowedTopics", "placed")]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    let cloud_event = BulkEvent {
        content_type: Some("application/cloudevents+json".to_owned()),
        ..entry("2", "no object", &[])
    };
    let (first, twice) = (|| entry("1", "x", &[]), "DAPR_PUBSUB_MARSHAL_EVENTS");
    let forbidden = PublishBulk { topic: "other".to_owned(), ..bulk(vec![first()], &[]) };
    let empty = PublishBulk { topic: String::new(), ..bulk(vec![first()], &[]) };
    let maybe = bulk(vec![first()], &[("rawPayload", "maybe")]);
    let table = [
        (bulk(vec![first(), first()], &[]), Code::InvalidArgument, twice),
        (bulk(vec![first(), entry("", "x", &[])], &[]), Code::InvalidArgument, twice),
        (
            bulk(vec![first(), cloud_event], &[]),
            Code::InvalidArgument,
            "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
        ),
        (forbidden, Code::PermissionDenied, "DAPR_PUBSUB_FORBIDDEN"),
        (empty, Code::InvalidArgument, "DAPR_PUBSUB_TOPIC_NAME_EMPTY"),
        (maybe, Code::InvalidArgument, "DAPR_PUBSUB_METADATA_DESERIALIZATION"),
    ];
    for (request, code, reason) in table {
        let error = broker.publish_bulk(&cx(), request).await.unwrap_err();
        assert_eq!((error.code, &*error.reason), (code, reason), "{error}");
    }
    assert!(events.try_recv().is_none());
    let error = broker.publish_bulk(&cx(), bulk(vec![first(), first()], &[])).await.unwrap_err();
    let expected = "error marshaling events to bytes for topic placed pubsub bus. error: entryId \
                    is duplicated or not present for entry";
    assert_eq!(error.message, expected);
}

#[tokio::test(start_paused = true)]
async fn events_that_find_no_room_are_named() {
    let broker = broker(&[]);
    let mut events = subscribe(&broker, "placed", Arc::default()).unwrap();
    for _ in 0..QUEUE_DEPTH_MAX - 1 {
        broker.publish(&cx(), event("placed", &[])).await.unwrap();
    }
    let all = vec![entry("a", "x", &[]), entry("b", "x", &[]), entry("c", "x", &[])];
    let cx = cx();
    let failed = broker.publish_bulk(&cx, bulk(all, &[])).await.unwrap();
    let ids: Vec<_> = failed.iter().map(|failed: &FailedEvent| failed.id.as_str()).collect();
    assert_eq!(ids, ["b", "c"]);
    assert!(failed[0].error.contains("the queue of a subscriber is full"), "{failed:?}");
    assert_eq!(cx.remaining(), Duration::ZERO);
    events.close();
    let failed = broker.publish_bulk(&self::cx(), bulk(vec![entry("d", "x", &[])], &[])).await;
    assert!(failed.unwrap()[0].error.ends_with("component is closed"));
}
