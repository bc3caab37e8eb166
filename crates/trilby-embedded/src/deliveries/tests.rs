//! Deliveries to a receiver that answers by a script, on paused time.

mod bulk;
mod changes;
mod dead_letters;
mod drain;
mod policies;
mod routes;
mod ticks;
mod topics;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use trilby_dapr::CallContext;
use trilby_dapr::subscription::Target;

use super::*;
use crate::component::Component;

/// What the receiver does with a delivery.
#[derive(Clone, Copy)]
enum Act {
    Answer(u16, &'static str),
    After(Duration, u16),
    Hang,
    Panic,
}

const OK: Act = Act::Answer(200, "");
const FAIL: Act = Act::Answer(500, "");

struct Seen {
    ms: u128,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

type Script = dyn Fn(&Seen, usize) -> Act + Send + Sync;

/// The script gets the delivery and how many there were before.
struct App {
    script: Box<Script>,
    started: Instant,
    seen: Mutex<Vec<Seen>>,
    at_once: AtomicUsize,
}

impl App {
    fn new(script: impl Fn(&Seen, usize) -> Act + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            started: Instant::now(),
            seen: Mutex::default(),
            at_once: AtomicUsize::new(0),
        })
    }

    fn times(&self) -> Vec<u128> {
        self.seen.lock().unwrap().iter().map(|seen| seen.ms).collect()
    }

    /// The data of the events, in the order of delivery.
    fn data(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let data = |seen: &Seen| Event::parse(&seen.body).unwrap().data.to_vec();
        seen.iter().map(|seen| String::from_utf8(data(seen)).unwrap()).collect()
    }
}

/// One delivery less, also when it is broken off.
struct Leaves<'a>(&'a AtomicUsize);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Inbound for App {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let before = self.at_once.fetch_add(1, Ordering::SeqCst);
        let _leaves = Leaves(&self.at_once);
        assert_eq!(before, 0, "two deliveries at once");
        let (head, body) = request.into_parts();
        let ms = self.started.elapsed().as_millis();
        let seen = Seen { ms, path: head.uri.to_string(), headers: head.headers, body };
        let act = {
            let mut all = self.seen.lock().unwrap();
            let act = (self.script)(&seen, all.len());
            all.push(seen);
            act
        };
        let (status, body) = match act {
            Act::Answer(status, body) => (status, body),
            Act::After(delay, status) => {
                tokio::time::sleep(delay).await;
                (status, "")
            }
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("as the test wants it"),
        };
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }
}

fn component(type_name: &str, metadata: &[(&str, &str)]) -> Component {
    Component::for_test("bus", type_name, metadata, 1)
}

fn broker() -> Arc<Broker> {
    broker_with(&[])
}

fn broker_with(metadata: &[(&str, &str)]) -> Arc<Broker> {
    let component = component("pubsub.in-memory", metadata);
    Arc::new(Broker::open(&component, "shop", Path::new("unused")).unwrap())
}

/// The receiver's. A delivery is broken off 5 s after twice of it.
const DEADLINE: Duration = Duration::from_secs(40);

fn subscribed(broker: &Arc<Broker>, path: &str) -> Vec<(Arc<Broker>, Subscription)> {
    vec![(Arc::clone(broker), subscription(path))]
}

fn subscription(path: &str) -> Subscription {
    Subscription {
        pubsub: "bus".into(),
        topic: "placed".into(),
        rules: vec![],
        default: Some(target(path)),
        dead_letter_topic: None,
        bulk: None,
        metadata: BTreeMap::new(),
    }
}

/// Starts subscriptions of one broker.
fn started_all<const N: usize>(
    app: &Arc<App>,
    broker: &Arc<Broker>,
    subscriptions: [Subscription; N],
) -> Deliveries {
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    let all = subscriptions.map(|subscription| (Arc::clone(broker), subscription));
    start(inbound, events(all.into()), None).unwrap()
}

fn target(path: &str) -> Target {
    Target { path: path.into(), deadline: DEADLINE }
}

fn events(subscriptions: Vec<(Arc<Broker>, Subscription)>) -> Sources {
    Sources { subscriptions, ..Sources::default() }
}

fn started(app: &Arc<App>, broker: &Arc<Broker>) -> Deliveries {
    started_instead(app, broker, None)
}

fn started_instead(
    app: &Arc<App>,
    broker: &Arc<Broker>,
    instead_of: Option<&Deliveries>,
) -> Deliveries {
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    start(inbound, events(subscribed(broker, "/events/placed")), instead_of).unwrap()
}

async fn publish(
    broker: &Broker,
    data: &str,
    metadata: &[(&str, &str)],
) -> trilby_dapr::Result<()> {
    publish_to(broker, "placed", data, metadata).await
}

async fn publish_to(
    broker: &Broker,
    topic: &str,
    data: &str,
    metadata: &[(&str, &str)],
) -> trilby_dapr::Result<()> {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let cx = CallContext::within(Duration::from_secs(1));
    let cx = CallContext { traceparent: Some(trace.into()), ..cx };
    let publish = Publish {
        pubsub: "bus".to_owned(),
        topic: topic.to_owned(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        content_type: None,
        metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    };
    broker.publish(&cx, publish).await
}

const MINUTES: Duration = Duration::from_secs(600);

fn ticking(app: &Arc<App>, schedule: &str) -> Deliveries {
    ticking_after(app, schedule, Arc::default())
}

/// Triggers by a clock that has been set back by so many milliseconds.
fn ticking_after(app: &Arc<App>, schedule: &str, back: Arc<AtomicI64>) -> Deliveries {
    let cron = Cron::open(&component("bindings.cron", &[("schedule", schedule)])).unwrap();
    let binding = InputBinding { name: "tick".into(), target: target("/tick") };
    let (began, now) = (Instant::now(), "2026-11-23T10:01:52Z".parse::<Timestamp>().unwrap());
    let clock = move || {
        let back = jiff::SignedDuration::from_millis(back.load(Ordering::SeqCst));
        now + jiff::SignedDuration::try_from(began.elapsed()).unwrap() - back
    };
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    let sources = Sources { bindings: vec![(Arc::new(cron), binding)], ..Sources::default() };
    start_at(Arc::new(clock), inbound, sources, None).unwrap()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test]
async fn a_path_that_is_none_is_refused() {
    for path in ["", "no-slash", "/a b", "http://elsewhere/"] {
        let app = App::new(|_, _| OK);
        let error = start(app, events(subscribed(&broker(), path)), None).unwrap_err().to_string();
        assert!(
            error.contains(&format!("component `bus`: `{path}` is no path of a URL")),
            "{error}"
        );
    }
}

#[test]
fn without_a_runtime_nothing_starts() {
    struct Nobody;
    #[async_trait]
    impl Inbound for Nobody {
        async fn deliver(&self, _: Request<Bytes>) -> Response<Bytes> {
            Response::default()
        }
    }
    let error = start(Arc::new(Nobody), events(subscribed(&broker(), "/e")), None).unwrap_err();
    assert!(error.to_string().contains("start the embedded runtime on a tokio runtime"));
}
