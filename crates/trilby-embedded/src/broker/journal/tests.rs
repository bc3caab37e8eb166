//! Events that outlive their process: dropping a broker without settling is a crash here.

use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use trilby_dapr::messaging::{BulkEvent, Publish, PublishBulk};
use trilby_dapr::{CallContext, Code};

use super::*;
use crate::broker::Broker;
use crate::broker::queues::QUEUE_DEPTH_MAX;

fn open(folder: &TempDir) -> Broker {
    try_open(folder, &[("durable", "true")]).unwrap()
}

fn try_open(folder: &TempDir, metadata: &[(&str, &str)]) -> Result<Broker, String> {
    let component = Component::for_test("b/us", "pubsub.in-memory", metadata, 7);
    Broker::open(&component, "shop", folder.path()).map_err(|error| error.to_string())
}

fn subscribe(broker: &Broker, topic: &str, backlog: &Arc<Backlog>) -> Events {
    let (backlog, token) = (Arc::clone(backlog), CancellationToken::new());
    broker.subscribe(topic, backlog, None, &token).unwrap()
}

async fn publish(broker: &Broker, topic: &str, data: &str) -> trilby_dapr::Result<()> {
    let publish = Publish {
        pubsub: "bus".to_owned(),
        topic: topic.to_owned(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        content_type: None,
        metadata: [("rawPayload".to_owned(), "true".to_owned())].into(),
    };
    broker.publish(&CallContext::within(Duration::from_millis(500)), publish).await
}

async fn take(events: &mut Events) -> (String, Message) {
    let message = tokio::time::timeout(Duration::from_secs(30), events.recv()).await;
    let message = message.unwrap().unwrap();
    (String::from_utf8(message.data.to_vec()).unwrap(), message)
}

#[tokio::test]
async fn what_is_not_settled_comes_again_in_its_order() {
    let folder = TempDir::new().unwrap();
    let broker = open(&folder);
    let backlog = Arc::default();
    let mut events = subscribe(&broker, "placed", &backlog);
    for n in 0..6 {
        publish(&broker, "placed", &n.to_string()).await.unwrap();
    }
    let (first, settled) = take(&mut events).await;
    let (second, _left) = take(&mut events).await;
    let (third, also_settled) = take(&mut events).await;
    assert_eq!([first, second, third], ["0", "1", "2"]);
    settled.settle();
    also_settled.settle();
    // The events in the queue die with it.
    drop((broker, events));
    let broker = open(&folder);
    let backlog = Arc::default();
    let mut events = subscribe(&broker, "placed", &backlog);
    publish(&broker, "placed", "new").await.unwrap();
    for expected in ["1", "3", "4", "5", "new"] {
        let (data, message) = take(&mut events).await;
        assert_eq!(data, expected);
        assert_eq!((&*message.topic, message.metadata["rawPayload"].as_str()), ("placed", "true"));
        message.settle();
    }
    // A ticket is given back only once the event is out of the file.
    backlog.settled().await;
    drop((broker, events));
    let broker = open(&folder);
    let backlog = Arc::default();
    let mut events = subscribe(&broker, "placed", &backlog);
    publish(&broker, "placed", "last").await.unwrap();
    assert_eq!(take(&mut events).await.0, "last");
}

#[tokio::test]
async fn each_subscription_keeps_its_own_place() {
    let folder = TempDir::new().unwrap();
    let broker = open(&folder);
    let backlog = Arc::default();
    let mut all: Vec<_> = ["placed", "placed", "pl*", "other"]
        .map(|topic| subscribe(&broker, topic, &backlog))
        .into();
    publish(&broker, "placed", "x").await.unwrap();
    assert_eq!(backlog.open(), 3);
    // The second of the two is done, the others are not.
    take(&mut all[1]).await.1.settle();
    drop((broker, all));
    let broker = open(&folder);
    let backlog = Arc::default();
    let mut all: Vec<_> = ["placed", "placed", "pl*", "other"]
        .map(|topic| subscribe(&broker, topic, &backlog))
        .into();
    for topic in ["placed", "other"] {
        publish(&broker, topic, "y").await.unwrap();
    }
    for (events, expected) in all.iter_mut().zip([&["x", "y"][..], &["y"], &["x", "y"], &["y"]]) {
        for expected in expected {
            assert_eq!(take(events).await.0, *expected);
        }
        assert!(events.try_recv().is_none());
    }
}

#[tokio::test]
async fn what_one_subscription_leaves_comes_to_the_next() {
    let folder = TempDir::new().unwrap();
    let broker = open(&folder);
    let (old, new) = (Arc::<Backlog>::default(), Arc::<Backlog>::default());
    let mut events = subscribe(&broker, "placed", &old);
    publish(&broker, "placed", "in hand").await.unwrap();
    publish(&broker, "placed", "left").await.unwrap();
    let (data, in_hand) = take(&mut events).await;
    assert_eq!(data, "in hand");
    drop(events);
    let token = CancellationToken::new();
    let mut events = broker.subscribe("placed", Arc::clone(&new), Some(&old), &token).unwrap();
    publish(&broker, "placed", "new").await.unwrap();
    // What the old one still has in hand is not delivered twice.
    for expected in ["left", "new"] {
        assert_eq!(take(&mut events).await.0, expected);
    }
    in_hand.settle();
    old.settled().await;
}

#[tokio::test]
async fn a_dead_letter_takes_the_place_of_its_event() {
    let folder = TempDir::new().unwrap();
    let broker = open(&folder);
    let backlog = Arc::default();
    let mut events = subscribe(&broker, "placed", &backlog);
    publish(&broker, "placed", "1").await.unwrap();
    publish(&broker, "placed", "2").await.unwrap();
    // Nobody is there for it.
    assert_eq!(broker.republish(take(&mut events).await.1, "dead").unwrap(), 0);
    let mut dead = subscribe(&broker, "dead", &backlog);
    assert_eq!(broker.republish(take(&mut events).await.1, "dead").unwrap(), 1);
    let (data, message) = take(&mut dead).await;
    assert_eq!((data.as_str(), &*message.topic), ("2", "dead"));
    drop((broker, events, dead, message));
    let broker = open(&folder);
    let backlog = Arc::default();
    let (mut events, mut dead) =
        (subscribe(&broker, "placed", &backlog), subscribe(&broker, "dead", &backlog));
    assert_eq!(take(&mut dead).await.0, "2");
    publish(&broker, "placed", "3").await.unwrap();
    assert_eq!(take(&mut events).await.0, "3");
}

#[tokio::test]
async fn depth_is_bounded_over_restarts() {
    let folder = TempDir::new().unwrap();
    let fill = async |broker: &Broker| {
        let mut published = 0;
        let error = loop {
            match publish(broker, "placed", "x").await {
                Ok(()) => published += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_QUEUE_FULL"));
        published
    };
    let broker = open(&folder);
    let events = subscribe(&broker, "placed", &Arc::default());
    assert_eq!(fill(&broker).await, QUEUE_DEPTH_MAX);
    drop((broker, events));
    let broker = open(&folder);
    let mut events = subscribe(&broker, "placed", &Arc::default());
    // The bytes of what is left count at once, and the rest of the bound is for new events.
    let _first = take(&mut events).await;
    assert_eq!(fill(&broker).await, QUEUE_DEPTH_MAX);
}

#[tokio::test]
async fn events_of_one_call_keep_their_order_and_mistakes_are_told() {
    let folder = TempDir::new().unwrap();
    let broker = open(&folder);
    let mut events = subscribe(&broker, "placed", &Arc::default());
    let entry = |n: usize| BulkEvent {
        id: n.to_string(),
        data: Bytes::from(n.to_string()),
        content_type: None,
        metadata: Metadata::new(),
    };
    let bulk = PublishBulk {
        pubsub: "bus".to_owned(),
        topic: "placed".to_owned(),
        events: (0..300).map(entry).collect(),
        metadata: [("rawPayload".to_owned(), "true".to_owned())].into(),
    };
    let cx = CallContext::within(Duration::from_secs(30));
    assert_eq!(broker.publish_bulk(&cx, bulk).await.unwrap(), []);
    for n in 0..300 {
        assert_eq!(take(&mut events).await.0, n.to_string());
    }
    events.close();
    let error = publish(&broker, "placed", "x").await.unwrap_err();
    assert!(error.message.ends_with("component is closed"), "{error}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pubsub-b%2Fus.db");
    let durable: &[(&str, &str)] = &[("durable", "true")];
    let broker = open(&folder);
    let busy = format!(
        "component `b/us`: {} is in use by another process, which delivers its events; end that \
         one, or give this one another data folder",
        path.display()
    );
    assert_eq!(try_open(&folder, durable).unwrap_err(), busy);
    drop(broker);
    std::fs::write(&path, "notes, and not a database, ".repeat(100)).unwrap();
    let error = try_open(&folder, durable).unwrap_err();
    assert!(error.contains("is no SQLite database; move it away"), "{error}");
    let other = folder.path().join("own/events.db").display().to_string();
    drop(try_open(&folder, &[("durable", "yes"), ("path", &other)]).unwrap());
    assert!(folder.path().join("own/events.db").is_file());
    let error = try_open(&folder, &[("path", &other)]).unwrap_err();
    assert_eq!(
        error,
        "c.yaml:7: `path` is for a durable broker; add `durable` with the value `true`, or remove \
         `path`"
    );
}
