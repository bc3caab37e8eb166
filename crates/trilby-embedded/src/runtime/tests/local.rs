//! The blocks that work on this machine only.

use std::sync::Mutex;

use futures_util::TryStreamExt as _;
use trilby_dapr::actor::{Actor, Actors, InvokeActor};
use trilby_dapr::configuration::{Configuration, GetConfiguration};
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::invoke::{Invocation, InvokeService, ServiceReply};
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::secret::GetSecrets;
use trilby_dapr::state::QueryState;
use trilby_dapr::stream::{ByteStream, whole};

use super::*;

/// One of each.
fn all() -> (TempDir, Runtime) {
    let files = [
        ("a.yaml", component("env", "spec: {type: secretstores.local.env}")),
        (
            "b.yaml",
            component(
                "settings",
                "spec: {type: configuration.in-memory, metadata: [{name: items, value: '{a: x}'}]}",
            ),
        ),
        ("c.yaml", component("locks", "spec: {type: lock.in-memory}")),
        (
            "d.yaml",
            component(
                "keys",
                "spec: {type: crypto.dapr.localstorage, metadata: [{name: path, value: \
                 FOLDER/components}]}",
            ),
        ),
        ("e.yaml", component("echo", "spec: {type: conversation.echo}")),
    ];
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    files.push(("key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="));
    opened(&files)
}

fn error(code: Code, reason: &'static str, message: &str) -> CallError {
    CallError::new(code, message).with_reason(reason)
}

fn lock(store: &str, resource: &str, owner: &str, seconds: u64) -> TryLock {
    TryLock {
        store: store.to_owned(),
        resource: resource.to_owned(),
        owner: owner.to_owned(),
        expiry: Duration::from_secs(seconds),
    }
}

