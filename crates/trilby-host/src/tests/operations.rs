use super::guest::{BUFFER, BUFFER_BYTES};
use super::*;

/// An operation: its import, its arguments, its result, what Dapr is asked (a part of it), and
/// the headers and body of its answer.
type Row<'a> = (&'a str, &'a [Arg<'a>], i32, &'a str, &'a str, &'a str);

async fn check(rows: &[Row<'_>]) {
    for (import, args, result, asked, headers, body) in rows {
        let fake = Arc::new(Fake::default());
        let buffer = [n(1), n(BUFFER), n(BUFFER_BYTES)];
        let calls: [(&str, &[Arg<'_>]); 3] =
            [(*import, *args), ("dapr_v1.headers", &buffer), ("dapr_v1.read", &buffer)];
        let answers = run(&fake, &calls).await;
        assert_eq!(answers[0].0, *result, "{import}: {answers:?}");
        let seen = fake.asked().join("; ");
        assert!(seen.contains(asked), "{import} asked {seen}, not {asked}");
        if *result > 0 {
            assert_eq!(
                (answers[1].1.as_str(), answers[2].1.as_str()),
                (*headers, *body),
                "{import}"
            );
        }
    }
}

#[tokio::test]
async fn state() {
    let upsert = r#"{"operation":"upsert","key":"k","value":"v"}"#;
    check(&[
        (
            "dapr_state_v1.get",
            &[s("store"), s("k"), s("consistency: strong\nmetadata.a: b")],
            1,
            r#"GetState { store: "store", key: "k", consistency: Strong, metadata: {"a": "b"} }"#,
            "metadata.m: 1\netag: 7\n",
            "value",
        ),
        (
            "dapr_state_v1.set",
            &[s("store"), s("k"), s("etag: 1\ncontent-type: application/json"), s("{}")],
            0,
            r#"items: [StateItem { key: "k", value: b"{}", etag: Some("1"), metadata: {"contentType": "application/json"}"#,
            "",
            "",
        ),
        (
            "dapr_state_v1.delete",
            &[s("store"), s("k"), s("etag: 1\nconcurrency: first-write")],
            -10,
            r#"key: "k", etag: Some("1"), concurrency: FirstWrite"#,
            "",
            "",
        ),
        (
            "dapr_state_v1.get_bulk",
            &[s("store"), s("parallelism: 3"), s("{\"key\":\"a\"}\n{\"key\":\"b\"}\n")],
            1,
            r#"keys: ["a", "b"], parallelism: 3"#,
            "",
            "{\"key\":\"a\"}\n{\"key\":\"b\"}\n",
        ),
        ("dapr_state_v1.get_bulk", &[s("store"), s(""), s("\n")], 1, "", "", ""),
        (
            "dapr_state_v1.set_bulk",
            &[s("store"), s(""), s(r#"{"key":"a","value":"1"}"#)],
            0,
            r#"SaveState { store: "store", items: [StateItem { key: "a", value: b"1""#,
            "",
            "",
        ),
        (
            "dapr_state_v1.delete_bulk",
            &[s("store"), s(""), s(r#"{"key":"a"}"#)],
            0,
            r#"DeleteStates { store: "store", keys: [StateKey { key: "a""#,
            "",
            "",
        ),
        (
            "dapr_state_v1.transact",
            &[s("store"), s("metadata.a: b"), s(upsert)],
            0,
            r#"operations: [Upsert(StateItem { key: "k""#,
            "",
            "",
        ),
        (
            "dapr_state_v1.query",
            &[s("store"), s(""), s("{}")],
            1,
            r#"QueryState { store: "store", query: "{}""#,
            "token: t\n",
            "",
        ),
        ("dapr_state_v1.set_bulk", &[s("store"), s("metadata.a: b"), s("")], -3, "", "", ""),
        ("dapr_state_v1.get_bulk", &[s("x"), s(""), s(r#"{"key":"a"}"#)], -7, "", "", ""),
        ("dapr_state_v1.get", &[s("store"), s("a||b"), s("")], -3, "", "", ""),
    ])
    .await;
}

#[tokio::test]
async fn messages_and_bindings() {
    check(&[
        (
            "dapr_pubsub_v1.publish",
            &[s("bus"), s("t"), s("content-type: a/b"), s("x")],
            0,
            r#"Publish { pubsub: "bus", topic: "t", data: b"x", content_type: Some("a/b")"#,
            "",
            "",
        ),
        (
            "dapr_pubsub_v1.publish_bulk",
            &[s("bus"), s("t"), s(""), s(r#"{"data":"x"}"#)],
            1,
            r#"events: [BulkEvent { id: "0", data: b"x""#,
            "",
            "{\"id\":\"0\",\"error\":\"full\"}\n",
        ),
        (
            "dapr_binding_v1.invoke",
            &[s("bind"), s("create"), s("metadata.fileName: f"), s("x")],
            1,
            r#"binding: "bind", operation: "create", data: b"x", metadata: {"fileName": "f"}"#,
            "metadata.m: 1\n",
            "bound",
        ),
    ])
    .await;
}

#[tokio::test]
async fn invocation_and_encryption() {
    check(&[
        (
            "dapr_invoke_v1.call",
            &[s("app"), s("/m/1"), s("verb: PUT\nquery: a=b\nheader.x: y"), s("body")],
            1,
            r#"app: "app", path: "m/1", method: PUT, query: Some("a=b"), headers: {"x": "y"}"#,
            "status: 201\n",
            "body",
        ),
        ("dapr_invoke_v1.call", &[s("app"), s("a/%2e%2e"), s(""), s("")], -3, "", "", ""),
        ("dapr_invoke_v1.open", &[s("other"), s("m"), s("")], -7, "", "", ""),
        (
            "dapr_crypto_v1.encrypt",
            &[s("keys"), s("k"), s("algorithm: A256KW\ncipher: aes-gcm"), s("plain")],
            1,
            r#"key: "k", algorithm: "A256KW", cipher: Some("aes-gcm"), decryption_key: None"#,
            "",
            "plain",
        ),
        ("dapr_crypto_v1.encrypt", &[s("keys"), s("k"), s(""), s("plain")], -3, "", "", ""),
        (
            "dapr_crypto_v1.decrypt",
            &[s("keys"), s("k"), s(""), s("sealed")],
            1,
            r#"Decrypt { component: "keys", key: "k" }"#,
            "",
            "sealed",
        ),
        ("dapr_crypto_v1.encrypt_open", &[s("keys"), s(""), s("algorithm: a")], -3, "", "", ""),
        ("dapr_crypto_v1.decrypt_open", &[s("other"), s("k"), s("")], -7, "", "", ""),
    ])
    .await;
}

#[tokio::test]
async fn secrets_and_configuration_are_filtered() {
    check(&[
        (
            "dapr_secret_v1.get",
            &[s("vault"), s("b"), s("metadata.version_id: 2")],
            1,
            r#"key: "b", metadata: {"version_id": "2"}"#,
            "value.v: s3cret\n",
            "s3cret",
        ),
        (
            "dapr_secret_v1.get_bulk",
            &[s("vault"), s("")],
            1,
            r#"GetSecrets { store: "vault""#,
            "",
            "{\"key\":\"a1\",\"values\":{\"v\":\"a1\"}}\n{\"key\":\"b\",\"values\":{\"v\":\"b\"}}\n",
        ),
        ("dapr_secret_v1.get_bulk", &[s("other"), s("")], -7, "", "", ""),
        (
            "dapr_configuration_v1.get",
            &[s("conf"), s(""), s("")],
            1,
            r#"store: "conf", keys: ["x"]"#,
            "",
            "{\"key\":\"x\",\"value\":\"1\"}\n",
        ),
        (
            "dapr_configuration_v1.get",
            &[s("prefixed"), s(""), s("")],
            1,
            r#"store: "prefixed", keys: []"#,
            "",
            "{\"key\":\"x\",\"value\":\"1\"}\n{\"key\":\"x2\",\"value\":\"1\"}\n",
        ),
        ("dapr_configuration_v1.get", &[s("conf"), s(""), s(r#"{"key":"y"}"#)], -7, "", "", ""),
    ])
    .await;
}

#[tokio::test]
async fn locks_and_jobs() {
    let lock = |resource| [s("lock"), s(resource), s("me"), s("expiry: 5")];
    let unlock = |resource| [s("lock"), s(resource), s("me"), s("")];
    let asked = r#"TryLock { store: "lock", resource: "r", owner: "me", expiry: 5s }"#;
    check(&[
        ("dapr_lock_v1.try_lock", &lock("r"), 0, asked, "", ""),
        ("dapr_lock_v1.try_lock", &lock("held"), -10, "", "", ""),
        ("dapr_lock_v1.unlock", &unlock("r"), 0, r#"resource: "r", owner: "me""#, "", ""),
        ("dapr_lock_v1.unlock", &unlock("missing"), -5, "", "", ""),
        ("dapr_lock_v1.unlock", &unlock("held"), -10, "", "", ""),
        ("dapr_lock_v1.unlock", &[s("lock"), s("r"), s(""), s("")], -3, "", "", ""),
        (
            "dapr_jobs_v1.schedule",
            &[s("j"), s("due-time: 1s\noverwrite: true"), s("x")],
            0,
            r#"due_time: Some("1s"), ttl: None, data: Some(Bytes(b"x"))"#,
            "",
            "",
        ),
        (
            "dapr_jobs_v1.get",
            &[s("j"), s("")],
            1,
            r#"("get_job", "j")"#,
            "due-time: 1s\ncontent-type: application/json\n",
            "{}",
        ),
        ("dapr_jobs_v1.delete", &[s("j"), s("")], 0, r#"("delete_job", "j")"#, "", ""),
        ("dapr_jobs_v1.delete", &[s("x"), s("")], -7, "", "", ""),
        ("dapr_jobs_v1.list", &[s("")], 1, "", "", "{\"name\":\"j1\"}\n"),
    ])
    .await;
}

#[tokio::test]
async fn actors() {
    let actor = r#"Actor { actor_type: "Cart", id: "1" }"#;
    let named = |name| [s("Cart"), s("1"), s(name), s("")];
    let reminder = [s("Cart"), s("1"), s("r"), s("due-time: 1s\noverwrite: false"), s("1")];
    let timer = [s("Cart"), s("1"), s("t"), s("period: 2s\ncallback: back"), s("1")];
    check(&[
        (
            "dapr_actor_v1.invoke",
            &[s("Cart"), s("1"), s("m"), s("metadata.a: b"), s("x")],
            1,
            r#"method: "m", data: b"x", metadata: {"a": "b"}"#,
            "",
            "acted",
        ),
        ("dapr_actor_v1.get_state", &named("k"), 1, &format!(r#"({actor}, "k")"#), "", "1"),
        (
            "dapr_actor_v1.transact_state",
            &[s("Cart"), s("1"), s(""), s(r#"{"operation":"delete","key":"k"}"#)],
            0,
            r#"[Delete { key: "k" }]"#,
            "",
            "",
        ),
        (
            "dapr_actor_v1.register_reminder",
            &reminder,
            0,
            r#"due_time: "1s", period: "", ttl: "", data: b"1", overwrite: Some(false)"#,
            "",
            "",
        ),
        ("dapr_actor_v1.get_reminder", &named("r"), 1, "get_reminder", "period: 1m\n", "1"),
        ("dapr_actor_v1.unregister_reminder", &named("r"), 0, "unregister_reminder", "", ""),
        (
            "dapr_actor_v1.register_timer",
            &timer,
            0,
            r#"period: "2s", ttl: "", callback: "back", data: b"1""#,
            "",
            "",
        ),
        ("dapr_actor_v1.unregister_timer", &named("t"), 0, "unregister_timer", "", ""),
        ("dapr_actor_v1.unregister_timer", &named("../t"), -3, "", "", ""),
    ])
    .await;
}

#[tokio::test]
async fn the_runtime_and_what_is_left() {
    let call = |rpc| [s(rpc), s("metadata.a: b"), s("\u{8}")];
    check(&[
        ("dapr_metadata_v1.get", &[s("")], 1, "", "", "{\"id\":\"me\"}"),
        (
            "dapr_metadata_v1.set",
            &[s("k"), s(""), s("")],
            0,
            r#"("set_metadata", "k", "")"#,
            "",
            "",
        ),
        (
            "dapr_v1.call",
            &call("Shutdown"),
            1,
            r#"Call { rpc: "Shutdown", request: b"\x08", metadata: {"a": "b"} }"#,
            "",
            "called",
        ),
        ("dapr_v1.call", &call("GetState"), -7, "", "", ""),
        ("dapr_v1.call", &call("SubscribeConfiguration"), -12, "", "", ""),
        ("dapr_v1.call", &call("ListActorReminders"), -7, "", "", ""),
        (
            "dapr_conversation_v1.converse",
            &[s("llm"), s(""), s("{}")],
            1,
            r#"Converse { component: "llm", request: b"{}" }"#,
            "",
            "{}",
        ),
        ("dapr_conversation_v1.converse", &[s("llm"), s("a: b"), s("{}")], -3, "", "", ""),
    ])
    .await;
}
