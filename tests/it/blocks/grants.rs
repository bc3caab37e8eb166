//! What the manifest does not grant never reaches Dapr, and the refusal says which line to add.

use std::path::Path;

use anyhow::Result;
use trilby_testkit::{Backend, Components};

use super::probe::{App, Probe};

/// One guest of each block, with the grants that [`CASES`] lack.
pub(crate) fn probe() -> Probe {
    [
        ("state", r#"state = ["statestore/mine/*"]"#),
        ("pubsub", r#"publish = ["pubsub/mine"]"#),
        ("binding", r#"bindings = ["files/get"]"#),
        ("invoke", r#"invoke = ["other/mine/*"]"#),
        ("secret", r#"secrets = ["secrets/mine"]"#),
        ("configuration", r#"configuration = ["configuration/mine"]"#),
        ("lock", r#"lock = ["lock/mine"]"#),
        ("jobs", r#"jobs = ["mine*"]"#),
        ("crypto", r#"encrypt = ["crypto/aes"]"#),
        ("conversation", r#"conversation = ["conversation"]"#),
        ("actor", r#"actors = ["Probe/mine"]"#),
        ("metadata", r#"metadata = ["write"]"#),
        ("call", r#"call = ["ListActorReminders"]"#),
    ]
    .into_iter()
    .fold(Probe::default(), |probe, (block, grants)| probe.and(block, grants))
}

/// The components that it names. With a sidecar nobody looks for them before they are used.
pub(crate) fn components(backend: Backend, components: Components, folder: &Path) -> Components {
    if backend.is_sidecar() {
        return components;
    }
    let written = std::fs::write(folder.join("secrets.json"), r#"{"mine": "s"}"#);
    assert!(written.is_ok(), "cannot write the secrets");
    let secrets = folder.join("secrets.json").display().to_string();
    let files = folder.join("files").display().to_string();
    components
        .add("files", "bindings.localstorage", &[("rootPath", &files)])
        .add("secrets", "secretstores.local.file", &[("secretsFile", &secrets)])
        .add("configuration", "configuration.in-memory", &[])
        .add("lock", "lock.in-memory", &[])
        .with_crypto(folder)
        .with_conversation()
}

pub(crate) async fn serve(backend: Backend) -> Result<App> {
    probe().serve(backend, |all, folder| components(backend, all, folder)).await
}

/// An operation, its targets, and the grant that it lacks.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const CASES: &[Case] = &[
    ("state/get", &[("store", "statestore"), ("key", "k")], r#"state = ["statestore/k"]"#),
    ("state/get", &[("store", "other"), ("key", "mine/k")], r#"state = ["other/mine/k"]"#),
    ("state/set", &[("store", "statestore"), ("key", "min")], r#"state = ["statestore/min"]"#),
    ("state/delete", &[("store", "statestore"), ("key", "Mine/")], r#"["statestore/Mine/"]"#),
    ("state/query", &[("store", "statestore")], r#"state-query = ["statestore"]"#),
    ("pubsub/publish", &[("pubsub", "pubsub"), ("topic", "t")], r#"publish = ["pubsub/t"]"#),
    ("pubsub/publish_bulk", &[("pubsub", "bus"), ("topic", "mine")], r#"publish = ["bus/mine"]"#),
    (
        "binding/invoke",
        &[("binding", "files"), ("operation", "create")],
        r#"bindings = ["files/create"]"#,
    ),
    ("invoke/call", &[("app", "other"), ("method", "x")], r#"invoke = ["other/x"]"#),
    ("invoke/open", &[("app", "third"), ("method", "mine/x")], r#"invoke = ["third/mine/x"]"#),
    ("secret/get", &[("store", "secrets"), ("key", "k")], r#"secrets = ["secrets/k"]"#),
    ("secret/get_bulk", &[("store", "vault")], r#"secrets = ["vault"]"#),
    (
        "configuration/get",
        &[("store", "configuration"), ("keys", "mine,k")],
        r#"configuration = ["configuration/k"]"#,
    ),
    ("configuration/get", &[("store", "other")], r#"configuration = ["other"]"#),
    (
        "lock/try_lock",
        &[("store", "lock"), ("resource", "r"), ("owner", "o"), ("expiry", "1")],
        r#"lock = ["lock/r"]"#,
    ),
    (
        "lock/unlock",
        &[("store", "lock"), ("resource", "mine2"), ("owner", "o")],
        r#"lock = ["lock/mine2"]"#,
    ),
    ("jobs/schedule", &[("name", "j"), ("due-time", "1h")], r#"jobs = ["j"]"#),
    ("jobs/get", &[("name", "min")], r#"jobs = ["min"]"#),
    ("jobs/delete", &[("name", "Mine")], r#"jobs = ["Mine"]"#),
    (
        "crypto/encrypt",
        &[("component", "crypto"), ("key", "other"), ("algorithm", "A256KW")],
        r#"encrypt = ["crypto/other"]"#,
    ),
    (
        "crypto/encrypt_open",
        &[("component", "other"), ("key", "aes"), ("algorithm", "A256KW")],
        r#"encrypt = ["other/aes"]"#,
    ),
    // Encrypting is granted, decrypting is not.
    ("crypto/decrypt", &[("component", "crypto"), ("key", "aes")], r#"decrypt = ["crypto/aes"]"#),
    (
        "crypto/decrypt_open",
        &[("component", "crypto"), ("key", "aes")],
        r#"decrypt = ["crypto/aes"]"#,
    ),
    ("conversation/converse", &[("component", "gpt")], r#"conversation = ["gpt"]"#),
    ("actor/invoke", &[("type", "Probe"), ("id", "1"), ("method", "m")], r#"actors = ["Probe/1"]"#),
    (
        "actor/get_state",
        &[("type", "Other"), ("id", "mine"), ("key", "k")],
        r#"actors = ["Other/mine"]"#,
    ),
    ("actor/transact_state", &[("type", "Probe"), ("id", "1")], r#"actors = ["Probe/1"]"#),
    (
        "actor/register_reminder",
        &[("type", "Probe"), ("id", "1"), ("name", "r"), ("due-time", "1h")],
        r#"actors = ["Probe/1"]"#,
    ),
    (
        "actor/get_reminder",
        &[("type", "Probe"), ("id", "1"), ("name", "r")],
        r#"actors = ["Probe/1"]"#,
    ),
    (
        "actor/unregister_reminder",
        &[("type", "Probe"), ("id", "1"), ("name", "r")],
        r#"actors = ["Probe/1"]"#,
    ),
    (
        "actor/register_timer",
        &[("type", "Probe"), ("id", "1"), ("name", "t"), ("due-time", "1h")],
        r#"actors = ["Probe/1"]"#,
    ),
    (
        "actor/unregister_timer",
        &[("type", "Probe"), ("id", "1"), ("name", "t")],
        r#"actors = ["Probe/1"]"#,
    ),
    ("metadata/get", &[], r#"metadata = ["read"]"#),
    ("call/call", &[("method", "SubtleSignAlpha1")], r#"call = ["SubtleSignAlpha1"]"#),
];

matrix!(what_is_not_granted_is_refused_with_the_line_to_add);

async fn what_is_not_granted_is_refused_with_the_line_to_add(backend: Backend) -> Result<()> {
    let app = serve(backend).await?;
    for (operation, targets, line) in CASES {
        let told = app.ask(&format!("/{operation}"), targets, "").await?;
        let seen = (&*told.code, &*told.reason);
        assert_eq!(seen, ("PERMISSION_DENIED", "TRILBY_NOT_GRANTED"), "{operation}: {told:?}");
        assert!(told.text().contains(line), "{operation}: no `{line}` in {}", told.text());
    }
    Ok(())
}

matrix!(a_list_with_one_key_that_is_not_granted_is_refused_as_a_whole);

async fn a_list_with_one_key_that_is_not_granted_is_refused_as_a_whole(
    backend: Backend,
) -> Result<()> {
    let app = serve(backend).await?;
    let cases = [
        ("set_bulk", "{\"key\":\"mine/a\",\"value\":\"x\"}\n{\"key\":\"k\",\"value\":\"x\"}"),
        ("delete_bulk", "{\"key\":\"mine/a\"}\n{\"key\":\"k\"}"),
        ("get_bulk", "{\"key\":\"mine/a\"}\n{\"key\":\"k\"}"),
        (
            "transact",
            "{\"operation\":\"upsert\",\"key\":\"mine/a\",\"value\":\"x\"}\n\
             {\"operation\":\"delete\",\"key\":\"k\"}",
        ),
    ];
    for (operation, records) in cases {
        let path = format!("/state/{operation}");
        let told = app.ask(&path, &[("store", "statestore")], records).await?;
        told.not_granted(r#"state = ["statestore/k"]"#);
        let target = [("store", "statestore"), ("key", "mine/a")];
        assert_eq!(app.ask("/state/get", &target, "").await?.done().text(), "", "{operation}");
    }
    Ok(())
}

matrix!(reading_and_writing_are_granted_apart);

async fn reading_and_writing_are_granted_apart(backend: Backend) -> Result<()> {
    let grants = r#"state-read = ["statestore/r*", "statestore/b"], state-write = ["statestore/w", "statestore/b"]"#;
    let app = Probe::granting("state", grants).serve_plain(backend).await?;
    let of = |key| [("store", "statestore"), ("key", key)];
    for key in ["r1", "b"] {
        app.ask("/state/get", &of(key), "").await?.done();
    }
    for key in ["w", "b"] {
        app.ask("/state/set", &of(key), "x").await?.done();
    }
    assert_eq!(app.ask("/state/get", &of("b"), "").await?.done().text(), "x");
    app.ask("/state/delete", &of("b"), "").await?.done();
    let read = r#"state-read = ["statestore/w"]"#;
    app.ask("/state/get", &of("w"), "").await?.not_granted(read);
    let write = r#"state-write = ["statestore/r1"]"#;
    app.ask("/state/set", &of("r1"), "x").await?.not_granted(write);
    app.ask("/state/delete", &of("r1"), "").await?.not_granted(write);
    let store = [("store", "statestore")];
    app.ask("/state/get_bulk", &store, "{\"key\":\"w\"}").await?.not_granted(read);
    for (operation, record) in [
        ("/state/set_bulk", r#"{"key":"r1","value":"x"}"#),
        ("/state/delete_bulk", r#"{"key":"r1"}"#),
        ("/state/transact", r#"{"operation":"delete","key":"r1"}"#),
    ] {
        app.ask(operation, &store, record).await?.not_granted(write);
    }
    Ok(())
}
