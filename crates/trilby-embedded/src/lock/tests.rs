//! Who holds a lock, and for how long.

use tempfile::TempDir;
use tokio::time::{Instant, advance};

use super::*;
use crate::redis::Redis;
use crate::redis::tests::{Server, until_there};

fn open(type_name: &str, metadata: &[(&str, &str)]) -> LockStore {
    let component = Component::for_test("locks", type_name, metadata, 1);
    LockStore::open(&component, "app").unwrap()
}

fn store() -> LockStore {
    open("lock.in-memory", &[])
}

/// Two stores on one file, as of two processes.
fn on_a_file() -> (TempDir, LockStore, LockStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/locks.db");
    let open = || open("lock.sqlite", &[("connectionString", path.to_str().unwrap())]);
    let (one, other) = (open(), open());
    (folder, one, other)
}

async fn on_a_server() -> Option<(Server, LockStore, LockStore)> {
    let server = Server::start()?;
    let host = server.host();
    let metadata = [("redisHost", host.as_str())];
    let component = Component::for_test("locks", "lock.redis", &metadata, 1);
    until_there(&Redis::open(&component).unwrap()).await;
    let (one, other) = (open("lock.redis", &metadata), open("lock.redis", &metadata));
    Some((server, one, other))
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(30))
}

async fn take(store: &LockStore, resource: &str, owner: &str, seconds: u64) -> bool {
    try_take(store, resource, owner, seconds).await.unwrap()
}

async fn try_take(
    store: &LockStore,
    resource: &str,
    owner: &str,
    seconds: u64,
) -> trilby_dapr::Result<bool> {
    let request = TryLock {
        store: "locks".to_owned(),
        resource: resource.to_owned(),
        owner: owner.to_owned(),
        expiry: Duration::from_secs(seconds),
    };
    store.try_lock(&cx(), request).await
}

fn unlock(resource: &str, owner: &str) -> Unlock {
    Unlock { store: "locks".to_owned(), resource: resource.to_owned(), owner: owner.to_owned() }
}

async fn give(store: &LockStore, resource: &str, owner: &str) -> Unlocked {
    store.unlock(&cx(), unlock(resource, owner)).await.unwrap()
}

fn sizes(store: &LockStore) -> (usize, usize) {
    let Locks::Memory(memory) = &store.locks else { panic!("a store in memory") };
    memory.sizes()
}

/// What holds between two users of the same locks, and needs no time.
async fn one_at_a_time(one: &LockStore, other: &LockStore) {
    assert_eq!(give(one, "r", "a").await, Unlocked::Missing);
    assert!(take(one, "r", "a", 10).await);
    assert!(!take(one, "r", "a", 10).await, "not even the same owner");
    assert!(!take(other, "r", "b", 10).await);
    assert!(take(other, "s", "b", 10).await, "another lock");
    assert_eq!(give(other, "r", "b").await, Unlocked::OfOthers);
    assert_eq!(give(one, "r", "a").await, Unlocked::Done);
    assert!(take(other, "r", "b", 10).await);
    assert_eq!(give(one, "r", "a").await, Unlocked::OfOthers);
    assert!(take(one, "long", "a", u64::MAX).await, "no time is too long");
    assert_eq!(give(other, "long", "a").await, Unlocked::Done, "by its owner, wherever that is");
}

#[tokio::test(start_paused = true)]
async fn one_holds_a_lock_until_it_is_given_back_or_over() {
    let store = store();
    one_at_a_time(&store, &store).await;
    advance(Duration::from_secs(9)).await;
    assert!(!take(&store, "r", "a", 10).await);
    advance(Duration::from_secs(1)).await;
    assert_eq!(give(&store, "r", "b").await, Unlocked::Missing, "it is over");
    assert!(take(&store, "r", "a", 10).await);
    advance(Duration::from_secs(10)).await;
    assert!(take(&store, "r", "b", 10).await, "it is over");
    let (owners, expiries) = sizes(&store);
    assert_eq!(owners, expiries);
}

