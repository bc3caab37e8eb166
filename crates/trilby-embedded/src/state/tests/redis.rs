//! `state.redis` on a real Redis, and shared with a real daprd.

use ::redis::cmd;
use tokio::time::Instant;
use trilby_dapr::Metadata;
use trilby_dapr::state::StateOperation;
use trilby_testkit::{Daprd, DaprdOptions};

use super::together::{delete, first_write, read, transaction, upsert, values, with_etag};
use super::*;
use crate::redis::Redis;
use crate::redis::tests::{Server, until_there};

/// A server, and a client of its own for what the store does not show.
struct Shared {
    server: Server,
    redis: Redis,
}

impl Shared {
    async fn start() -> Option<Self> {
        let server = Server::start()?;
        let host = server.host();
        let redis = Redis::open(&component("state.redis", &[("redisHost", &host)])).unwrap();
        until_there(&redis).await;
        Some(Self { server, redis })
    }

    fn open(&self, more: &[(&str, &str)]) -> StateStore {
        let host = self.server.host();
        let metadata = [&[("redisHost", host.as_str())], more].concat();
        let component = component("state.redis", &metadata);
        StateStore::open(&component, "app", &BTreeMap::new()).unwrap()
    }

    async fn ask(&self, words: &[&str]) -> String {
        let mut command = cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(word);
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        self.redis.query(deadline, &command).await.unwrap()
    }
}

fn with(key: &str, name: &str, value: &str) -> StateItem {
    StateItem { metadata: Metadata::from([(name.into(), value.into())]), ..item(key, "v") }
}

