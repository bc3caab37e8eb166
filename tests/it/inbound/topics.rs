//! What of an event reaches the guest: its data, its attributes, its envelope.

use anyhow::Result;
use serde_json::json;

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(way: Way, more: &str) -> Result<App> {
    let route = format!("topic = \"pubsub/t\"\n{more}");
    Setup::new(&[&route]).and("pubsub", "publish = [\"pubsub\"]").serve(way).await
}

ways!(data_and_attributes_of_an_event);

async fn data_and_attributes_of_an_event(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    let data = r#"{"key":"json","n":1.50,"list":[1,null]}"#;
    app.publish_as("t", &[("content-type", "application/json")], data).await?;
    let event = app.first("json").await?;
    assert_eq!(event.json()?, serde_json::from_str::<serde_json::Value>(data)?);
    for (name, value) in [
        ("TRILBY_TRIGGER", "topic"),
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_TYPE", "application/json"),
        ("CONTENT_LENGTH", &event.text().len().to_string()),
        ("CE_SOURCE", &app.world.app_id),
        ("CE_TYPE", "com.dapr.event.sent"),
        ("CE_SPECVERSION", "1.0"),
        ("CE_TOPIC", "t"),
        ("CE_PUBSUBNAME", "pubsub"),
    ] {
        assert_eq!(event.variable(name), value, "{name}");
    }
    for name in ["CE_ID", "CE_TIME"] {
        assert!(!event.variable(name).is_empty(), "{name}");
    }
    assert!(!event.has("TRILBY_BULK_COUNT"));
    Ok(())
}

ways!(text_and_bytes_come_as_they_were_published);

async fn text_and_bytes_come_as_they_were_published(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    app.publish("t", "text ack, with \"quotes\" and ü\n").await?;
    let text = app.first("text").await?;
    assert_eq!(text.text(), "text ack, with \"quotes\" and ü\n");
    assert_eq!(text.variable("CONTENT_TYPE"), "text/plain");

    let octets = [("content-type", "application/octet-stream")];
    app.publish_as("t", &octets, b"bytes ack \xff\x00".as_slice()).await?;
    let bytes = app.first("bytes").await?;
    assert_eq!(bytes.base64(), "Ynl0ZXMgYWNrIP8A");
    assert_eq!(bytes.variable("CONTENT_TYPE"), "application/octet-stream");
    assert_eq!(bytes.variable("CONTENT_LENGTH"), "12");
    Ok(())
}

ways!(attributes_that_the_publisher_sets);

async fn attributes_that_the_publisher_sets(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    let set = [
        ("metadata.cloudevent.id", "my id"),
        ("metadata.cloudevent.source", "/shop"),
        ("metadata.cloudevent.type", "placed"),
        ("metadata.cloudevent.subject", "a/b"),
    ];
    app.publish_as("t", &set, "set").await?;
    let event = app.first("set").await?;
    for (name, value) in [("CE_ID", "my id"), ("CE_SOURCE", "/shop"), ("CE_TYPE", "placed")] {
        assert_eq!(event.variable(name), value, "{name}");
    }
    Ok(())
}

ways!(extensions_of_a_publishers_own_envelope);

async fn extensions_of_a_publishers_own_envelope(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    let envelope = json!({
        "specversion": "1.0", "id": "7", "source": "shop", "type": "placed", "subject": "order 7",
        "time": "2026-11-24T01:02:03Z", "datacontenttype": "application/json",
        "tenant": "acme", "priority": 3, "urgent": true, "data": {"key": "own"},
    });
    let as_envelope = [("content-type", "application/cloudevents+json")];
    app.publish_as("t", &as_envelope, envelope.to_string()).await?;
    let event = app.first("own").await?;
    assert_eq!(event.json()?, json!({"key": "own"}));
    for (name, value) in [
        ("CE_ID", "7"),
        ("CE_SOURCE", "shop"),
        ("CE_TYPE", "placed"),
        ("CE_SUBJECT", "order 7"),
        ("CE_TIME", "2026-11-24T01:02:03Z"),
        ("CE_TENANT", "acme"),
        ("CE_PRIORITY", "3"),
        ("CE_URGENT", "true"),
        ("CE_TOPIC", "t"),
        ("CE_PUBSUBNAME", "pubsub"),
    ] {
        assert_eq!(event.variable(name), value, "{name}");
    }
    Ok(())
}

ways!(the_envelope_as_a_whole);

async fn the_envelope_as_a_whole(way: Way) -> Result<()> {
    let app = serve(way, "envelope = true").await?;
    app.publish_json("t", &json!({"key": "whole", "n": 1})).await?;
    let event = app.first("whole").await?;
    assert_eq!(event.variable("CONTENT_TYPE"), "application/cloudevents+json");
    let envelope = event.json()?;
    assert_eq!(envelope["data"], json!({"key": "whole", "n": 1}));
    for (variable, attribute) in
        [("CE_ID", "id"), ("CE_SOURCE", "source"), ("CE_TYPE", "type"), ("CE_TOPIC", "topic")]
    {
        assert_eq!(envelope[attribute], event.variable(variable), "{variable}");
        assert!(event.has(variable), "{variable}");
    }
    Ok(())
}

ways!(raw_payloads);

/// Without an envelope, an event has no attributes of its own: Dapr gives it some.
async fn raw_payloads(way: Way) -> Result<()> {
    let app = serve(way, "raw-payload = true").await?;
    app.publish_as("t", &[("raw", "true")], "raw ack, as it is").await?;
    let raw = app.first("raw").await?;
    assert_eq!(raw.text(), "raw ack, as it is");
    for (name, value) in [
        ("CONTENT_TYPE", "application/octet-stream"),
        ("CE_SOURCE", "Dapr"),
        ("CE_TYPE", "com.dapr.event.sent"),
        ("CE_TOPIC", "t"),
        ("CE_PUBSUBNAME", "pubsub"),
    ] {
        assert_eq!(raw.variable(name), value, "{name}");
    }
    assert!(!raw.variable("CE_ID").is_empty());

    app.publish_as("t", &[("raw", "true")], b"\xff raw".as_slice()).await?;
    // No key can be read in it: what is not UTF-8 begins with the replacement character.
    let binary = app.first("-").await?;
    assert_eq!(binary.base64(), "/yByYXc=");

    // Who reads raw payloads gets the envelope of an event that has one.
    app.publish_json("t", &json!({"key": "enveloped"})).await?;
    let enveloped = app.first("enveloped").await?.json()?;
    assert_eq!(enveloped["data"], json!({"key": "enveloped"}));
    assert_eq!(enveloped["type"], "com.dapr.event.sent");
    Ok(())
}