#[tokio::test]
async fn processes_share_the_locks_of_a_file() {
    let (folder, one, other) = on_a_file();
    one_at_a_time(&one, &other).await;
    assert!(take(&one, "short", "a", 1).await);
    // Its end is a time of day, which the test moves instead of waiting.
    let file = rusqlite::Connection::open(folder.path().join("new/locks.db")).unwrap();
    let moved = file.execute("UPDATE lock SET ends = ends - 1000 WHERE owner = 'a'", []).unwrap();
    assert_eq!(moved, 1);
    assert_eq!(give(&one, "short", "a").await, Unlocked::Missing, "it is over");
    assert!(take(&other, "short", "b", 10).await);
    assert!(!take(&one, "short", "a", 10).await);
    file.execute("UPDATE lock SET ends = 0", []).unwrap();
    assert!(take(&one, "last", "a", 10).await);
    let left: i64 = file.query_row("SELECT count(*) FROM lock", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1, "what is over is forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_want_a_lock_of_a_file_one_has_it() {
    let (_folder, one, other) = on_a_file();
    let (one, other) = (std::sync::Arc::new(one), std::sync::Arc::new(other));
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let store = std::sync::Arc::clone(if number % 2 == 0 { &one } else { &other });
            tokio::spawn(async move { take(&store, "r", &number.to_string(), 100).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(task.await.unwrap());
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn processes_share_the_locks_of_a_redis_in_daprds_form() {
    let Some((mut server, one, other)) = on_a_server().await else { return };
    one_at_a_time(&one, &other).await;
    let host = server.host();
    let component = Component::for_test("locks", "lock.redis", &[("redisHost", &host)], 1);
    let redis = Redis::open(&component).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let owner: String = redis.query(deadline, &::redis::Cmd::get("lock||app||r")).await.unwrap();
    assert_eq!(owner, "b");
    let left: i64 = redis.query(deadline, &::redis::Cmd::ttl("lock||app||r")).await.unwrap();
    assert!((1..=10).contains(&left), "{left}");
    server.stop();
    let error = try_take(&one, "r", "a", 10).await.unwrap_err();
    let lost = format!("failed to try acquiring lock: cannot reach Redis at {host}: ");
    assert!(error.message.starts_with(&lost), "{error}");
    assert_eq!((error.code, &*error.reason), (Code::Internal, "ERR_TRY_LOCK"));
}

#[tokio::test(start_paused = true)]
async fn a_lock_given_back_does_not_end_the_next_one() {
    let store = store();
    assert!(take(&store, "r", "a", 5).await);
    assert_eq!(give(&store, "r", "a").await, Unlocked::Done);
    assert!(take(&store, "r", "b", 100).await);
    advance(Duration::from_secs(6)).await;
    assert!(!take(&store, "r", "a", 5).await);
}

#[tokio::test(start_paused = true)]
async fn locks_have_a_bound() {
    let store = store();
    for number in 0..LOCKS_MAX {
        assert!(take(&store, &number.to_string(), "a", 10).await);
    }
    let error = try_take(&store, "one more", "a", 10).await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_TOO_MANY_LOCKS"));
    assert!(!take(&store, "0", "a", 10).await, "one that is held is known");
    assert_eq!(give(&store, "7", "a").await, Unlocked::Done);
    assert!(take(&store, "one more", "a", 10).await);
    advance(Duration::from_secs(10)).await;
    for left in [LOCKS_MAX - 16, LOCKS_MAX - 32] {
        assert!(take(&store, &left.to_string(), "a", 10).await, "{left} is over");
        assert_eq!(sizes(&store), (left, left), "what is over is forgotten in steps");
    }
}

#[tokio::test]
async fn the_separator_is_refused_with_daprds_words() {
    let store = store();
    let words = "input key/keyPrefix 'a||b' can't contain '||'";
    let error = try_take(&store, "a||b", "o", 1).await.unwrap_err();
    assert_eq!(error.message, format!("failed to try acquiring lock: {words}"));
    assert_eq!(error.code, Code::Internal);
    let error = store.unlock(&cx(), unlock("a||b", "o")).await.unwrap_err();
    assert_eq!(error.message, format!("failed to release lock: {words}"));
    assert_eq!(error.code, Code::Internal);
}
