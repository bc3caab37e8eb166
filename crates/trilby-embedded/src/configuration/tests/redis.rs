//! `configuration.redis` on a real Redis.

use ::redis::Cmd;
use tokio::time::Instant;

use super::*;
use crate::redis::Redis;
use crate::redis::tests::{Server, until_there};

struct Shared {
    server: Server,
    redis: Redis,
    store: ConfigurationStore,
}

async fn shared() -> Option<Shared> {
    let server = Server::start()?;
    let host = server.host();
    let metadata = [("redisHost", host.as_str())];
    let component = Component::for_test("settings", "configuration.redis", &metadata, 3);
    let redis = Redis::open(&component).unwrap();
    until_there(&redis).await;
    Some(Shared { server, redis, store: ConfigurationStore::open(&component).unwrap() })
}

impl Shared {
    async fn set(&self, key: &str, value: &str) {
        self.run(&Cmd::set(key, value)).await;
    }

    async fn run(&self, command: &Cmd) {
        let deadline = Instant::now() + Duration::from_secs(30);
        self.redis.query::<()>(deadline, command).await.unwrap();
    }
}

#[tokio::test]
async fn texts_of_a_redis_are_values_with_versions() {
    let Some(shared) = shared().await else { return };
    assert_eq!(pairs(&shared.store, &[]).await, [""; 0]);
    for (key, value) in [("a", "x||3"), ("b", "y"), ("empty", ""), ("half", "||2")] {
        shared.set(key, value).await;
    }
    shared.run(&Cmd::lpush("list", "x")).await;
    assert_eq!(pairs(&shared.store, &[]).await, ["a=x@3", "b=y@"]);
    assert_eq!(pairs(&shared.store, &["b", "no", "list", "empty"]).await, ["b=y@"]);
}

#[tokio::test]
async fn more_keys_than_one_step_of_redis_finds_are_read() {
    let Some(shared) = shared().await else { return };
    let keys = |count: usize| {
        let pairs: Vec<_> = (0..count).map(|key| (format!("k{key}"), "v")).collect();
        Cmd::mset(&pairs)
    };
    shared.run(&keys(3000)).await;
    assert_eq!(pairs(&shared.store, &[]).await.len(), 3000);
    shared.run(&keys(10_001)).await;
    let error = shared.store.get(&cx(), &GetConfiguration::default()).await.unwrap_err();
    assert_eq!(
        error.message,
        "failed to get [] from Configuration store settings: there are more than 10000 keys; name \
         those that are wanted"
    );
    assert_eq!(pairs(&shared.store, &["k7"]).await, ["k7=v@"]);
}

#[tokio::test]
async fn watchers_of_a_redis_are_told_of_changes_and_of_nothing_else() {
    let Some(mut shared) = shared().await else { return };
    shared.set("a", "x||1").await;
    let mut one = shared.store.watch(Some("a".to_owned()));
    look(&shared.store.shared).await;
    assert_eq!(told(&mut one), [""; 0], "no first event");
    shared.set("a", "y||2").await;
    shared.set("other", "z").await;
    look(&shared.store.shared).await;
    assert_eq!(told(&mut one), ["a=y@2"]);
    // One who watches all has no event of what was there before.
    let mut all = shared.store.watch(None);
    look(&shared.store.shared).await;
    shared.set("b", "new").await;
    shared.run(&Cmd::del("a")).await;
    look(&shared.store.shared).await;
    assert_eq!(told(&mut all), ["a=@", "b=new@"]);
    assert_eq!(told(&mut one), ["a=@"]);
    // What changed while Redis was away is seen once it is back.
    shared.server.stop();
    look(&shared.store.shared).await;
    assert_eq!(told(&mut all), [""; 0]);
    let error = shared.store.get(&cx(), &GetConfiguration::default()).await.unwrap_err();
    let lost = "failed to get [] from Configuration store settings: cannot reach Redis at ";
    assert!(error.message.starts_with(lost), "{error}");
    assert_eq!((error.code, &*error.reason), (Code::Internal, "ERR_CONFIGURATION_GET"));
    shared.server.start_again();
    until_there(&shared.redis).await;
    look(&shared.store.shared).await;
    assert_eq!(told(&mut all), ["b=@", "other=@"]);
}