#[tokio::test]
async fn redis_keeps_state_as_the_other_stores_do() {
    let Some(shared) = Shared::start().await else { return };
    semantics::play_timeless(async || {
        shared.ask(&["FLUSHALL"]).await;
        let clock = Clock::system();
        Fixture { store: shared.open(&[]), clock, _folder: None }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_increments_through_redis_lose_nothing() {
    let Some(shared) = Shared::start().await else { return };
    semantics::race(shared.open(&[]), "state.redis").await;
}

#[tokio::test]
async fn a_transaction_on_redis_is_all_or_nothing_and_in_order() {
    let Some(shared) = Shared::start().await else { return };
    let store = shared.open(&[]);
    let transact = async |operations| store.transact(&cx(), transaction(operations)).await;
    let all = ["a", "b", "c", "new"];
    transact(vec![upsert("a", "1"), delete("a"), upsert("a", "2"), upsert("b", "1")])
        .await
        .unwrap();
    transact(vec![upsert("c", "1"), with_etag("c", "2", "1"), delete("no")]).await.unwrap();
    assert_eq!(values(&store, &all).await, ["2", "1", "2", ""]);
    shared.ask(&["HSET", "app||odd", "data", "x", "version", "x"]).await;
    let before = read(&store, &all).await;
    let soon = StateOperation::Upsert(with("b", "ttlInSeconds", "soon"));
    let mismatch = |key: &str| format!("{MISMATCH}: failed to set key app||{key}");
    let cases = [
        (first_write("b", "x"), Code::Aborted, mismatch("b")),
        (first_write("new", "x"), Code::Aborted, mismatch("new")),
        (with_etag("a", "x", "1"), Code::Aborted, mismatch("a")),
        (
            with_etag("a", "x", "y"),
            Code::Internal,
            "invalid etag value: strconv.Atoi: parsing \"y\": invalid syntax".to_owned(),
        ),
        (
            soon,
            Code::Internal,
            "failed to parse ttl from metadata: strconv.ParseInt: parsing \"soon\": invalid syntax"
                .to_owned(),
        ),
        (
            upsert("odd", "x"),
            Code::Internal,
            "failed to set key app||odd: its field `version` is no whole number".to_owned(),
        ),
    ];
    for (bad, code, why) in cases {
        let operations = vec![upsert("a", "x"), upsert("new", "x"), delete("c"), bad];
        let error = transact(operations).await.unwrap_err();
        let message = format!("error while executing state transaction: {why}");
        assert_eq!(error, Error::new(code, message).with_reason("ERR_STATE_TRANSACTION"));
        assert_eq!(read(&store, &all).await, before);
    }
}

#[tokio::test]
async fn a_time_to_live_is_rediss_own() {
    let Some(shared) = Shared::start().await else { return };
    let ttl = async || shared.ask(&["TTL", "app||k"]).await;
    let (store, day) = (shared.open(&[]), shared.open(&[("ttlInSeconds", "86400")]));
    let put = async |store: &StateStore, item| store.save(&cx(), save(vec![item])).await.unwrap();
    put(&store, with("k", "ttlInSeconds", "100000")).await;
    put(&store, item("k", "w")).await;
    assert_eq!(ttl().await, "100000", "a write without one leaves it");
    assert_eq!(values(&store, &["k"]).await, ["w"]);
    put(&day, item("k", "w")).await;
    assert_eq!(ttl().await, "86400");
    for never in ["0", "-1", "-5", "9223372036854775807"] {
        put(&store, with("k", "ttlInSeconds", "100000")).await;
        put(&store, with("k", "ttlInSeconds", never)).await;
        assert_eq!(ttl().await, "-1", "{never}");
    }
    put(&store, with("k", "ttlInSeconds", "1")).await;
    let gone = trilby_testkit::until("the end of the key", async || {
        let items = read(&store, &["k"]).await;
        items[0].etag.is_none().then_some(())
    });
    gone.await.unwrap();
    let component = component("state.redis", &[("redisHost", "r"), ("ttlInSeconds", "x")]);
    let error = StateStore::open(&component, "app", &BTreeMap::new()).err().unwrap();
    assert!(error.to_string().ends_with("`ttlInSeconds` must be a whole number"), "{error}");
}

#[tokio::test]
async fn what_daprd_can_read_can_be_read_and_what_it_cannot_has_its_words() {
    let Some(shared) = Shared::start().await else { return };
    let store = shared.open(&[]);
    shared.ask(&["SET", "app||plain", "text"]).await;
    shared.ask(&["HSET", "app||half", "data", "x"]).await;
    shared.ask(&["LPUSH", "app||list", "x"]).await;
    let plain = store.get(&cx(), get("plain")).await.unwrap();
    assert_eq!((plain.data.as_ref(), plain.etag), (&b"text"[..], None));
    let half = "required hash field 'data' or 'version' was not found";
    let list = "WRONGTYPE Operation against a key holding the wrong kind of value";
    for (key, why) in [("half", half), ("list", list)] {
        let error = store.get(&cx(), get(key)).await.unwrap_err();
        let message = format!("fail to get {key} from state store store: {why}");
        assert_eq!(error, Error::new(Code::Internal, message).with_reason("ERR_STATE_GET"));
    }
    let items = read(&store, &["half", "plain", "list", "no"]).await;
    let errors: Vec<Option<&str>> = items.iter().map(|item| item.error.as_deref()).collect();
    assert_eq!(errors, [Some(half), None, Some(list), None]);
    // A write makes a key of daprd's form of each.
    for key in ["plain", "half", "list"] {
        store.save(&cx(), save(vec![item(key, "new")])).await.unwrap();
    }
    assert_eq!(values(&store, &["plain", "half", "list"]).await, ["new"; 3]);
    let bad = |etag: &str| StateItem { etag: Some(etag.to_owned()), ..item("half", "x") };
    let saving = "failed saving state in state store store";
    let atoi = "strconv.Atoi: parsing \"x\": invalid syntax";
    let invalid = format!("invalid etag value: {atoi}");
    let mismatch = format!("{MISMATCH}: failed to set key app||half");
    for (items, code, text) in [
        (vec![bad("x")], Code::InvalidArgument, invalid.clone()),
        (vec![bad("9")], Code::Aborted, mismatch.clone()),
        (vec![bad("x"), bad("9")], Code::Aborted, format!("{invalid}\n{mismatch}")),
    ] {
        let error = store.save(&cx(), save(items)).await.unwrap_err();
        let message = format!("{saving}: {text}");
        assert_eq!(error, Error::new(code, message).with_reason("ERR_STATE_SAVE"));
    }
}

#[tokio::test]
async fn a_lost_redis_is_an_error_of_each_call_and_no_conflict() {
    let Some(mut shared) = Shared::start().await else { return };
    let store = shared.open(&[]);
    store.save(&cx(), save(vec![item("k", "v")])).await.unwrap();
    shared.server.stop();
    let lost = format!("cannot reach Redis at {}: ", shared.server.host());
    let expect = |error: Error, reason: &str, message: &str| {
        assert_eq!((error.code, &*error.reason), (Code::Internal, reason));
        assert!(error.message.starts_with(&format!("{message}{lost}")), "{error}");
    };
    let error = store.get(&cx(), get("k")).await.unwrap_err();
    expect(error, "ERR_STATE_GET", "fail to get k from state store store: ");
    let with_etag = StateItem { etag: Some("1".to_owned()), ..item("k", "w") };
    let error = store.save(&cx(), save(vec![with_etag])).await.unwrap_err();
    let saving = "failed saving state in state store store: failed to set key app||k: ";
    expect(error, "ERR_STATE_SAVE", saving);
    let request = DeleteState { key: "k".into(), ..DeleteState::default() };
    let error = store.delete(&cx(), request).await.unwrap_err();
    let deleting = "failed deleting state with key k: failed to delete app||k: ";
    expect(error, "ERR_STATE_DELETE", deleting);
    assert!(read(&store, &["k"]).await[0].error.as_ref().unwrap().starts_with(&lost));
    shared.server.start_again();
    until_there(&shared.redis).await;
    store.save(&cx(), save(vec![item("k", "back")])).await.unwrap();
    assert_eq!(values(&store, &["k"]).await, ["back"]);
}

#[tokio::test]
async fn daprd_reads_what_is_written_and_the_reverse() {
    let Some(shared) = Shared::start().await else { return };
    if std::env::var_os("TRILBY_TEST_DAPRD").is_none() {
        return trilby_testkit::leave_out("TRILBY_TEST_DAPRD");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: store}}\nspec:\n  type: \
         state.redis\n  version: v1\n  metadata: [{{name: redisHost, value: \"{}\"}}]\n",
        shared.server.host()
    );
    std::fs::write(folder.path().join("state.yaml"), file).unwrap();
    let options = DaprdOptions::new("app", folder.path(), folder.path()).unwrap();
    let daprd = Daprd::start(&options).await.unwrap();
    let post = async |body: &str| {
        let json = [("content-type", "application/json")];
        let path = "/v1.0/state/store";
        let answer = daprd.http.send(http::Method::POST, path, &json, body.to_owned()).await;
        answer.unwrap().status.as_u16()
    };
    let theirs = async |key: &str| {
        let answer = daprd.http.get(&format!("/v1.0/state/store/{key}")).await.unwrap();
        (answer.text(), answer.header("etag").map(str::to_owned))
    };
    let store = shared.open(&[]);
    let ours = async |key: &str| {
        let value = store.get(&cx(), get(key)).await.unwrap();
        (String::from_utf8(value.data.to_vec()).unwrap(), value.etag)
    };
    let some = |text: &str, etag: &str| (text.to_owned(), Some(etag.to_owned()));

    store.save(&cx(), save(vec![item("k", "\"one\"")])).await.unwrap();
    assert_eq!(theirs("k").await, some("\"one\"", "1"));
    assert_eq!(post(r#"[{"key": "k", "value": "two", "etag": "1"}]"#).await, 204);
    assert_eq!(ours("k").await, some("\"two\"", "2"));
    let stale = StateItem { etag: Some("1".to_owned()), ..item("k", "3") };
    assert!(store.save(&cx(), save(vec![stale])).await.unwrap_err().is_conflict());
    store.transact(&cx(), transaction(vec![with_etag("k", "3", "2")])).await.unwrap();
    assert_eq!(theirs("k").await, some("3", "3"));

    // A first write of one is one to the other.
    let first = StateItem { concurrency: Concurrency::FirstWrite, ..item("f", "1") };
    store.save(&cx(), save(vec![first.clone()])).await.unwrap();
    let their_first = r#"[{"key": "f", "value": 2, "options": {"concurrency": "first-write"}}]"#;
    assert_eq!(post(their_first).await, 500);
    assert_eq!(post(&their_first.replace("\"f\"", "\"g\"")).await, 204);
    let ours_then = StateItem { key: "g".to_owned(), ..first };
    assert!(store.save(&cx(), save(vec![ours_then])).await.unwrap_err().is_conflict());

    store.delete(&cx(), DeleteState { key: "k".into(), ..DeleteState::default() }).await.unwrap();
    assert_eq!(theirs("k").await, (String::new(), None));
}
