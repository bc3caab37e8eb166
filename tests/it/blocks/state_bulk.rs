//! `dapr_state_v1`: several keys at once.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use trilby_testkit::Backend;

use super::probe::{App, Told};
use super::state::{etag, get, probe, set};

const STORE: (&str, &str) = ("store", "statestore");

/// Calls an operation with records.
pub(crate) async fn records(app: &App, operation: &str, records: &[Value]) -> Result<Told> {
    app.ask(&format!("/state/{operation}"), &[STORE], lines(records)).await
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Asks for keys; the answers by key.
async fn get_bulk(app: &App, keys: &[&str]) -> Result<BTreeMap<String, Value>> {
    let keys: Vec<Value> = keys.iter().map(|key| json!({"key": key})).collect();
    let told = records(app, "get_bulk", &keys).await?.done();
    let found = told.records()?.into_iter().map(|record| {
        let key = record["key"].as_str().context("no key")?.to_owned();
        Ok((key, record))
    });
    found.collect()
}

matrix!(many_keys_are_read_at_once);

async fn many_keys_are_read_at_once(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    set(&app, "text", &[], "hello").await?.done();
    set(&app, "bytes", &[], &b"\xff\0"[..]).await?.done();
    set(&app, "empty", &[], "").await?.done();
    let found = get_bulk(&app, &["none", "bytes", "text", "empty"]).await?;
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found["none"], json!({"key": "none"}));
    for (key, field, value) in
        [("text", "value", "hello"), ("bytes", "value-base64", "/wA="), ("empty", "value", "")]
    {
        assert_eq!(found[key][field], value, "{found:?}");
        assert_eq!(found[key]["etag"], *etag(&app, key).await?, "{found:?}");
        assert_eq!(found[key].get("error"), None, "{found:?}");
    }

    // More than a store reads in one go, with a hint how.
    // In one transaction: daprd writes a list to SQLite with as many writers, which may time out.
    let upsert = |n| json!({"operation": "upsert", "key": format!("k{n}"), "value": "v"});
    records(&app, "transact", &(0..250).map(upsert).collect::<Vec<_>>()).await?.done();
    let keys: String = (0..251).map(|n| format!("{{\"key\":\"k{n}\"}}\n")).collect();
    let told = app.ask("/state/get_bulk", &[STORE, ("parallelism", "3")], keys).await?.done();
    let found = told.records()?;
    assert_eq!(found.len(), 251);
    assert_eq!(found.iter().filter(|record| record["value"] == "v").count(), 250);
    Ok(())
}

matrix!(nothing_asked_is_nothing_done);

async fn nothing_asked_is_nothing_done(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    for operation in ["get_bulk", "set_bulk", "delete_bulk", "transact"] {
        let told = records(&app, operation, &[]).await?;
        assert_eq!((&*told.code, &*told.text()), ("OK", ""), "{operation}");
    }
    Ok(())
}

matrix!(many_keys_are_written_at_once);

async fn many_keys_are_written_at_once(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let all = json!({
        "key": "all", "value": "{}", "etag": "", "concurrency": "first-write",
        "consistency": "strong", "content-type": "application/json",
        "metadata": {"ttlInSeconds": "1000"}
    });
    let plain =
        [json!({"key": "a", "value": "1"}), json!({"key": "b", "value-base64": "/wA="}), all];
    records(&app, "set_bulk", &plain).await?.done();
    for (key, value) in [("a", &b"1"[..]), ("b", b"\xff\0"), ("all", b"{}")] {
        assert_eq!(get(&app, key).await?.done().body, value, "{key}");
    }

    // Good ones are written whatever becomes of the others, in whichever order.
    let stale = etag(&app, "a").await?;
    set(&app, "a", &[], "2").await?.done();
    let mixed = [
        json!({"key": "c", "value": "before"}),
        json!({"key": "a", "value": "lost", "etag": stale}),
        json!({"key": "d", "value": "after"}),
    ];
    let told = records(&app, "set_bulk", &mixed).await?;
    assert_eq!(told.code, "ABORTED", "{told:?}");
    for (key, value) in [("a", "2"), ("c", "before"), ("d", "after")] {
        assert_eq!(get(&app, key).await?.done().text(), value, "{key}");
    }
    Ok(())
}

matrix!(many_keys_are_deleted_at_once);

async fn many_keys_are_deleted_at_once(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    for key in ["a", "b", "c", "d"] {
        set(&app, key, &[], "x").await?.done();
    }
    let stale = etag(&app, "b").await?;
    set(&app, "b", &[], "y").await?.done();
    let current = etag(&app, "a").await?;
    let good = [json!({"key": "a", "etag": current}), json!({"key": "none"})];
    records(&app, "delete_bulk", &good).await?.done();
    let mixed = [json!({"key": "c"}), json!({"key": "b", "etag": stale}), json!({"key": "d"})];
    let told = records(&app, "delete_bulk", &mixed).await?;
    assert_eq!(told.code, "ABORTED", "{told:?}");
    for (key, value) in [("a", ""), ("b", "y"), ("c", ""), ("d", "")] {
        assert_eq!(get(&app, key).await?.done().text(), value, "{key}");
    }
    Ok(())
}

matrix!(a_record_that_is_wrong_is_named);

/// None of the list is then done.
async fn a_record_that_is_wrong_is_named(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let cases = [
        ("set_bulk", r#"{"key": "k", "value": "x", "extra": 1}"#),
        ("set_bulk", r#"{"key": "k", "value": "x", "value-base64": "eA=="}"#),
        ("set_bulk", r#"{"key": "k", "value-base64": "?"}"#),
        ("set_bulk", r#"{"key": "k"}"#),
        ("set_bulk", r#"{"value": "x"}"#),
        ("set_bulk", r#"{"key": "k", "value": "x", "concurrency": "no-write"}"#),
        ("set_bulk", r#"{"key": "k", "value": 1}"#),
        ("set_bulk", r#"{"key": "k", "value": "x", "metadata": {"a": 1}}"#),
        ("set_bulk", "["),
        ("delete_bulk", r#"{"key": "k", "value": "x"}"#),
        ("get_bulk", r#"{"key": "k", "etag": "1"}"#),
        ("transact", r#"{"operation": "increment", "key": "k"}"#),
        ("transact", r#"{"key": "k", "value": "x"}"#),
        ("transact", r#"{"operation": "delete", "key": "k", "value": "x"}"#),
    ];
    for (function, record) in cases {
        let first = match function {
            "get_bulk" | "delete_bulk" => r#"{"key": "first"}"#,
            "transact" => r#"{"operation": "upsert", "key": "first", "value": "x"}"#,
            _ => r#"{"key": "first", "value": "x"}"#,
        };
        let body = format!("{first}\n\n{record}\n");
        let told = app.ask(&format!("/state/raw/{function}"), &[("a", "statestore")], body).await?;
        let seen = (&*told.code, &*told.reason, told.text().contains("record 2"));
        let wanted = ("INVALID_ARGUMENT", "TRILBY_INVALID_ARGUMENT", true);
        assert_eq!(seen, wanted, "{function} {record}: {told:?}");
        assert_eq!(get(&app, "first").await?.done().text(), "", "{function} {record}");
    }
    // What is longer than a list may be is refused as a whole.
    let many = "{\"key\":\"k\"}\n".repeat(10_001);
    let told = app.ask("/state/raw/get_bulk", &[("a", "statestore")], many).await?;
    told.refused("RESOURCE_EXHAUSTED", "TRILBY_TOO_LARGE", "10000 records");
    Ok(())
}
