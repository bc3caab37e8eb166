//! The SDKs for Go and C: each block once, and the five kinds of errors, by `tests/guests/dapr-go`
//! and `tests/guests/dapr-c`, whose operations and answers are the same.

use anyhow::{Context, Result};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use trilby_testkit::{Backend, Components, Trilby, leave_out, repository};

struct App {
    trilby: Trilby,
    /// A peer that takes connections and never answers.
    _silent: TcpListener,
    _folder: TempDir,
}

impl App {
    /// Serves the guest of a language; none without its compiler. With `CI` set, it must be there.
    async fn start(language: &str) -> Result<Option<Self>> {
        let module = repository().join(format!("tests/guests/dapr-{language}/target/dapr.wasm"));
        if !module.is_file() {
            leave_out(&format!(
                "tests/guests/dapr-{language}/target/dapr.wasm (needs its compiler)"
            ));
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let silent = TcpListener::bind("127.0.0.1:0").await?;
        let peer = silent.local_addr()?.port();
        let module = module.display().to_string();
        let manifest = format!(
            "version = 1\nname = \"own\"\n[limits]\ndapr-timeout = \"1s\"\n\
             [dapr]\napps = {{ peer = \"http://127.0.0.1:{peer}\" }}\n\
             [[route]]\npath = \"/echo\"\nmodule = \"echo.wat\"\n\
             [[route]]\npath = \"/...\"\nmodule = {module:?}\n{GRANTS}"
        );
        let launch = crate::wat::write(&folder, "trilby.toml", &manifest, |launch| launch)?;
        components(&folder)?;
        let resources = folder.path().join("components").display().to_string();
        let trilby = launch.args(&["--components", &resources]).start().await?;
        Ok(Some(Self { trilby, _silent: silent, _folder: folder }))
    }

    /// The status and the body of an operation.
    async fn ask(&self, what: &str, body: &str) -> Result<(u16, String)> {
        let (path, query) = what.split_once(' ').unwrap_or((what, ""));
        let pairs = query.split_whitespace().filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        });
        let path = format!("/{path}?{}", query.collect::<Vec<_>>().join("&"));
        let answer = self.trilby.http.post(&path, body.to_owned()).await?;
        Ok((answer.status.as_u16(), answer.text()))
    }

    /// The answer of an operation that must succeed.
    async fn get(&self, what: &str, body: &str) -> Result<String> {
        let (status, text) = self.ask(what, body).await?;
        assert_eq!(status, 200, "{what}: {text}");
        Ok(text)
    }

    /// The records of its answer, in the order of their keys.
    async fn records(&self, what: &str, body: &str) -> Result<Vec<Value>> {
        let text = self.get(what, body).await?;
        let records: serde_json::Result<Vec<Value>> =
            text.lines().map(serde_json::from_str).collect();
        let mut records = records.with_context(|| text.clone())?;
        records.sort_by_key(|record| record["key"].to_string());
        Ok(records)
    }

    /// Asserts an error: its kind, code and reason.
    async fn refused(&self, what: &str, body: &str, first_line: &str) -> Result<()> {
        let (status, text) = self.ask(what, body).await?;
        assert_eq!(status, 418, "{what}: {text}");
        assert_eq!(text.lines().next(), Some(first_line), "{what}: {text}");
        assert!(text.lines().count() > 1, "{what} has no message");
        Ok(())
    }
}

const GRANTS: &str = r#"
grants.state = ["statestore"]
grants.state-query = ["statestore"]
grants.publish = ["pubsub/t*"]
grants.bindings = ["files"]
grants.invoke = ["own", "peer"]
grants.secrets = ["secrets/known"]
grants.configuration = ["settings/k*"]
grants.lock = ["locks/r*"]
grants.jobs = ["j*"]
grants.encrypt = ["vault/aes"]
grants.decrypt = ["vault/aes"]
grants.conversation = ["model"]
grants.actors = ["Thermostat"]
grants.metadata = ["read", "write"]
grants.call = ["ListActorReminders"]
"#;

