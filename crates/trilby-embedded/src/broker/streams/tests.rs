//! Two brokers on one real Redis, as two processes have them.

use std::time::Duration;

use redis::Value;
use trilby_dapr::messaging::Publish;
use trilby_dapr::{CallContext, Code};

use super::*;
use crate::broker::Broker;
use crate::redis::tests::{Server, until_there};

fn open(server: &Server, app: &str, more: &[(&str, &str)]) -> Broker {
    let host = server.host();
    let metadata = [&[("redisHost", &*host)], more].concat();
    let component = Component::for_test("bus", "pubsub.redis", &metadata, 7);
    Broker::open(&component, app, "unused".as_ref()).unwrap()
}

fn plain(server: &Server) -> Redis {
    let component = Component::for_test("bus", "pubsub.redis", &[("redisHost", &server.host())], 7);
    Redis::open(&component).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

struct Subscribed {
    events: Events,
    backlog: Arc<Backlog>,
    draining: CancellationToken,
}

fn subscribe(broker: &Broker) -> Subscribed {
    let (backlog, draining) = (Arc::default(), CancellationToken::new());
    let events = broker.subscribe("placed", Arc::clone(&backlog), None, &draining).unwrap();
    Subscribed { events, backlog, draining }
}

async fn publish(broker: &Broker, data: &str) -> trilby_dapr::Result<()> {
    let publish = Publish {
        pubsub: "bus".to_owned(),
        topic: "placed".to_owned(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        content_type: None,
        metadata: [("rawPayload".to_owned(), "true".to_owned())].into(),
    };
    broker.publish(&CallContext::within(Duration::from_secs(30)), publish).await
}

impl Subscribed {
    async fn take(&mut self) -> (String, Message) {
        let message = tokio::time::timeout(Duration::from_secs(30), self.events.recv()).await;
        let message = message.unwrap().unwrap();
        (String::from_utf8(message.data.to_vec()).unwrap(), message)
    }
}

/// How many entries of the group nobody has acknowledged.
async fn pending(redis: &Redis, group: &str) -> u64 {
    let summary: Value =
        redis.query(soon(), redis::cmd("XPENDING").arg("placed").arg(group)).await.unwrap();
    let Value::Array(fields) = summary else { panic!("{summary:?}") };
    redis::from_redis_value(fields[0].clone()).unwrap()
}

/// Comes again soon.
const SOON: &[(&str, &str)] = &[("redeliverInterval", "50ms"), ("processingTimeout", "300ms")];

#[tokio::test]
async fn an_entry_has_daprds_fields_and_daprds_is_read() {
    let Some(server) = Server::start() else { return };
    let redis = plain(&server);
    until_there(&redis).await;
    let broker = open(&server, "shop", &[]);
    publish(&broker, "ours").await.unwrap();
    let range = redis::cmd("XRANGE").arg("placed").arg("-").arg("+").to_owned();
    let entries: Vec<(String, Vec<(String, String)>)> = redis.query(soon(), &range).await.unwrap();
    let mut fields = entries[0].1.clone();
    fields.sort();
    let expected = [("data", "ours"), ("metadata", r#"{"rawPayload":"true"}"#)];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    for fields in [
        &["data", "theirs", "metadata", r#"{"k":"v"}"#][..],
        &["metadata", "null", "data", "null"],
        &["data", "odd", "metadata", "[]"],
        &["other", "x"],
    ] {
        let add = redis::cmd("XADD").arg("placed").arg("*").arg(fields).to_owned();
        redis.query::<String>(soon(), &add).await.unwrap();
    }
    // A new group gets what was there before.
    let mut subscribed = subscribe(&broker);
    for (data, said) in [
        ("ours", Some("rawPayload")),
        ("theirs", Some("k")),
        ("null", None),
        ("odd", None),
        ("", None),
    ] {
        let (found, message) = subscribed.take().await;
        let names: Vec<_> = message.metadata.keys().map(String::as_str).collect();
        assert_eq!((found.as_str(), names), (data, said.into_iter().collect()));
        message.settle();
    }
    subscribed.backlog.settled().await;
    assert_eq!(pending(&redis, "shop").await, 0);
}

#[tokio::test]
async fn one_group_shares_events_and_another_has_its_own() {
    let Some(server) = Server::start() else { return };
    until_there(&plain(&server)).await;
    let brokers =
        [open(&server, "shop", &[]), open(&server, "shop", &[]), open(&server, "other", &[])];
    let [mut first, mut second, mut other] = [0, 1, 2].map(|n| subscribe(&brokers[n]));
    for n in 0..40 {
        publish(&brokers[2], &n.to_string()).await.unwrap();
    }
    let mut shared = Vec::new();
    while shared.len() < 40 {
        let (data, message) = tokio::select! {
            taken = first.take() => taken,
            taken = second.take() => taken,
        };
        shared.push(data.parse::<u32>().unwrap());
        message.settle();
    }
    shared.sort_unstable();
    assert_eq!(shared, (0..40).collect::<Vec<_>>());
    for n in 0..40 {
        assert_eq!(other.take().await.0, n.to_string());
    }
}

#[tokio::test]
async fn what_is_left_comes_again_and_what_is_in_hand_does_not() {
    let Some(server) = Server::start() else { return };
    let redis = plain(&server);
    until_there(&redis).await;
    let (broker, rival) = (open(&server, "shop", SOON), open(&server, "shop", SOON));
    let mut subscribed = subscribe(&broker);
    publish(&broker, "held").await.unwrap();
    publish(&broker, "left").await.unwrap();
    let (data, held) = subscribed.take().await;
    assert_eq!(data, "held");
    assert!(held.comes_again());
    // Left three times: its way leads back here, or to the other one of the group.
    let mut other = subscribe(&rival);
    let began = Instant::now();
    for _ in 0..3 {
        let (data, left) = tokio::select! {
            taken = subscribed.take() => taken,
            taken = other.take() => taken,
        };
        assert_eq!(data, "left");
        drop(left);
    }
    // By then the one in hand would have come again as well.
    assert!(began.elapsed() >= Duration::from_millis(600));
    let (_, left) = tokio::select! {
        taken = subscribed.take() => taken,
        taken = other.take() => taken,
    };
    left.settle();
    held.settle();
    subscribed.backlog.settled().await;
    other.backlog.settled().await;
    assert_eq!(pending(&redis, "shop").await, 0);
}

#[tokio::test]
async fn a_dead_letter_is_added_and_its_event_acknowledged() {
    let Some(server) = Server::start() else { return };
    let redis = plain(&server);
    until_there(&redis).await;
    let broker = open(&server, "shop", &[("maxLenApprox", "1000")]);
    let mut subscribed = subscribe(&broker);
    publish(&broker, "x").await.unwrap();
    let (_, message) = subscribed.take().await;
    assert_eq!(pending(&redis, "shop").await, 1);
    assert_eq!(broker.republish(message, "dead").unwrap(), 1);
    subscribed.backlog.settled().await;
    assert_eq!(pending(&redis, "shop").await, 0);
    let length: u64 = redis.query(soon(), redis::cmd("XLEN").arg("dead")).await.unwrap();
    assert_eq!(length, 1);
    // One that cannot be added keeps the event.
    redis.query::<()>(soon(), redis::cmd("SET").arg("taken").arg("x")).await.unwrap();
    publish(&broker, "y").await.unwrap();
    let (_, message) = subscribed.take().await;
    broker.republish(message, "taken").unwrap();
    subscribed.backlog.settled().await;
    assert_eq!(pending(&redis, "shop").await, 1);
}

#[tokio::test]
async fn without_redelivery_a_failure_is_the_end() {
    let Some(server) = Server::start() else { return };
    until_there(&plain(&server)).await;
    let broker = open(&server, "shop", &[("redeliverInterval", "0")]);
    let mut subscribed = subscribe(&broker);
    publish(&broker, "x").await.unwrap();
    assert!(!subscribed.take().await.1.comes_again());
}

#[tokio::test]
async fn nothing_new_is_fetched_while_draining() {
    let Some(server) = Server::start() else { return };
    until_there(&plain(&server)).await;
    let broker = open(&server, "shop", &[]);
    let (mut old, mut new) = (subscribe(&broker), subscribe(&broker));
    old.draining.cancel();
    // The first one may still come to the old one, whose call waits for it.
    for n in 0..20 {
        publish(&broker, &n.to_string()).await.unwrap();
    }
    for _ in 0..19 {
        new.take().await.1.settle();
    }
    old.events.close();
    assert!(new.backlog.issued() >= 19);
}

#[tokio::test]
async fn a_redis_that_was_away_is_found_again_and_its_absence_is_daprds_error() {
    let Some(mut server) = Server::start() else { return };
    let redis = plain(&server);
    until_there(&redis).await;
    let broker = open(&server, "shop", &[]);
    let mut subscribed = subscribe(&broker);
    publish(&broker, "before").await.unwrap();
    subscribed.take().await.1.settle();
    server.stop();
    let error = publish(&broker, "x").await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::Internal, "DAPR_PUBSUB_PUBLISH_MESSAGE"));
    let expected = "error when publishing to topic placed in pubsub bus: redis streams: error from \
                    publish: cannot reach Redis at 127.0.0.1:";
    assert!(error.message.starts_with(expected), "{error}");
    // It comes back empty, without the group.
    server.start_again();
    until_there(&redis).await;
    publish(&broker, "after").await.unwrap();
    assert_eq!(subscribed.take().await.0, "after");
}

/// Takes an event only together with others.
struct Together {
    at_once: tokio::sync::Barrier,
    taken: std::sync::atomic::AtomicUsize,
}

#[async_trait::async_trait]
impl trilby_dapr::Inbound for Together {
    async fn deliver(&self, _: http::Request<Bytes>) -> http::Response<Bytes> {
        self.at_once.wait().await;
        let before = self.taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // The first three fail, and come again.
        let status = if before < 3 { 500 } else { 200 };
        http::Response::builder().status(status).body(Bytes::new()).unwrap()
    }
}

#[tokio::test]
async fn several_are_delivered_at_the_same_time() {
    use crate::deliveries::{Sources, start};
    use trilby_dapr::subscription::{Subscription, Target};

    let Some(server) = Server::start() else { return };
    let redis = plain(&server);
    until_there(&redis).await;
    let more = [SOON, &[("concurrency", "3")]].concat();
    let broker = Arc::new(open(&server, "shop", &more));
    let app = Arc::new(Together {
        at_once: tokio::sync::Barrier::new(3),
        taken: std::sync::atomic::AtomicUsize::new(0),
    });
    let target = Target { path: "/e".to_owned(), deadline: Duration::from_secs(30) };
    let subscription = Subscription {
        pubsub: "bus".to_owned(),
        topic: "placed".to_owned(),
        rules: Vec::new(),
        default: Some(target),
        dead_letter_topic: None,
        bulk: None,
        metadata: [("rawPayload".to_owned(), "true".to_owned())].into(),
    };
    let sources =
        Sources { subscriptions: vec![(Arc::clone(&broker), subscription)], ..Sources::default() };
    let inbound = Arc::clone(&app) as Arc<dyn trilby_dapr::Inbound>;
    let deliveries = start(inbound, sources, None).unwrap();
    for n in 0..6 {
        publish(&broker, &n.to_string()).await.unwrap();
    }
    let patience = soon();
    while app.taken.load(std::sync::atomic::Ordering::SeqCst) < 9 {
        assert!(Instant::now() < patience);
        tokio::task::yield_now().await;
    }
    assert_eq!(deliveries.finish(Duration::from_secs(30)).await, 0);
    assert_eq!(pending(&redis, "shop").await, 0);
}
