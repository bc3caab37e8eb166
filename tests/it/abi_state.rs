//! `dapr_state_v1`, function by function, on every back end.

use std::collections::HashSet;

use anyhow::{Context, Result};
use trilby_testkit::{Backend, until};

use crate::probe::{self, call, get, set};

matrix!(state_functions);

async fn state_functions(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;

    // A missing key is no error: an empty value without an etag.
    let missing = get(http, "none").await?;
    assert_eq!((missing.result, &*missing.body, missing.header("etag")), (1, "", None));

    // Bytes come back as they were stored, whatever they are.
    for value in ["hello", "", "{\"a\":1}", "ümläut ✓", "line\nbreak\r\n"] {
        assert_eq!(set(http, "bytes", "", value).await?.result, 0, "{value:?}");
        assert_eq!(get(http, "bytes").await?.body, value);
    }
    let large = "x".repeat(300 << 10);
    assert_eq!(set(http, "large", "consistency: strong\n", &large).await?.result, 0);
    assert_eq!(get(http, "large").await?.body.len(), large.len());

    // Each write gives another etag.
    let mut etags = HashSet::new();
    for value in ["1", "2", "3"] {
        set(http, "versioned", "", value).await?;
        let etag = get(http, "versioned").await?.header("etag").context("no etag")?.to_owned();
        assert!(etags.insert(etag), "an etag came twice");
    }

    // Deleting is idempotent.
    for _ in 0..2 {
        let target = ["statestore", "versioned"];
        assert_eq!(call(http, "/state/delete", target, "", "").await?.result, 0);
        assert_eq!(get(http, "versioned").await?.header("etag"), None);
    }
    Ok(())
}

matrix!(state_etags);

async fn state_etags(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    let first_write = "concurrency: first-write\n";

    // The first of two first-writes wins.
    assert_eq!(set(http, "k", first_write, "first").await?.result, 0);
    let late = set(http, "k", first_write, "late").await?;
    assert_eq!(late.result, -10, "{late:?}");
    assert!(late.body.contains("etag mismatch"), "{late:?}");
    assert_eq!(late.header("name"), Some("ABORTED"));

    // The current etag writes, a stale one does not.
    let current = get(http, "k").await?.header("etag").context("no etag")?.to_owned();
    let guarded = format!("etag: {current}\n");
    assert_eq!(set(http, "k", &guarded, "second").await?.result, 0);
    assert_eq!(set(http, "k", &guarded, "third").await?.result, -10);
    assert_eq!(get(http, "k").await?.body, "second");

    // So it is with deleting.
    let target = ["statestore", "k"];
    assert_eq!(call(http, "/state/delete", target, &guarded, "").await?.result, -10);
    let current = get(http, "k").await?.header("etag").context("no etag")?.to_owned();
    let guarded = format!("etag: {current}\n");
    assert_eq!(call(http, "/state/delete", target, &guarded, "").await?.result, 0);

    // An empty etag is none; without an etag the last write wins.
    assert_eq!(set(http, "k", "etag: \n", "third").await?.result, 0);
    assert_eq!(set(http, "k", "concurrency: last-write\n", "fourth").await?.result, 0);
    assert_eq!(get(http, "k").await?.body, "fourth");
    Ok(())
}

matrix!(state_time_to_live);

async fn state_time_to_live(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    assert_eq!(set(http, "brief", "metadata.ttlInSeconds: 1\n", "x").await?.result, 0);
    until("the value's end", || async {
        get(http, "brief").await.ok().filter(|report| report.body.is_empty())
    })
    .await?;
    // A later write without one takes the time to live away.
    assert_eq!(set(http, "kept", "metadata.ttlInSeconds: 1000\n", "x").await?.result, 0);
    assert_eq!(set(http, "kept", "", "y").await?.result, 0);
    assert_eq!(get(http, "kept").await?.header("metadata.ttlExpireTime"), None);
    let wrong = set(http, "wrong", "metadata.ttlInSeconds: soon\n", "x").await?;
    assert_eq!(wrong.result, -13, "{wrong:?}");
    Ok(())
}

matrix!(state_increments_are_not_lost);

/// Writers under etags that meet on one key: every increment counts once.
async fn state_increments_are_not_lost(backend: Backend) -> Result<()> {
    const WRITERS: usize = 4;
    const EACH: usize = 10;
    let world = probe::world(backend).await?;
    let http = world.trilby.http.clone();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let http = http.clone();
        writers.spawn(async move {
            for _ in 0..EACH {
                increment(&http).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    assert_eq!(get(&http, "sum").await?.body, (WRITERS * EACH).to_string());
    Ok(())
}

async fn increment(http: &trilby_testkit::Client) -> Result<()> {
    loop {
        let seen = get(http, "sum").await?;
        let next = seen.body.parse().unwrap_or(0_usize) + 1;
        let etag = seen.header("etag").map_or_else(String::new, |etag| format!("etag: {etag}\n"));
        let options = format!("concurrency: first-write\n{etag}");
        match set(http, "sum", &options, &next.to_string()).await?.result {
            0 => return Ok(()),
            -10 => {}
            other => anyhow::bail!("unexpected result {other}"),
        }
    }
}