fn components(folder: &TempDir) -> Result<()> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("secrets.json"), r#"{"known": "s3cr3t"}"#)?;
    std::fs::create_dir(path("keys"))?;
    std::fs::write(path("keys/aes"), "VHJpbGJ5J3MgdGVzdHMgZW5jcnlwdCB3aXRoIHRoaXM=")?;
    Components::of(Backend::EmbeddedMemory, None, folder.path())
        .add("files", "bindings.localstorage", &[("rootPath", &path("files"))])
        .add("secrets", "secretstores.local.file", &[("secretsFile", &path("secrets.json"))])
        .add("settings", "configuration.in-memory", &[("items", "{k1: one||3, other: x}")])
        .add("locks", "lock.in-memory", &[])
        .add("vault", "crypto.dapr.localstorage", &[("path", &path("keys"))])
        .add("model", "conversation.echo", &[])
        .write(&folder.path().join("components"))
}

macro_rules! each_language {
    ($name:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn go() -> anyhow::Result<()> {
                super::$name("go").await
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn c() -> anyhow::Result<()> {
                super::$name("c").await
            }
        }
    };
}

each_language!(state_and_messages);

async fn state_and_messages(language: &str) -> Result<()> {
    let Some(app) = App::start(language).await? else { return Ok(()) };
    app.get("state/set store=statestore key=a", "one").await?;
    assert_eq!(app.get("state/get store=statestore key=a", "").await?, "one");
    let items = "{\"key\":\"b\",\"value\":\"two\"}\n{\"key\":\"c\",\"value-base64\":\"/w==\"}\n";
    app.get("state/set_bulk store=statestore", items).await?;
    let asked = "{\"key\":\"b\"}\n{\"key\":\"c\"}\n{\"key\":\"d\"}\n";
    let found = app.records("state/get_bulk store=statestore", asked).await?;
    assert_eq!((&found[0]["value"], &found[1]["value-base64"]), (&json!("two"), &json!("/w==")));
    assert_eq!(found[2]["key"], "d");
    let steps = "{\"operation\":\"upsert\",\"key\":\"e\",\"value\":\"five\"}\n\
                 {\"operation\":\"delete\",\"key\":\"a\"}\n";
    app.get("state/transact store=statestore", steps).await?;
    assert_eq!(app.get("state/get store=statestore key=e", "").await?, "five");
    assert_eq!(app.get("state/get store=statestore key=a", "").await?, "");
    app.get("state/delete store=statestore key=e", "").await?;
    app.get("state/delete_bulk store=statestore", "{\"key\":\"b\"}\n{\"key\":\"c\"}\n").await?;
    assert_eq!(app.get("state/get store=statestore key=b", "").await?, "");

    app.get("pubsub/publish pubsub=pubsub topic=t", "event").await?;
    let events = "{\"data\":\"one\"}\n{\"data-base64\":\"/w==\"}\n";
    assert_eq!(app.get("pubsub/publish_bulk pubsub=pubsub topic=t", events).await?, "");
    let file = "metadata.fileName=a.txt";
    app.get(&format!("binding/invoke binding=files operation=create {file}"), "not base64").await?;
    let read = app.get(&format!("binding/invoke binding=files operation=get {file}"), "").await?;
    assert_eq!(read, "not base64");
    Ok(())
}

each_language!(invocation_secrets_and_configuration);

async fn invocation_secrets_and_configuration(language: &str) -> Result<()> {
    let Some(app) = App::start(language).await? else { return Ok(()) };
    let large = "0123456789".repeat(10_000);
    for function in ["call", "open"] {
        let what = format!("invoke/{function} app=own method=echo");
        assert_eq!(app.get(&what, &large).await?, large);
    }
    assert_eq!(app.get("secret/get store=secrets key=known", "").await?, "s3cr3t");
    let all = app.records("secret/get_bulk store=secrets", "").await?;
    assert_eq!(all, [json!({"key": "known", "values": {"known": "s3cr3t"}})]);
    let items = app.records("configuration/get store=settings", "{\"key\":\"k1\"}\n").await?;
    assert_eq!((&items[0]["value"], &items[0]["version"]), (&json!("one"), &json!("3")));
    assert_eq!(app.records("configuration/get store=settings", "").await?.len(), 1);
    Ok(())
}

each_language!(locks_jobs_and_crypto);

