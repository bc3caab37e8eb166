//! `dapr_state_v1`: one key at a time.

use std::collections::HashSet;

use anyhow::{Context, Result};
use bytes::Bytes;
use trilby_testkit::{Backend, until};

use super::probe::{App, Probe, Told};

/// An application that may do everything with `statestore`.
pub(crate) fn probe() -> Probe {
    Probe::granting("state", r#"state = ["statestore"], state-query = ["statestore"]"#)
}

const STORE: (&str, &str) = ("store", "statestore");

/// Calls an operation on a key of `statestore`, with further parameters.
pub(crate) async fn on_key(
    app: &App,
    operation: &str,
    key: &str,
    more: &[(&str, &str)],
    value: impl Into<Bytes>,
) -> Result<Told> {
    let parameters = [&[STORE, ("key", key)], more].concat();
    app.ask(&format!("/state/{operation}"), &parameters, value).await
}

/// Reads a key.
pub(crate) async fn get(app: &App, key: &str) -> Result<Told> {
    on_key(app, "get", key, &[], "").await
}

/// Writes a key, with further parameters.
pub(crate) async fn set(
    app: &App,
    key: &str,
    more: &[(&str, &str)],
    value: impl Into<Bytes>,
) -> Result<Told> {
    on_key(app, "set", key, more, value).await
}

/// The etag of a key that is there.
pub(crate) async fn etag(app: &App, key: &str) -> Result<String> {
    Ok(get(app, key).await?.done().header("etag").context("no etag")?.to_owned())
}

matrix!(a_value_comes_back_as_it_was_stored);

async fn a_value_comes_back_as_it_was_stored(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let large = vec![b'x'; 1 << 20];
    let values: [&[u8]; 8] = [
        b"hello",
        b"",
        b"{\"a\": 1}",
        "ümläut ✓".as_bytes(),
        b"line\nbreak\r\n",
        b"\0\xff\xfe\x80",
        b"null",
        &large,
    ];
    for value in values {
        set(&app, "key", &[], value.to_vec()).await?.done();
        let got = get(&app, "key").await?.done();
        assert_eq!(got.body, value);
        assert!(got.header("etag").is_some_and(|etag| !etag.is_empty()), "{got:?}");
    }
    Ok(())
}

matrix!(a_missing_key_is_no_error);

async fn a_missing_key_is_no_error(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    for _ in 0..2 {
        let missing = get(&app, "key").await?.done();
        assert_eq!((&*missing.body, missing.header("etag")), (&b""[..], None));
        on_key(&app, "delete", "key", &[], "").await?.done();
    }
    set(&app, "key", &[], "x").await?.done();
    on_key(&app, "delete", "key", &[], "").await?.done();
    let deleted = get(&app, "key").await?.done();
    assert_eq!((&*deleted.body, deleted.header("etag")), (&b""[..], None));
    Ok(())
}

matrix!(each_write_has_an_etag_of_its_own);

async fn each_write_has_an_etag_of_its_own(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let mut etags = HashSet::new();
    for _ in 0..3 {
        set(&app, "key", &[], "the same").await?.done();
        assert!(etags.insert(etag(&app, "key").await?), "an etag came twice");
    }
    assert_eq!(etag(&app, "key").await?, etag(&app, "key").await?, "reading changes nothing");
    Ok(())
}

matrix!(an_etag_that_is_not_current_loses);

async fn an_etag_that_is_not_current_loses(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    set(&app, "key", &[], "first").await?.done();
    let old = etag(&app, "key").await?;
    set(&app, "key", &[("etag", &old)], "second").await?.done();
    // Without a word about concurrency, too: an etag is always checked.
    for concurrency in
        [&[][..], &[("concurrency", "first-write")], &[("concurrency", "last-write")]]
    {
        let guarded = [&[("etag", &*old)], concurrency].concat();
        let mismatch = "possible etag mismatch";
        set(&app, "key", &guarded, "third").await?.refused("ABORTED", "ERR_STATE_SAVE", mismatch);
        let lost = on_key(&app, "delete", "key", &guarded, "").await?;
        lost.refused("ABORTED", "ERR_STATE_DELETE", mismatch);
    }
    assert_eq!(get(&app, "key").await?.text(), "second");
    // An empty etag is none.
    set(&app, "key", &[("etag", "")], "third").await?.done();
    let current = etag(&app, "key").await?;
    on_key(&app, "delete", "key", &[("etag", &current)], "").await?.done();
    assert_eq!(get(&app, "key").await?.text(), "");
    // An etag is for a key that is there; but not to `state.redis`.
    let gone = set(&app, "key", &[("etag", &current)], "x").await?;
    let expected = if backend == Backend::DaprdRedis { "OK" } else { "ABORTED" };
    assert_eq!(gone.code, expected, "{gone:?}");
    Ok(())
}

matrix!(the_first_of_two_first_writes_wins);

async fn the_first_of_two_first_writes_wins(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let first = [("concurrency", "first-write")];
    set(&app, "key", &first, "first").await?.done();
    let late = set(&app, "key", &first, "late").await?;
    late.refused("ABORTED", "ERR_STATE_SAVE", "possible etag mismatch");
    assert_eq!(get(&app, "key").await?.text(), "first");
    let current = etag(&app, "key").await?;
    let guarded = [first[0], ("etag", &current)];
    set(&app, "key", &guarded, "second").await?.done();
    // `state.redis` never lets a key be written blindly that was once written so.
    let last = set(&app, "key", &[("concurrency", "last-write")], "third").await?;
    let expected = if backend == Backend::DaprdRedis { "INTERNAL" } else { "OK" };
    assert_eq!(last.code, expected, "{last:?}");
    on_key(&app, "delete", "key", &[], "").await?.done();
    // The key is free again.
    set(&app, "key", &first, "again").await?.done();
    assert_eq!(get(&app, "key").await?.text(), "again");
    Ok(())
}

matrix!(either_consistency_gives_what_was_written);

async fn either_consistency_gives_what_was_written(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    for consistency in ["eventual", "strong"] {
        let wanted = [("consistency", consistency)];
        set(&app, "key", &wanted, consistency).await?.done();
        assert_eq!(on_key(&app, "get", "key", &wanted, "").await?.done().text(), consistency);
        on_key(&app, "delete", "key", &wanted, "").await?.done();
        assert_eq!(on_key(&app, "get", "key", &wanted, "").await?.done().text(), "");
    }
    Ok(())
}

matrix!(a_value_lives_as_long_as_it_was_given);

async fn a_value_lives_as_long_as_it_was_given(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    set(&app, "brief", &[("ttl", "1")], "x").await?.done();
    until("the value's end", || async {
        get(&app, "brief").await.ok().filter(|told| told.body.is_empty())
    })
    .await?;
    // Its end leaves nothing behind that a first write could meet.
    set(&app, "brief", &[("concurrency", "first-write")], "y").await?.done();

    set(&app, "long", &[("metadata.ttlInSeconds", "1000")], "x").await?.done();
    let end = get(&app, "long").await?.done();
    // Redis keeps the time to itself.
    let is_told = backend != Backend::DaprdRedis;
    assert_eq!(end.header("metadata.ttlExpireTime").is_some(), is_told, "{end:?}");
    // A later write without one takes the time to live away, and so does -1.
    for more in [&[][..], &[("metadata.ttlInSeconds", "-1")]] {
        set(&app, "long", &[("ttl", "1000")], "x").await?.done();
        set(&app, "long", more, "y").await?.done();
        assert_eq!(get(&app, "long").await?.done().header("metadata.ttlExpireTime"), None);
    }
    let wrong = set(&app, "wrong", &[("metadata.ttlInSeconds", "soon")], "x").await?;
    wrong.refused("INTERNAL", "ERR_STATE_SAVE", "soon");
    Ok(())
}

matrix!(json_must_be_json_where_it_says_so);

async fn json_must_be_json_where_it_says_so(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let forms =
        [("content-type", "application/json"), ("metadata.contentType", "application/json")];
    for form in forms {
        set(&app, "key", &[form], "{\"a\":1}").await?.done();
        assert_eq!(get(&app, "key").await?.done().text(), "{\"a\":1}");
        let wrong = set(&app, "other", &[form], "{a").await?;
        assert_ne!(wrong.code, "OK", "{form:?}: {wrong:?}");
        assert_eq!(get(&app, "other").await?.done().text(), "", "{form:?}");
    }
    Ok(())
}

matrix!(a_store_that_cannot_query_says_so);

/// None of these stores can. (`state.redis` could with the module RedisJSON.)
async fn a_store_that_cannot_query_says_so(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let told = app.ask("/state/query", &[STORE], r#"{"filter":{}}"#).await?;
    if backend == Backend::DaprdRedis {
        told.refused(
            "INTERNAL",
            "DAPR_STATE_QUERY_FAILED",
            "redis-json server support is required",
        );
    } else {
        let reason = "DAPR_STATE_QUERYING_NOT_SUPPORTED";
        told.refused("INTERNAL", reason, "state store does not support querying");
    }
    Ok(())
}
