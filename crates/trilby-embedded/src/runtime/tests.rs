//! The runtime as its user sees it: what there is by default, and what is not there.

mod local;
mod policies;

use std::fs;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;
use trilby_dapr::messaging::{Bindings as _, InvokeBinding, Publish, Pubsub as _};
use trilby_dapr::secret::{GetSecret, Secrets as _};
use trilby_dapr::state::{DeleteState, GetState, SaveState, State as _, StateItem, StateValue};
use trilby_dapr::subscription::Target;
use trilby_dapr::{CallContext, Code, Error as CallError};

use super::*;

/// A folder with `components` (left out when there are no files) and the data folder.
fn options(files: &[(&str, &str)]) -> (TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let components = folder.path().join("components");
    if !files.is_empty() {
        fs::create_dir(&components).unwrap();
    }
    for (name, text) in files {
        let text = text.replace("FOLDER", folder.path().to_str().unwrap());
        fs::write(components.join(name), text).unwrap();
    }
    let options = Options {
        app_id: "app".to_owned(),
        components: if files.is_empty() { Vec::new() } else { vec![components] },
        configuration: None,
        defaults: vec![Kind::State, Kind::Pubsub],
        data_dir: folder.path().join("data %20?#"),
        apps: BTreeMap::new(),
        env: BTreeMap::from([("FILE".to_owned(), "state.db".to_owned())]),
    };
    (folder, options)
}

fn component(name: &str, rest: &str) -> String {
    format!("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\n{rest}\n")
}

fn opened(files: &[(&str, &str)]) -> (TempDir, Runtime) {
    let (folder, options) = options(files);
    (folder, Runtime::open(options).unwrap())
}

fn names(runtime: &Runtime) -> Vec<(&str, &str)> {
    let components = runtime.inventory().components().iter();
    components.map(|component| (component.name.as_str(), component.type_name.as_str())).collect()
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(30))
}

async fn save(runtime: &Runtime, store: &str, value: &'static str) -> Result<()> {
    let value = Bytes::from_static(value.as_bytes());
    let items = vec![StateItem { key: "key".to_owned(), value, ..StateItem::default() }];
    runtime.save_state(&cx(), SaveState { store: store.to_owned(), items }).await
}

async fn read(runtime: &Runtime, store: &str) -> Result<StateValue> {
    let (store, key) = (store.to_owned(), "key".to_owned());
    runtime.get_state(&cx(), GetState { store, key, ..GetState::default() }).await
}

#[tokio::test]
async fn without_any_file_there_are_a_state_store_and_a_broker() {
    let (folder, options) = options(&[]);
    let runtime = Runtime::open(options.clone()).unwrap();
    assert_eq!(names(&runtime), [("statestore", "state.sqlite"), ("pubsub", "pubsub.in-memory")]);
    save(&runtime, "statestore", "value").await.unwrap();
    assert!(options.data_dir.join("state.db").is_file());
    drop(runtime);
    let runtime = Runtime::open(options).unwrap();
    assert_eq!(read(&runtime, "statestore").await.unwrap().data, "value");
    drop(folder);
}

#[test]
fn a_component_of_another_app_is_not_replaced_by_the_default() {
    let scoped = component("statestore", "spec: {type: state.in-memory}\nscopes: [other]");
    let (folder, runtime) = opened(&[("a.yaml", &scoped)]);
    assert_eq!(names(&runtime), [("pubsub", "pubsub.in-memory")]);
    assert!(!folder.path().join("data %20?#").exists());
}

#[test]
fn a_described_kind_has_no_default() {
    let mine = component("mine", "spec: {type: state.in-memory}");
    let (folder, runtime) = opened(&[("a.yaml", &mine)]);
    assert_eq!(names(&runtime), [("mine", "state.in-memory"), ("pubsub", "pubsub.in-memory")]);
    assert!(runtime.inventory().has(Kind::State, "mine"));
    assert!(!runtime.inventory().has(Kind::State, "statestore"));
    assert!(!runtime.inventory().has(Kind::Pubsub, "mine"));
    assert_eq!(runtime.inventory().nearest(Kind::State, "statestore").as_deref(), Some("mine"));
    assert_eq!(runtime.inventory().nearest(Kind::SecretStore, "mine"), None);
    let files = fs::read_dir(folder.path()).unwrap();
    assert_eq!(files.count(), 1, "the data folder was made without need");
}

#[test]
fn a_component_for_other_apps_leaves_the_default() {
    let scoped = component("mine", "spec: {type: state.in-memory}\nscopes: [other]");
    let (_folder, runtime) = opened(&[("a.yaml", &scoped)]);
    assert!(runtime.inventory().has(Kind::State, "statestore"));
}

#[tokio::test]
async fn metadata_may_come_from_a_secret_whose_store_is_described_later() {
    let state = component(
        "mine",
        "spec:\n  type: state.sqlite\n  metadata:\n    - name: connectionString\n      \
         secretKeyRef: {name: db, key: path}\nauth: {secretStore: vault}",
    );
    let vault = component(
        "vault",
        "spec:\n  type: secretstores.local.file\n  metadata:\n    - {name: secretsFile, value: \
         FOLDER/components/secrets.json}\n    - {name: multiValued, value: true}",
    );
    let secrets = r#"{"db": {"path": "FOLDER/secret.db"}}"#;
    let files = [("a.yaml", state.as_str()), ("b.yaml", &vault), ("secrets.json", secrets)];
    let (folder, runtime) = opened(&files);
    assert_eq!(names(&runtime)[0], ("vault", "secretstores.local.file"));
    save(&runtime, "mine", "value").await.unwrap();
    assert!(folder.path().join("secret.db").is_file());
}

