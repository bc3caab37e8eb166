//! `dapr_state_v1`: transactions.

use anyhow::Result;
use serde_json::json;
use trilby_testkit::Backend;

use super::state::{etag, get, probe, set};
use super::state_bulk::records;

matrix!(a_transaction_is_done_in_order);

async fn a_transaction_is_done_in_order(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    set(&app, "a", &[], "old").await?.done();
    set(&app, "gone", &[], "old").await?.done();
    let current = etag(&app, "gone").await?;
    let all = [
        json!({"operation": "delete", "key": "a"}),
        json!({"operation": "upsert", "key": "a", "value": "1"}),
        json!({"operation": "upsert", "key": "a", "value": "2"}),
        json!({"operation": "upsert", "key": "b", "value-base64": "/wA="}),
        json!({"operation": "delete", "key": "b"}),
        json!({"operation": "upsert", "key": "b", "value-base64": "/wA=",
               "metadata": {"ttlInSeconds": "1000"}}),
        json!({"operation": "delete", "key": "none"}),
        json!({"operation": "delete", "key": "gone", "etag": current}),
        json!({"operation": "upsert", "key": "c", "value": "", "concurrency": "first-write",
               "consistency": "strong"}),
    ];
    records(&app, "transact", &all).await?.done();
    assert_eq!(get(&app, "a").await?.done().text(), "2");
    assert_eq!(get(&app, "b").await?.done().body, &b"\xff\0"[..]);
    assert_eq!(get(&app, "gone").await?.done().header("etag"), None);
    assert!(get(&app, "c").await?.done().header("etag").is_some());
    Ok(())
}

matrix!(a_transaction_that_loses_a_race_is_undone);

async fn a_transaction_that_loses_a_race_is_undone(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    set(&app, "raced", &[], "old").await?.done();
    let stale = etag(&app, "raced").await?;
    set(&app, "raced", &[], "new").await?.done();
    let lost = [
        json!({"operation": "upsert", "key": "raced", "value": "lost", "etag": stale}),
        json!({"operation": "delete", "key": "raced", "etag": stale}),
    ];
    for operation in lost {
        let first = json!({"operation": "upsert", "key": "first", "value": "x"});
        let last = json!({"operation": "upsert", "key": "last", "value": "x"});
        let told = records(&app, "transact", &[first, operation.clone(), last]).await?;
        assert_eq!(told.code, "ABORTED", "{operation}: {told:?}");
        assert_eq!(told.reason, "ERR_STATE_TRANSACTION", "{operation}: {told:?}");
        assert_eq!(get(&app, "raced").await?.done().text(), "new", "{operation}");
        // The transactions of `state.redis` are not all-or-nothing: the script of a lost race fails
        // by itself, and what was queued beside it is done.
        if backend != Backend::DaprdRedis {
            assert_eq!(get(&app, "first").await?.done().text(), "", "{operation}");
            assert_eq!(get(&app, "last").await?.done().text(), "", "{operation}");
        }
    }
    // The first of two first-writes wins here, too.
    let first_write = |value: &str| json!({"operation": "upsert", "key": "once", "value": value, "concurrency": "first-write"});
    records(&app, "transact", &[first_write("1")]).await?.done();
    let late = records(&app, "transact", &[first_write("2")]).await?;
    // To the transactions of `state.redis`, each write without an etag is a last write.
    let (code, value) = if backend == Backend::DaprdRedis { ("OK", "2") } else { ("ABORTED", "1") };
    assert_eq!(late.code, code, "{late:?}");
    assert_eq!(get(&app, "once").await?.done().text(), value);
    Ok(())
}

matrix!(a_transaction_that_fails_otherwise_is_undone);

async fn a_transaction_that_fails_otherwise_is_undone(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let told = records(
        &app,
        "transact",
        &[
            json!({"operation": "upsert", "key": "first", "value": "x"}),
            json!({"operation": "upsert", "key": "bad", "value": "x",
                   "metadata": {"ttlInSeconds": "soon"}}),
        ],
    )
    .await?;
    told.refused("INTERNAL", "ERR_STATE_TRANSACTION", "soon");
    assert_eq!(get(&app, "first").await?.done().text(), "");
    assert_eq!(get(&app, "bad").await?.done().text(), "");
    Ok(())
}
