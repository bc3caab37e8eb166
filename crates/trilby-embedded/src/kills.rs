//! Kill -9 in the midst of writes: what was acknowledged is there, and no transaction is torn.
//!
//! The child is this same program, which runs one of its tests with [`FOLDER`] set. It publishes to a
//! durable broker and writes transactions, all the time, and prints each that was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use trilby_dapr::event::Event;
use trilby_dapr::messaging::{Publish, Pubsub as _};
use trilby_dapr::state::{GetState, State as _, StateItem, StateOperation, TransactState};
use trilby_dapr::subscription::{Subscription, Target};
use trilby_dapr::{CallContext, Inbound};

use crate::{Deliveries, Options, Runtime};

/// Processes that are killed.
const KILLS: usize = 220;

/// Writers in each of them, of either kind.
const WRITERS: usize = 4;

/// Keys that each transaction writes, all with the same value.
const KEYS: [&str; 3] = ["a", "b", "c"];

/// The variable that makes a process the child, and says where it writes.
const FOLDER: &str = "TRILBY_KILLS_FOLDER";

/// The variable with the first number that the child's writers count from.
const FIRST: &str = "TRILBY_KILLS_FIRST";

const COMPONENTS: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: bus
spec:
  type: pubsub.in-memory
  version: v1
  metadata:
  - name: durable
    value: \"true\"
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.sqlite
  version: v1
  metadata:
  - name: connectionString
    value: FOLDER/state.db
";

/// Settles nothing, or takes down what comes.
#[derive(Default)]
struct App {
    settles: bool,
    /// Numbers of events by their writer, in the order of coming.
    seen: Mutex<BTreeMap<usize, Vec<usize>>>,
}

#[async_trait]
impl Inbound for App {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        if !self.settles {
            return std::future::pending().await;
        }
        let data = Event::parse(request.body()).unwrap().data;
        let text = std::str::from_utf8(&data).unwrap();
        let (writer, number) = text.split_once(' ').unwrap();
        let mut seen = self.seen.lock().unwrap();
        seen.entry(writer.parse().unwrap()).or_default().push(number.parse().unwrap());
        Response::default()
    }
}

fn open(folder: &Path) -> Arc<Runtime> {
    let components = folder.join("components");
    std::fs::create_dir_all(&components).unwrap();
    let text = COMPONENTS.replace("FOLDER", folder.to_str().unwrap());
    std::fs::write(components.join("all.yaml"), text).unwrap();
    let options = Options {
        app_id: "app".to_owned(),
        components: vec![components],
        configuration: None,
        defaults: Vec::new(),
        data_dir: folder.join("data"),
        env: BTreeMap::new(),
        apps: BTreeMap::new(),
    };
    Arc::new(Runtime::open(options).unwrap())
}

fn start(runtime: &Runtime, app: &Arc<App>) -> Deliveries {
    let target = Target { path: "/e".to_owned(), deadline: Duration::from_secs(600) };
    let subscription = Subscription {
        pubsub: "bus".to_owned(),
        topic: "t".to_owned(),
        rules: Vec::new(),
        default: Some(target),
        dead_letter_topic: None,
        bulk: None,
        metadata: BTreeMap::new(),
    };
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    runtime.start(inbound, vec![subscription], Vec::new(), None).unwrap()
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(60))
}

async fn publish(runtime: &Runtime, writer: usize, number: usize) {
    let publish = Publish {
        pubsub: "bus".to_owned(),
        topic: "t".to_owned(),
        data: format!("{writer} {number}").into(),
        ..Publish::default()
    };
    runtime.publish(&cx(), publish).await.unwrap();
}

async fn transact(runtime: &Runtime, writer: usize, number: usize) {
    let upsert = |key: &&str| {
        StateOperation::Upsert(StateItem {
            key: format!("{key}{writer}"),
            value: number.to_string().into(),
            ..StateItem::default()
        })
    };
    let operations = KEYS.iter().map(upsert).collect();
    let transact = TransactState { store: "store".to_owned(), operations, ..Default::default() };
    runtime.transact_state(&cx(), transact).await.unwrap();
}

