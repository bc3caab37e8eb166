//! The thread: its queue, its cleanup, and its end.

mod file;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use rusqlite::Connection;
use trilby_dapr::state::{GetState, SaveState, StateItem};

use super::schema;
use super::*;
use crate::state::StateStore;
use crate::state::tests::component;
use crate::state::write::{Guard, Set, Value};

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(30))
}

fn open(path: &Path, more: &[(&str, &str)]) -> Result<StateStore, String> {
    let mut metadata = vec![("connectionString", path.to_str().unwrap())];
    metadata.extend_from_slice(more);
    StateStore::open(&component("state.sqlite", &metadata), "app", &BTreeMap::new())
        .map_err(|error| error.to_string())
}

async fn save(store: &StateStore, key: &str, value: &str) -> trilby_dapr::Result<()> {
    let value = Bytes::copy_from_slice(value.as_bytes());
    let items = vec![StateItem { key: key.to_owned(), value, ..StateItem::default() }];
    store.save(&cx(), SaveState { store: String::new(), items }).await
}

async fn get(store: &StateStore, key: &str) -> StateValue {
    let request = GetState { key: key.to_owned(), ..GetState::default() };
    store.get(&cx(), request).await.unwrap()
}

fn set(key: &str, ttl: Option<&str>) -> Write {
    Write::Set(Set {
        key: key.to_owned(),
        value: Value::Bytes(Bytes::new()),
        guard: Guard::None,
        is_first: false,
        ttl: ttl.map(str::to_owned),
    })
}

fn rows(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM state", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_call_gives_up_at_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("busyTimeout", "1s")]).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let items = vec![StateItem { key: "key".to_owned(), ..StateItem::default() }];
    let soon = CallContext::within(Duration::from_millis(20));
    let request = SaveState { store: String::new(), items };
    let error = store.save(&soon, request).await.unwrap_err();
    assert_eq!(error.code, Code::DeadlineExceeded);
    assert_eq!(error.message, "the state store `store` did not finish within the deadline");
}

#[tokio::test]
async fn a_full_queue_refuses_calls_at_their_deadline() {
    let component = component("state.sqlite", &[("connectionString", ":memory:")]);
    let store = Sqlite::open(&component, Clock::system()).unwrap();
    let places = Arc::clone(&store.places);
    let taken = places.acquire_many(QUEUE_DEPTH.try_into().unwrap()).await.unwrap();
    let soon = CallContext::within(Duration::from_millis(20));
    let Err(CallFailure::Own(error)) = store.get(&soon, "key".to_owned()).await else {
        panic!("the queue is full");
    };
    assert_eq!(error.code, Code::ResourceExhausted);
    assert_eq!(error.reason, "TRILBY_QUEUE_FULL");
    drop(taken);
    assert!(store.get(&cx(), "key".to_owned()).await.is_ok());
}

#[tokio::test]
async fn a_queue_full_of_bytes_refuses_writes_only() {
    let component = component("state.sqlite", &[("connectionString", ":memory:")]);
    let store = Sqlite::open(&component, Clock::system()).unwrap();
    let taken = store.bytes.acquire_many(QUEUE_BYTES - 3).await.unwrap();
    let soon = CallContext::within(Duration::from_millis(20));
    let Err(CallFailure::Own(error)) = store.write(&soon, vec![set("four", None)]).await else {
        panic!("the queue is full");
    };
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_QUEUE_FULL"));
    assert!(store.get(&cx(), "four".to_owned()).await.is_ok());
    assert!(store.write(&cx(), vec![set("key", None)]).await.is_ok());
    drop(taken);
    assert!(store.write(&cx(), vec![set("four", None)]).await.is_ok());
    // All of it is given back.
    assert!(store.bytes.acquire_many(QUEUE_BYTES).await.is_ok());
}

#[tokio::test]
async fn what_is_larger_than_the_queue_goes_alone() {
    let component = component("state.sqlite", &[("connectionString", ":memory:")]);
    let store = Sqlite::open(&component, Clock::system()).unwrap();
    let value = Value::Bytes(Bytes::from(vec![0; QUEUE_BYTES as usize + 1]));
    let set = Set { key: "key".to_owned(), value, guard: Guard::None, is_first: false, ttl: None };
    let outcomes = store.write(&cx(), vec![Write::Set(set)]).await.ok().unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
}

#[tokio::test]
async fn the_end_waits_for_what_is_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let metadata = [("connectionString", path.to_str().unwrap())];
    let store = Sqlite::open(&component("state.sqlite", &metadata), Clock::system()).unwrap();
    let mut answers = Vec::new();
    for number in 0..200 {
        let (answer, answered) = oneshot::channel();
        let writes = vec![set(&format!("key-{number}"), None)];
        let place = Arc::clone(&store.places).acquire_owned().await.unwrap();
        let bytes = Arc::clone(&store.bytes).acquire_owned().await.unwrap();
        let work = Work::Write(Writes { writes, atomic: false, answer, _bytes: bytes });
        store.jobs.as_ref().unwrap().send(Job { work, place }).unwrap();
        answers.push(answered);
    }
    drop(store);
    for answer in answers {
        assert!(answer.await.unwrap().iter().all(Result::is_ok));
    }
    assert_eq!(rows(&Connection::open(&path).unwrap()), 200);
}

#[test]
fn expired_rows_are_removed_in_steps_and_in_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let component = component("state.sqlite", &[("connectionString", path.to_str().unwrap())]);
    let options = Options::of(&component).unwrap();
    let clock = Clock::set("2026-01-01T00:00:00Z");
    let open = || Database::new(schema::open(&options).unwrap(), &options.tables, clock.clone());
    let (database, other) = (open(), open());
    database.begin().unwrap();
    for number in 0..1500 {
        database.apply(&set(&format!("short-{number}"), Some("5"))).unwrap();
    }
    database.apply(&set("long", Some("5000"))).unwrap();
    database.apply(&set("for-ever", None)).unwrap();
    database.commit().unwrap();
    clock.advance(6);
    let every = Duration::from_secs(60);
    assert!(database.claim_cleanup(every).unwrap());
    assert!(!other.claim_cleanup(every).unwrap());
    assert!(database.cleanup().unwrap());
    assert!(!database.cleanup().unwrap());
    assert_eq!(rows(&Connection::open(&path).unwrap()), 2);
    clock.advance(60);
    assert!(other.claim_cleanup(every).unwrap());
}

#[tokio::test]
async fn the_thread_cleans_up_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let metadata = [("connectionString", path.to_str().unwrap()), ("cleanupInterval", "1ms")];
    let clock = Clock::set("2026-01-01T00:00:00Z");
    let store = Sqlite::open(&component("state.sqlite", &metadata), clock.clone()).unwrap();
    let writes = vec![set("short", Some("5")), set("for-ever", None)];
    let outcomes = store.write(&cx(), writes).await.ok().unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    clock.advance(6);
    let reader = Connection::open(&path).unwrap();
    let cleaned = async {
        while rows(&reader) != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), cleaned).await.unwrap();
}
