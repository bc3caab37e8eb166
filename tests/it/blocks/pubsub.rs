//! `dapr_pubsub_v1`: publishing, seen by a subscriber.

use anyhow::Result;
use serde_json::Value;
use trilby_testkit::Backend;

use super::probe::{App, Probe, Told};
use super::pubsub_heard::{HEARER, Heard, hear, heard};

/// A publisher of all topics of `pubsub`, and subscribers: of `plain` to the data, of `whole` to
/// the envelope, of `raw` to what has none.
pub(crate) fn probe() -> Probe {
    Probe::granting("pubsub", r#"publish = ["pubsub"]"#)
        .lines("[[route]]\ntopic = \"pubsub/plain\"\nmodule = \"hearer.wat\"\n")
        .lines("[[route]]\ntopic = \"pubsub/whole\"\nmodule = \"hearer.wat\"\nenvelope = true\n")
        .lines("[[route]]\ntopic = \"pubsub/raw\"\nmodule = \"hearer.wat\"\nraw-payload = true\n")
        .file("hearer.wat", HEARER)
}

/// Publishes to a topic of `pubsub`, with further parameters.
pub(crate) async fn publish(
    app: &App,
    topic: &str,
    more: &[(&str, &str)],
    data: impl Into<bytes::Bytes>,
) -> Result<Told> {
    let parameters = [&[("pubsub", "pubsub"), ("topic", topic)], more].concat();
    app.ask("/pubsub/publish", &parameters, data).await
}

/// Publishes with an id, and gives what its subscriber heard.
async fn told(
    app: &App,
    topic: &str,
    id: &str,
    more: &[(&str, &str)],
    data: &[u8],
) -> Result<Heard> {
    let more = [&[("metadata.cloudevent.id", id)], more].concat();
    publish(app, topic, &more, data.to_vec()).await?.done();
    let events = hear(&app.world.trilby, 1, |event| event.variable("CE_ID") == id).await?;
    assert_eq!(events.len(), 1, "{events:?}");
    Ok(events.into_iter().next().unwrap_or_default())
}

matrix!(data_arrives_as_it_was_published);

async fn data_arrives_as_it_was_published(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let cases: [(&str, &[u8], &str); 7] = [
        ("", b"hello", "text/plain"),
        ("", b"", "text/plain"),
        ("text/plain", "ümläut ✓\r\n".as_bytes(), "text/plain"),
        ("text/html; charset=utf-8", b"<p>", "text/html; charset=utf-8"),
        ("application/json", br#"{"b":[1.50,2e3],"a":"x"}"#, "application/json"),
        ("application/json", b"\"text\"", "application/json"),
        ("application/octet-stream", b"\0\xff\xfe", "application/octet-stream"),
    ];
    for (number, (content_type, data, expected)) in cases.into_iter().enumerate() {
        let more = [("content-type", content_type)];
        let more = if content_type.is_empty() { &[][..] } else { &more };
        let event = told(&app, "plain", &format!("event-{number}"), more, data).await?;
        if expected == "application/json" {
            // The envelope may write the same JSON in another way.
            let (seen, sent): (Value, Value) =
                (serde_json::from_slice(&event.body)?, serde_json::from_slice(data)?);
            assert_eq!(seen, sent, "{event:?}");
        } else {
            assert_eq!(event.body, data, "{event:?}");
        }
        assert_eq!(event.variable("CONTENT_TYPE"), expected, "{event:?}");
        // CGI has no length where there is no body.
        let length = if data.is_empty() { String::new() } else { event.body.len().to_string() };
        assert_eq!(event.variable("CONTENT_LENGTH"), length, "{event:?}");
    }
    Ok(())
}

matrix!(an_event_has_daprs_attributes);

async fn an_event_has_daprs_attributes(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let event = told(&app, "plain", "with-defaults", &[], b"x").await?;
    assert_eq!(event.route, "pubsub/plain");
    for (name, value) in [
        ("TRILBY_TRIGGER", "topic"),
        ("REQUEST_METHOD", "POST"),
        ("CE_SPECVERSION", "1.0"),
        ("CE_TYPE", "com.dapr.event.sent"),
        ("CE_SOURCE", app.world.app_id.as_str()),
        ("CE_TOPIC", "plain"),
        ("CE_PUBSUBNAME", "pubsub"),
        ("CE_SUBJECT", ""),
    ] {
        assert_eq!(event.variable(name), value, "{name}: {event:?}");
    }
    assert!(!event.variable("CE_TIME").is_empty(), "{event:?}");

    let more = [
        ("metadata.cloudevent.type", "order.placed"),
        ("metadata.cloudevent.source", "/shop"),
        ("metadata.cloudevent.subject", "order-7"),
    ];
    let event = told(&app, "plain", "with-its-own", &more, b"x").await?;
    for (name, value) in
        [("CE_TYPE", "order.placed"), ("CE_SOURCE", "/shop"), ("CE_SUBJECT", "order-7")]
    {
        assert_eq!(event.variable(name), value, "{name}: {event:?}");
    }
    Ok(())
}

matrix!(a_whole_envelope_is_published_as_it_is);

async fn a_whole_envelope_is_published_as_it_is(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let event = r#"{"specversion":"1.0","id":"own","type":"a.b","source":"/s","region":"eu",
        "datacontenttype":"application/json","data":{"n":1}}"#;
    for topic in ["plain", "whole"] {
        let more = [("content-type", "application/cloudevents+json")];
        publish(&app, topic, &more, event).await?.done();
        let is_it =
            |event: &Heard| event.variable("CE_ID") == "own" && event.variable("CE_TOPIC") == topic;
        let heard = hear(&app.world.trilby, 1, is_it).await?;
        assert_eq!(heard[0].variable("CE_TYPE"), "a.b", "{heard:?}");
        assert_eq!(heard[0].variable("CE_SOURCE"), "/s", "{heard:?}");
        assert_eq!(heard[0].variable("CE_REGION"), "eu", "{heard:?}");
        let body: Value = serde_json::from_slice(&heard[0].body)?;
        let data = if topic == "whole" { &body["data"] } else { &body };
        assert_eq!(*data, serde_json::json!({"n": 1}), "{heard:?}");
        if topic == "whole" {
            assert_eq!(body["region"], "eu", "{heard:?}");
            assert_eq!(body["topic"], "whole", "{heard:?}");
            let expected = "application/cloudevents+json";
            assert_eq!(heard[0].variable("CONTENT_TYPE"), expected, "{heard:?}");
        }
    }
    Ok(())
}

matrix!(a_raw_payload_has_no_envelope);

async fn a_raw_payload_has_no_envelope(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    for data in [&b"raw \xff\0 bytes"[..], b"{\"a\":1}"] {
        publish(&app, "raw", &[("raw", "true")], data).await?.done();
        let heard = hear(&app.world.trilby, 1, |event| event.body == data).await?;
        assert_eq!(heard[0].variable("CE_TOPIC"), "raw", "{heard:?}");
    }
    Ok(())
}

matrix!(a_publication_that_fails_says_why);

async fn a_publication_that_fails_says_why(backend: Backend) -> Result<()> {
    let app = probe().serve_plain(backend).await?;
    let more = [("content-type", "application/cloudevents+json")];
    let wrong = publish(&app, "plain", &more, "{").await?;
    assert_ne!(wrong.code, "OK", "{wrong:?}");
    let wrong = publish(&app, "plain", &[("metadata.rawPayload", "perhaps")], "x").await?;
    assert_ne!(wrong.code, "OK", "{wrong:?}");
    // Nobody need subscribe.
    publish(&app, "nobody-listens", &[], "x").await?.done();
    told(&app, "plain", "the-last", &[], b"x").await?;
    assert_eq!(heard(&app.world.trilby).len(), 1);
    Ok(())
}

matrix!(only_granted_topics_are_published_to);

async fn only_granted_topics_are_published_to(backend: Backend) -> Result<()> {
    let grants = r#"publish = ["pubsub/orders-*", "pubsub/one"]"#;
    let app = Probe::granting("pubsub", grants).serve_plain(backend).await?;
    for topic in ["orders-", "orders-eu", "one"] {
        publish(&app, topic, &[], "x").await?.done();
    }
    for topic in ["orders", "Orders-eu", "one2", "on", "o*", "two"] {
        let line = format!("publish = [\"pubsub/{topic}\"]");
        publish(&app, topic, &[], "x").await?.not_granted(&line);
        let target = [("pubsub", "pubsub"), ("topic", topic)];
        app.ask("/pubsub/publish_bulk", &target, "{\"data\":\"x\"}").await?.not_granted(&line);
    }
    Ok(())
}