async fn locks_jobs_and_crypto(language: &str) -> Result<()> {
    let Some(app) = App::start(language).await? else { return Ok(()) };
    let lock = "store=locks resource=r owner=me";
    app.get(&format!("lock/try_lock {lock} expiry=60"), "").await?;
    app.get(&format!("lock/unlock {lock}"), "").await?;

    app.get("jobs/schedule name=j1 schedule=@hourly repeats=2", "data").await?;
    assert_eq!(app.get("jobs/get name=j1", "").await?, "data");
    let listed = app.records("jobs/list", "").await?;
    assert_eq!((&listed[0]["name"], &listed[0]["data"]), (&json!("j1"), &json!("data")));
    app.get("jobs/delete name=j1", "").await?;
    assert_eq!(app.records("jobs/list", "").await?.len(), 0);

    // The envelope is no text: what the guest gave is kept by the test, byte for byte.
    for function in ["encrypt", "encrypt_open"] {
        let path = format!("/crypto/{function}?component=vault&key=aes&algorithm=A256KW");
        let envelope = app.trilby.http.post(&path, "x".repeat(100_000)).await?;
        assert_eq!(envelope.status, 200, "{}", envelope.text());
        for function in ["decrypt", "decrypt_open"] {
            let path = format!("/crypto/{function}?component=vault&key=aes");
            let plain = app.trilby.http.post(&path, envelope.body.clone()).await?;
            assert_eq!((plain.status.as_u16(), plain.text()), (200, "x".repeat(100_000)));
        }
    }
    Ok(())
}

each_language!(conversation_and_metadata);

async fn conversation_and_metadata(language: &str) -> Result<()> {
    let Some(app) = App::start(language).await? else { return Ok(()) };
    let request = r#"{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"hi"}]}}]}]}"#;
    let answer = app.get("conversation/converse component=model", request).await?;
    assert!(answer.contains(r#""content":"hi""#), "{answer}");
    app.get("metadata/set key=by value=guest", "").await?;
    let metadata: Value = serde_json::from_str(&app.get("metadata/get", "").await?)?;
    assert_eq!((&metadata["id"], &metadata["extended"]["by"]), (&json!("own"), &json!("guest")));
    Ok(())
}

each_language!(errors_have_types);

async fn errors_have_types(language: &str) -> Result<()> {
    let Some(app) = App::start(language).await? else { return Ok(()) };
    app.get("state/set store=statestore key=a", "one").await?;
    let lost = "state/set store=statestore key=a etag=none-such";
    app.refused(lost, "two", "conflict ABORTED ERR_STATE_SAVE").await?;
    let free = "lock/unlock store=locks resource=r owner=me";
    app.refused(free, "", "not-found NOT_FOUND TRILBY_LOCK_MISSING").await?;
    let denied = "denied PERMISSION_DENIED TRILBY_NOT_GRANTED";
    for what in [
        "state/get store=elsewhere key=a",
        "pubsub/publish pubsub=pubsub topic=other",
        "binding/invoke binding=elsewhere operation=create",
        "invoke/call app=stranger method=m",
        "secret/get store=secrets key=other",
        "configuration/get store=elsewhere",
        "lock/try_lock store=locks resource=other owner=me expiry=1",
        "jobs/get name=other",
        "crypto/decrypt component=vault key=other",
        "conversation/converse component=elsewhere",
        "actor/invoke type=Stranger id=1 method=m",
        "dapr/call method=ListWorkflows",
    ] {
        app.refused(what, "", denied).await?;
    }
    let actors = [
        "actor/invoke type=Thermostat id=1 method=m",
        "actor/get_state type=Thermostat id=1 key=k",
        "actor/register_reminder type=Thermostat id=1 name=r due-time=1s",
        "actor/get_reminder type=Thermostat id=1 name=r",
        "actor/unregister_reminder type=Thermostat id=1 name=r",
        "actor/register_timer type=Thermostat id=1 name=t due-time=1s",
        "actor/unregister_timer type=Thermostat id=1 name=t",
    ];
    for what in actors {
        app.refused(what, "", "unavailable UNAVAILABLE -").await?;
    }
    let step = "{\"operation\":\"delete\",\"key\":\"k\"}\n";
    let what = "actor/transact_state type=Thermostat id=1";
    app.refused(what, step, "unavailable UNAVAILABLE -").await?;
    let slow = "invoke/call app=peer method=never";
    app.refused(slow, "", "deadline DEADLINE_EXCEEDED TRILBY_DEADLINE").await?;
    let query = "state/query store=statestore";
    let unsupported = "other INTERNAL DAPR_STATE_QUERYING_NOT_SUPPORTED";
    app.refused(query, "{}", unsupported).await?;
    let (status, text) = app.ask("dapr/call method=ListActorReminders", "").await?;
    assert_eq!(status, 418, "{text}");
    assert!(text.starts_with("other UNIMPLEMENTED "), "{text}");
    Ok(())
}
