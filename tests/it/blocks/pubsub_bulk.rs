//! `dapr_pubsub_v1`: publishing several events at once.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use trilby_testkit::Backend;

use super::probe::{App, Probe, Told};
use super::pubsub::probe;
use super::pubsub_heard::{Heard, hear, heard};

async fn publish_bulk(
    app: &App,
    topic: &str,
    more: &[(&str, &str)],
    records: &[Value],
) -> Result<Told> {
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    let parameters = [&[("pubsub", "pubsub"), ("topic", topic)], more].concat();
    app.ask("/pubsub/publish_bulk", &parameters, lines).await
}

matrix!(each_event_of_a_list_arrives);

async fn each_event_of_a_list_arrives(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let records = [
        json!({"data": "first"}),
        json!({"id": "x", "data": "second", "metadata": {"cloudevent.type": "of.its.own"}}),
        json!({"id": "y", "data-base64": "AP8=", "content-type": "application/octet-stream"}),
        json!({"id": "z", "data": "{\"a\":1}", "content-type": "application/json"}),
        json!({"data": ""}),
    ];
    let told = publish_bulk(&app, "plain", &[("content-type", "text/x-all")], &records).await?;
    assert_eq!((&*told.code, &*told.text()), ("OK", ""), "{told:?}");
    let events = hear(&app.world.trilby, 5, |_| true).await?;
    let mut seen: Vec<(String, &str)> =
        events.iter().map(|event| (event.text(), event.variable("CONTENT_TYPE"))).collect();
    seen.sort_unstable();
    let expected = [
        ("", "text/x-all"),
        ("\0\u{fffd}", "application/octet-stream"),
        ("first", "text/x-all"),
        ("second", "text/x-all"),
        ("{\"a\":1}", "application/json"),
    ];
    assert_eq!(seen, expected.map(|(text, media_type)| (text.to_owned(), media_type)));
    let second = events.iter().find(|event| event.body == b"second").context("no second")?;
    assert_eq!(second.variable("CE_TYPE"), "of.its.own");
    let mut ids: Vec<&str> = events.iter().map(|event| event.variable("CE_ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each has an id of its own: {ids:?}");
    Ok(())
}

matrix!(a_list_may_be_raw_and_may_be_empty);

async fn a_list_may_be_raw_and_may_be_empty(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let told = publish_bulk(&app, "raw", &[], &[]).await?;
    assert_eq!((&*told.code, &*told.text()), ("OK", ""), "{told:?}");
    let records = [json!({"data": "raw 1"}), json!({"data": "raw 2"})];
    publish_bulk(&app, "raw", &[("raw", "true")], &records).await?.done();
    let is_it = |event: &Heard| event.body.starts_with(b"raw ");
    let events = hear(&app.world.trilby, 2, is_it).await?;
    assert!(events.iter().all(|event| event.variable("CE_TOPIC") == "raw"), "{events:?}");
    Ok(())
}

matrix!(a_list_with_a_wrong_record_is_refused_as_a_whole);

async fn a_list_with_a_wrong_record_is_refused_as_a_whole(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let cases = [
        r#"{"id": "0", "data": "the number of the first"}"#,
        r#"{"data": "x", "data-base64": "eA=="}"#,
        r#"{"data-base64": "?"}"#,
        r#"{"id": "x"}"#,
        r#"{"value": "x"}"#,
        r#"{"data": {"a": 1}}"#,
    ];
    for record in cases {
        let body = format!("{{\"data\": \"first\"}}\n{record}\n");
        let target = [("a", "pubsub"), ("b", "plain")];
        let told = app.ask("/pubsub/raw/publish_bulk", &target, body).await?;
        assert_eq!(told.reason, "TRILBY_INVALID_ARGUMENT", "{record}: {told:?}");
        assert!(told.text().contains("record 2"), "{record}: {told:?}");
    }
    publish_bulk(&app, "plain", &[], &[json!({"data": "last"})]).await?.done();
    hear(&app.world.trilby, 1, |event| event.body == b"last").await?;
    assert_eq!(heard(&app.world.trilby).len(), 1);
    Ok(())
}

/// daprd does not tell over gRPC which events of a list were not published when it publishes them
/// one by one, as it does for this broker: the whole call is then an error. (The embedded broker is
/// never gone.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_published_is_an_error() -> Result<()> {
    let backend = Backend::DaprdRedis;
    if backend.is_left_out() {
        return Ok(());
    }
    let lines = "[limits]\ndeadline = \"40s\"\ndapr-timeout = \"30s\"\n";
    let app = Probe::granting("pubsub", r#"publish = ["pubsub"]"#).lines(lines);
    let mut app = app.serve_plain(backend).await?;
    app.world.redis = None;
    let records = [json!({"data": "a"}), json!({"id": "x", "data": "b"})];
    let told = publish_bulk(&app, "plain", &[], &records).await?;
    told.refused("INTERNAL", "DAPR_PUBSUB_PUBLISH_MESSAGE", "plain");
    Ok(())
}