#[test]
fn what_cannot_be_opened_ends_the_start_unless_errors_are_ignored() {
    let bad = |more: &str| {
        let metadata = "metadata: [{name: connectionString, value: FOLDER/components}]";
        component("mine", &format!("spec: {{type: state.sqlite, {metadata}{more}}}"))
    };
    let (_folder, strict) = options(&[("a.yaml", &bad(""))]);
    let error = Runtime::open(strict).err().unwrap().to_string();
    assert!(error.starts_with("component `mine`: cannot open "), "{error}");
    let (_folder, runtime) = opened(&[("a.yaml", &bad(", ignoreErrors: true"))]);
    assert_eq!(names(&runtime), [("pubsub", "pubsub.in-memory")]);
}

#[tokio::test]
async fn unknown_names_are_answered_as_by_daprd() {
    let (_folder, runtime) = opened(&[]);
    let vault = component("vault", "spec: {type: secretstores.local.env}");
    let (_folder, with_vault) = opened(&[("a.yaml", &vault)]);
    let publish = |pubsub: &str| Publish { pubsub: pubsub.to_owned(), ..Publish::default() };
    let invoke = |operation: &str| InvokeBinding {
        binding: "disk".to_owned(),
        operation: operation.to_owned(),
        ..InvokeBinding::default()
    };
    let secret = || GetSecret { store: "safe".to_owned(), ..GetSecret::default() };
    let cases = [
        (
            save(&runtime, "nope", "x").await.unwrap_err(),
            Code::InvalidArgument,
            "DAPR_STATE_NOT_FOUND",
            "state store nope is not found",
        ),
        (
            runtime.delete_state(&cx(), DeleteState::default()).await.unwrap_err(),
            Code::InvalidArgument,
            "DAPR_STATE_NOT_FOUND",
            "state store  is not found",
        ),
        (
            runtime.publish(&cx(), publish("nope")).await.unwrap_err(),
            Code::InvalidArgument,
            "DAPR_PUBSUB_NOT_FOUND",
            "pubsub nope is not found",
        ),
        (
            runtime.publish(&cx(), publish("")).await.unwrap_err(),
            Code::InvalidArgument,
            "DAPR_PUBSUB_NAME_EMPTY",
            "pubsub name is empty",
        ),
        (
            runtime.publish(&cx(), publish("pubsub")).await.unwrap_err(),
            Code::InvalidArgument,
            "DAPR_PUBSUB_TOPIC_NAME_EMPTY",
            "topic is empty in pubsub pubsub",
        ),
        (
            runtime.invoke_binding(&cx(), invoke("create")).await.unwrap_err(),
            Code::Internal,
            "ERR_INVOKE_OUTPUT_BINDING",
            "error invoking output binding disk: couldn't find output binding disk",
        ),
        (
            runtime.invoke_binding(&cx(), invoke("")).await.unwrap_err(),
            Code::Internal,
            "ERR_INVOKE_OUTPUT_BINDING",
            "error invoking output binding disk: operation field is missing from request",
        ),
        (
            runtime.get_secret(&cx(), secret()).await.unwrap_err(),
            Code::FailedPrecondition,
            "",
            "secret store is not configured",
        ),
        (
            with_vault.get_secret(&cx(), secret()).await.unwrap_err(),
            Code::InvalidArgument,
            "",
            "failed finding secret store with key safe",
        ),
        (
            refusals::state_store("x", true),
            Code::FailedPrecondition,
            "DAPR_STATE_NOT_CONFIGURED",
            "state store x is not configured",
        ),
        (
            refusals::pubsub(""),
            Code::InvalidArgument,
            "DAPR_PUBSUB_NAME_EMPTY",
            "pubsub name is empty",
        ),
    ];
    for (error, code, reason, message) in cases {
        assert_eq!(error, CallError::new(code, message).with_reason(reason));
    }
}

struct Nobody;

#[async_trait]
impl Inbound for Nobody {
    async fn deliver(&self, _request: http::Request<Bytes>) -> http::Response<Bytes> {
        http::Response::default()
    }
}

#[tokio::test]
async fn deliveries_need_their_components() {
    let (_folder, runtime) = opened(&[]);
    let target = |path: &str| Target { path: path.to_owned(), deadline: Duration::from_secs(10) };
    let subscription = |pubsub: &str| Subscription {
        pubsub: pubsub.to_owned(),
        topic: "t".to_owned(),
        rules: Vec::new(),
        default: Some(target("/t")),
        dead_letter_topic: None,
        bulk: None,
        metadata: BTreeMap::new(),
    };
    let start =
        |subscriptions, bindings| runtime.start(Arc::new(Nobody), subscriptions, bindings, None);
    let error = start(vec![subscription("pubsbu")], Vec::new()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "no component of type pubsub is named `pubsbu`; there is `pubsub`"
    );
    let binding = InputBinding { name: "tick".to_owned(), target: target("/tick") };
    let error = start(Vec::new(), vec![binding]).err().unwrap();
    assert_eq!(error.to_string(), "no component of type input binding is named `tick`");
    start(vec![subscription("pubsub")], Vec::new()).unwrap().finish(Duration::from_secs(10)).await;
}

#[test]
fn a_missing_folder_is_named() {
    let (_folder, mut options) = options(&[]);
    options.components = vec![Path::new("no/such/folder").to_owned()];
    let error = Runtime::open(options).err().unwrap().to_string();
    assert!(error.starts_with("cannot read no/such/folder: "), "{error}");
}