/// The child, in a process that is one; else there is nothing to do.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    tokio.unwrap().block_on(async {
        let runtime = open(Path::new(&folder));
        let _deliveries = start(&runtime, &Arc::default());
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let own = Arc::clone(&runtime);
            writers.spawn(async move {
                for number in first.. {
                    publish(&own, writer, number).await;
                    say(&format!("p {writer} {number}\n"));
                }
            });
            let own = Arc::clone(&runtime);
            writers.spawn(async move {
                for number in first.. {
                    transact(&own, writer, number).await;
                    say(&format!("t {writer} {number}\n"));
                }
            });
        }
        // Until it is killed.
        writers.join_all().await;
    });
}

/// In one write, so that lines do not mix.
fn say(line: &str) {
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

/// Runs a child until it has acknowledged so many writes, kills it, and says which it acknowledged.
fn killed(folder: &Path, first: usize, writes: usize) -> Vec<(char, usize, usize)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::child", "--nocapture", "--quiet"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    let is_write = |line: &str| line.starts_with("p ") || line.starts_with("t ");
    while text.lines().filter(|line| is_write(line)).count() < writes {
        assert_ne!(output.read_line(&mut text).unwrap(), 0, "the child ended: {text}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before its end counts, too, but for half a line.
    output.read_to_string(&mut text).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let acknowledged = whole.lines().filter(|line| is_write(line)).map(|line| {
        let mut parts = line[2..].split(' ').map(|part| part.parse().unwrap());
        (line.chars().next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    });
    acknowledged.collect()
}

/// The keys of each writer have one value, which is not older than the last acknowledged.
async fn check_state(folder: &Path, last: &[Option<usize>; WRITERS]) {
    let runtime = open(folder);
    for (writer, last) in last.iter().enumerate() {
        let mut values = BTreeSet::new();
        for key in KEYS {
            let (store, key) = ("store".to_owned(), format!("{key}{writer}"));
            let get = GetState { store, key, ..GetState::default() };
            let value = runtime.get_state(&cx(), get).await.unwrap().data;
            let text = std::str::from_utf8(&value).unwrap();
            values.insert((!text.is_empty()).then(|| text.parse::<usize>().unwrap()));
        }
        assert_eq!(values.len(), 1, "a torn transaction of writer {writer}: {values:?}");
        assert!(values.first().unwrap() >= last, "writer {writer} lost {last:?}: {values:?}");
    }
}

/// Every event that was acknowledged comes, and those of one writer in their order.
async fn check_events(folder: &Path, published: &[Vec<usize>; WRITERS]) {
    let runtime = open(folder);
    let app = Arc::new(App { settles: true, ..App::default() });
    let deliveries = start(&runtime, &app);
    assert_eq!(deliveries.finish(Duration::from_secs(60)).await, 0);
    let seen = std::mem::take(&mut *app.seen.lock().unwrap());
    for (writer, published) in published.iter().enumerate() {
        let seen = seen.get(&writer).cloned().unwrap_or_default();
        assert!(seen.is_sorted_by(|a, b| a < b), "out of order: {seen:?}");
        let seen: BTreeSet<_> = seen.into_iter().collect();
        let lost: Vec<_> = published.iter().filter(|number| !seen.contains(number)).collect();
        assert!(lost.is_empty(), "writer {writer} lost {lost:?}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_torn() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut published: [Vec<usize>; WRITERS] = Default::default();
    let mut written = [None; WRITERS];
    let mut count = 0;
    for kill in 0..KILLS {
        // From at once to in the midst of it.
        let acknowledged = killed(folder.path(), kill * 1_000_000, kill % 23);
        for (kind, writer, number) in acknowledged {
            count += 1;
            match kind {
                'p' => published[writer].push(number),
                _ => written[writer] = written[writer].max(Some(number)),
            }
        }
        // Before the file holds as many events as it may.
        if kill % 20 == 19 {
            tokio.block_on(check_events(folder.path(), &published));
            published = Default::default();
        }
        tokio.block_on(check_state(folder.path(), &written));
    }
    tokio.block_on(check_events(folder.path(), &published));
    assert!(count >= KILLS, "only {count} writes were acknowledged");
}