#[tokio::test]
async fn each_block_reaches_its_component() {
    let (_folder, runtime) = all();
    let request = GetConfiguration { store: "settings".to_owned(), ..<_>::default() };
    let items = runtime.get_configuration(&cx(), request).await.unwrap();
    assert_eq!(items["a"].value, "x");
    assert!(runtime.watch_configuration("settings", None).is_ok());
    let error = runtime.watch_configuration("setings", None).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "no component of type configuration is named `setings`; there is \
                             `settings`"
        ),
        "{error}"
    );

    assert!(runtime.try_lock(&cx(), lock("locks", "r", "o", 10)).await.unwrap());
    assert!(!runtime.try_lock(&cx(), lock("locks", "r", "o", 10)).await.unwrap());
    let request =
        Unlock { store: "locks".to_owned(), resource: "r".to_owned(), owner: "o".to_owned() };
    assert_eq!(runtime.unlock(&cx(), request).await.unwrap(), Unlocked::Done);

    let secrets = GetSecrets { store: "env".to_owned(), ..<_>::default() };
    let secrets = runtime.get_secrets(&cx(), secrets).await.unwrap();
    assert_eq!(secrets["FILE"].values["FILE"], "state.db");

    let request = Converse {
        component: "echo".to_owned(),
        request: r#"{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"hi"}]}}]}]}"#.into(),
    };
    let answer = runtime.converse(&cx(), request).await.unwrap();
    assert!(answer.starts_with(br#"{"outputs":[{"choices":[{"finishReason":"stop""#), "{answer:?}");
}

async fn bytes(stream: ByteStream) -> Vec<u8> {
    let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test(start_paused = true)]
async fn what_is_encrypted_is_decrypted_within_the_deadline() {
    let (_folder, runtime) = all();
    let request = Encrypt {
        component: "keys".to_owned(),
        key: "key".to_owned(),
        algorithm: "A256KW".to_owned(),
        ..Encrypt::default()
    };
    let envelope = runtime.encrypt(&cx(), request, whole("plain".into())).await.unwrap();
    let envelope = bytes(envelope).await;
    assert!(envelope.starts_with(b"dapr.io/enc/v1\n"));
    let request = || Decrypt { component: "keys".to_owned(), ..Decrypt::default() };
    let plain = runtime.decrypt(&cx(), request(), whole(envelope.into())).await.unwrap();
    assert_eq!(bytes(plain).await, b"plain");
    let silent: ByteStream = Box::pin(futures_util::stream::pending());
    let error = runtime.decrypt(&cx(), request(), silent).await.err().unwrap();
    assert_eq!(error.code, Code::DeadlineExceeded);
    assert_eq!(error.message, "the decryption with `keys` did not finish within the deadline");
}

#[tokio::test]
async fn locks_that_cannot_be_taken_have_daprds_words() {
    let (_folder, none) = opened(&[]);
    let (_folder, all) = all();
    let (invalid, malformed) = (Code::InvalidArgument, "ERR_MALFORMED_REQUEST");
    for (runtime, lock, expected) in [
        (
            &none,
            lock("no", "r", "o", 1),
            error(
                Code::FailedPrecondition,
                "ERR_LOCK_STORE_NOT_CONFIGURED",
                "lock store is not configured",
            ),
        ),
        (
            &none,
            lock("no", "", "", 0),
            error(invalid, malformed, "ExpiryInSeconds is not positive in lock store no"),
        ),
        (
            &all,
            lock("no", "r", "o", 1),
            error(invalid, "ERR_LOCK_STORE_NOT_FOUND", "lock store no not found"),
        ),
        (
            &all,
            lock("no", "", "o", 1),
            error(invalid, malformed, "ResourceId is empty in lock store no"),
        ),
        (
            &all,
            lock("locks", "r", "", 1),
            error(invalid, malformed, "LockOwner is empty in lock store locks"),
        ),
    ] {
        assert_eq!(runtime.try_lock(&cx(), lock).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn names_of_locks_have_a_bound() {
    let (_folder, runtime) = all();
    let (most, long) = ("n".repeat(1024), "n".repeat(1025));
    let unlock = async |resource: &str, owner: &str| {
        let TryLock { store, resource, owner, .. } = lock("locks", resource, owner, 1);
        runtime.unlock(&cx(), Unlock { store, resource, owner }).await
    };
    let why = "has more than 1024 bytes in lock store locks; use a shorter one";
    for (resource, owner, name) in [(&long, &most, "ResourceId"), (&most, &long, "LockOwner")] {
        let why = format!("{name} {why}");
        let expected = error(Code::InvalidArgument, "ERR_MALFORMED_REQUEST", &why);
        let taken = runtime.try_lock(&cx(), lock("locks", resource, owner, 1)).await;
        assert_eq!(taken.unwrap_err(), expected);
        assert_eq!(unlock(resource, owner).await.unwrap_err(), expected);
    }
    assert!(runtime.try_lock(&cx(), lock("locks", &most, &most, 10)).await.unwrap());
    assert_eq!(unlock(&most, &most).await.unwrap(), Unlocked::Done);
}

#[tokio::test]
async fn components_that_are_not_there_have_daprds_words() {
    let (_folder, none) = opened(&[]);
    let (_folder, all) = all();
    let configuration = async |runtime: &Runtime| {
        let request = GetConfiguration { store: "no".to_owned(), ..<_>::default() };
        runtime.get_configuration(&cx(), request).await.unwrap_err()
    };
    let encrypt = async |runtime: &Runtime| {
        let request = Encrypt { component: "no".to_owned(), ..<_>::default() };
        runtime.encrypt(&cx(), request, whole(Bytes::new())).await.err().unwrap()
    };
    let secrets = GetSecrets { store: "no".to_owned(), ..<_>::default() };
    let converse = Converse { component: "no".to_owned(), ..<_>::default() };
    let (invalid, failed) = (Code::InvalidArgument, Code::FailedPrecondition);
    for (found, code, reason, message) in [
        (
            configuration(&none).await,
            failed,
            "ERR_CONFIGURATION_STORE_NOT_CONFIGURED",
            "configuration stores not configured",
        ),
        (
            configuration(&all).await,
            invalid,
            "ERR_CONFIGURATION_STORE_NOT_FOUND",
            "configuration store no not found",
        ),
        (encrypt(&none).await, Code::Internal, "", "crypto providers not configured"),
        (encrypt(&all).await, invalid, "", "crypto provider no not found"),
        (
            none.converse(&cx(), converse).await.unwrap_err(),
            invalid,
            "ERR_CONVERSATION_NOT_FOUND",
            "failed finding conversation component no",
        ),
        (
            all.get_secrets(&cx(), secrets).await.unwrap_err(),
            invalid,
            "",
            "failed finding secret store with key no",
        ),
    ] {
        assert_eq!(found, error(code, reason, message));
    }
}

#[tokio::test]
async fn what_needs_a_sidecar_says_so() {
    let (_folder, runtime) = opened(&[]);
    let query = async |store: &str| {
        let request = QueryState { store: store.to_owned(), ..<_>::default() };
        runtime.query_state(&cx(), request).await.unwrap_err()
    };
    let words = "state store does not support querying";
    let reason = "DAPR_STATE_QUERYING_NOT_SUPPORTED";
    assert_eq!(query("statestore").await, error(Code::Internal, reason, words));
    assert_eq!(query("no").await.reason, "DAPR_STATE_NOT_FOUND");

    let placement = error(Code::Unavailable, "", "placement service is not configured");
    let invoked = runtime.invoke_actor(&cx(), InvokeActor::default()).await;
    assert_eq!(invoked.unwrap_err(), placement);
    let state = runtime.get_actor_state(&cx(), Actor::default(), String::new()).await;
    assert_eq!(state.unwrap_err(), placement);

    let call = Call { rpc: "Odd\n".to_owned(), ..Call::default() };
    let error = runtime.call(&cx(), call).await.unwrap_err();
    assert_eq!(error.code, Code::Unimplemented);
    assert!(error.message.contains("cannot call `Odd\\n`"), "{error}");
}

#[tokio::test]
async fn the_default_lock_store_is_there_when_it_is_wanted() {
    let (_folder, mut options) = options(&[]);
    options.defaults = vec![Kind::Lock, Kind::Configuration];
    let runtime = Runtime::open(options).unwrap();
    assert_eq!(names(&runtime), [("lockstore", "lock.in-memory")]);
    assert!(runtime.try_lock(&cx(), lock("lockstore", "r", "o", 10)).await.unwrap());
}

#[tokio::test]
async fn the_metadata_names_what_is_open() {
    let (_folder, runtime) = all();
    runtime.set_metadata(&cx(), "k".to_owned(), "v".to_owned()).await.unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&runtime.get_metadata(&cx()).await.unwrap()).unwrap();
    assert_eq!(json["id"], "app");
    assert_eq!(json["extended"]["k"], "v");
    let components = json["components"].as_array().unwrap();
    let names: Vec<&str> = components.iter().map(|info| info["name"].as_str().unwrap()).collect();
    let expected = ["env", "settings", "locks", "keys", "echo", "statestore", "pubsub"];
    assert_eq!(names, expected);
}

struct Named(&'static str, Mutex<u32>);

#[async_trait]
impl Inbound for Named {
    async fn deliver(&self, _: http::Request<Bytes>) -> http::Response<Bytes> {
        http::Response::default()
    }

    async fn invoke(&self, _: http::Request<ByteStream>) -> ServiceReply {
        *self.1.lock().unwrap() += 1;
        let body = whole(Bytes::from_static(self.0.as_bytes()));
        ServiceReply { status: http::StatusCode::OK, headers: http::HeaderMap::new(), body }
    }
}

#[tokio::test]
async fn who_is_attached_last_answers_for_the_app() {
    let (_folder, runtime) = all();
    let (one, two) = (Arc::new(Named("one", Mutex::new(0))), Arc::new(Named("two", Mutex::new(0))));
    for (inbound, expected) in [(&one, "one"), (&two, "two")] {
        let inbound: Arc<dyn Inbound> = Arc::clone(inbound) as Arc<dyn Inbound>;
        runtime.attach(Arc::downgrade(&inbound));
        let request = InvokeService { app: "app".to_owned(), ..InvokeService::default() };
        let reply = runtime.invoke_service(&cx(), request, whole(Bytes::new())).await.unwrap();
        assert_eq!(bytes(reply.body).await, expected.as_bytes());
    }
    assert_eq!((*one.1.lock().unwrap(), *two.1.lock().unwrap()), (1, 1));
}
