//! Envelopes against what daprd writes, and back through [`Event::parse`].

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn publish(content_type: &str, data: impl Into<Bytes>, metadata: &[(&str, &str)]) -> Publish {
    Publish {
        pubsub: "bus".to_owned(),
        topic: "placed".to_owned(),
        data: data.into(),
        content_type: Some(content_type.to_owned()).filter(|text| !text.is_empty()),
        metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

/// Published by `shop` at 10:03:22.5.
fn envelope(publish: &Publish) -> Result<Bytes, EventError> {
    let now = "2026-11-23T10:03:22.5Z".parse().unwrap();
    Event::envelope(publish, &Origin { app_id: "shop", traceparent: Some(TRACE), now })
}

#[test]
fn an_envelope_has_what_daprd_writes() {
    let publish = publish("application/json", r#"{"n":1.0}"#, &[("cloudevent.id", "7")]);
    let expected = format!(
        concat!(
            r#"{{"data":{{"n":1.0}},"datacontenttype":"application/json","id":"7","#,
            r#""pubsubname":"bus","source":"shop","specversion":"1.0","#,
            r#""time":"2026-11-23T10:03:22Z","topic":"placed","traceid":"{trace}","#,
            r#""traceparent":"{trace}","tracestate":"","type":"com.dapr.event.sent"}}"#,
        ),
        trace = TRACE
    );
    assert_eq!(envelope(&publish).unwrap(), expected);
}

#[test]
fn members_follow_type_and_metadata() {
    type Row = (&'static str, &'static [u8], &'static [(&'static str, &'static str)], Value);
    let user = "application/cloudevents+json; charset=utf-8";
    let table: [Row; 19] = [
        ("", b"hi", &[], json!({"datacontenttype": "text/plain", "data": "hi"})),
        ("text/plain", b"a\xffb", &[], json!({"data": "a\u{fffd}b", "data_base64": null})),
        ("application/json", b"{oops", &[], json!({"data": "{oops"})),
        ("application/json", b"", &[], json!({"data": ""})),
        ("application/json", b" [1] rest", &[], json!({"data": [1]})),
        ("APPLICATION/JSON;q=1", b"true", &[], json!({"data": true})),
        ("application/vnd.x+json", b"{}", &[], json!({"data": "{}"})),
        ("application/octet-stream", b"\0\x01", &[], json!({"data_base64": "AAE="})),
        ("application/x-protobuf", b"\x08", &[], json!({"data_base64": "CA==", "data": null})),
        ("", b"", &[("CloudEvent.Type", "t")], json!({"type": "t"})),
        ("", b"", &[("cloudevent.source", "s")], json!({"source": "s"})),
        ("", b"", &[("cloudevent.source", "")], json!({"source": "Dapr"})),
        ("", b"", &[("cloudevent.subject", "about")], json!({"subject": "about"})),
        ("", b"", &[("cloudevent.traceid", "x")], json!({"traceid": "x", "traceparent": "x"})),
        ("", b"", &[("cloudevent.traceparent", "y")], json!({"traceid": "y"})),
        ("", b"", &[("cloudevent.tracestate", "k=v")], json!({"tracestate": "k=v"})),
        ("", b"", &[("cloudevent.topic", "no")], json!({"topic": "placed", "subject": null})),
        (
            user,
            br#"{"type":"mine","source":null,"n":1e3,"topic":"no","time":"then"}"#,
            &[],
            json!({"type": "mine", "source": "Dapr", "n": 1e3, "topic": "placed",
                   "time": "then", "specversion": "1.0", "traceparent": TRACE, "id": null}),
        ),
        (
            user,
            br#"{"specversion":"1.0","traceid":"a","traceparent":"b"}"#,
            &[],
            json!({"traceid": "a", "traceparent": "b", "time": "2026-11-23T10:03:22Z"}),
        ),
    ];
    for (content_type, data, metadata, expected) in table {
        let written = envelope(&publish(content_type, data, metadata)).unwrap();
        let written: Value = serde_json::from_slice(&written).unwrap();
        for (name, value) in expected.as_object().unwrap() {
            let found = written.get(name).unwrap_or(&Value::Null);
            assert_eq!(found, value, "{name} of {content_type} {metadata:?}");
        }
    }
}

#[test]
fn a_time_to_live_becomes_an_expiration() {
    let table = [
        (("ttlInSeconds", "10"), Some("2026-11-23T10:03:33Z")),
        (("TTLINSECONDS", "1m"), Some("2026-11-23T10:04:23Z")),
        (("ttl", "500ms"), Some("2026-11-23T10:03:23Z")),
        (("ttl", "0"), Some("2026-11-23T10:03:22Z")),
        (("ttl", "-1s"), Some("2026-11-23T10:03:22Z")),
        (("ttlInSeconds", "-1"), None),
        (("ttlInSeconds", "soon"), None),
        (("ttlInSeconds", ""), None),
        (("ttlInSeconds", "9223372036854775807"), Some("9999-12-30T22:00:00Z")),
    ];
    for (metadata, expected) in table {
        let written = envelope(&publish("", "", &[metadata])).unwrap();
        let event = Event::parse(&written).unwrap();
        let found = event.extensions.get("expiration").map(String::as_str);
        assert_eq!(found, expected, "{metadata:?}");
    }
}

#[test]
fn a_broken_envelope_of_the_publishers_is_refused() {
    for data in ["", "text", "[]", "null", "{"] {
        let publish = publish("application/cloudevents+json", data, &[]);
        assert!(matches!(envelope(&publish), Err(EventError::NotAnObject(_))), "{data}");
    }
}

#[test]
fn raw_payload_is_a_go_boolean() {
    for (value, raw) in [("true", true), ("1", true), ("F", false), ("", false)] {
        let found = Event::is_raw(&publish("", "", &[("rawPayload", value)]));
        assert_eq!(found.unwrap(), raw, "{value}");
    }
    assert_eq!(
        Event::is_raw(&publish("", "", &[("rawPayload", "yes")])).unwrap_err().to_string(),
        "rawPayload value must be a valid boolean: actual is 'yes'"
    );
}

fn round_trip(content_type: &str, data: &[u8]) -> Event {
    Event::parse(&envelope(&publish(content_type, data.to_vec(), &[])).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn binary_data_survives(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(round_trip("application/octet-stream", &data).data, data);
    }

    #[test]
    fn text_survives(text in any::<String>()) {
        let event = round_trip("", text.as_bytes());
        prop_assert_eq!(event.data_content_type.as_deref(), Some("text/plain"));
        prop_assert_eq!(event.data, text);
    }

    #[test]
    fn json_survives_to_the_letter(
        key in any::<String>(),
        number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?",
    ) {
        let key = serde_json::to_string(&key).unwrap();
        let text = format!("{{{key}:[{number} ],\"z\":\n{{}},\"a\":null}}");
        prop_assert_eq!(round_trip("application/json", text.as_bytes()).data, text);
    }

    #[test]
    fn no_publish_makes_it_panic(
        data in proptest::collection::vec(any::<u8>(), 0..100),
        ttl in any::<String>(),
        content_type in "(application/json|application/cloudevents\\+json|[a-z/;]{0,9})",
    ) {
        let _ = envelope(&publish(&content_type, data, &[("ttl", &ttl)]));
    }
}
