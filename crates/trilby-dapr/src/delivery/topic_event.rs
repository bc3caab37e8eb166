//! An event as it comes over gRPC, back in its envelope.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use prost::Message as _;
use serde_json::value::RawValue;
use serde_json::{Number, Value, json};

use crate::event;
use crate::proto::runtime::v1::TopicEventRequest;

/// The CloudEvents envelope that daprd would post over HTTP for this event.
///
/// gRPC takes the envelope apart: its attributes are fields, its data bytes, and its extensions a
/// `google.protobuf.Struct`, whose numbers are all doubles. An extension that cannot be decoded, such
/// as one that nests too deeply, is left out with a warning.
#[must_use]
pub fn envelope(event: &TopicEventRequest) -> Bytes {
    let mut members: BTreeMap<&str, Box<RawValue>> = BTreeMap::new();
    let extensions = extensions(event);
    for (name, value) in &extensions {
        members.extend(raw(&json_of(value)).map(|value| (name.as_str(), value)));
    }
    let attributes = [
        ("id", &event.id),
        ("source", &event.source),
        ("type", &event.r#type),
        ("specversion", &event.spec_version),
        ("datacontenttype", &event.data_content_type),
        ("topic", &event.topic),
        ("pubsubname", &event.pubsub_name),
    ];
    for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_empty()) {
        members.extend(raw(&json!(value)).map(|value| (name, value)));
    }
    let (name, data) = data(event);
    members.extend(data.map(|data| (name, data)));
    serde_json::to_vec(&members).map(Bytes::from).unwrap_or_default()
}

/// A `google.protobuf.Struct` whose values are still encoded.
#[derive(prost::Message)]
struct Fields {
    #[prost(btree_map = "string, bytes", tag = "1")]
    fields: BTreeMap<String, Vec<u8>>,
}

/// The extensions that can be decoded. daprd makes extensions of all members that a publisher adds
/// to an envelope, so their depth is anybody's choice, and prost decodes 100 levels at most.
fn extensions(event: &TopicEventRequest) -> Vec<(String, prost_types::Value)> {
    let TopicEventRequest { id, topic, pubsub_name: pubsub, extensions, .. } = event;
    let fields = match Fields::decode(extensions.as_ref()) {
        Ok(fields) => fields.fields,
        Err(error) => {
            tracing::warn!(pubsub, topic, id, "an event's extensions are left out: {error}");
            return Vec::new();
        }
    };
    let decoded = |(name, value): (String, Vec<u8>)| match prost_types::Value::decode(&*value) {
        Ok(value) => Some((name, value)),
        Err(error) => {
            tracing::warn!(pubsub, topic, id, name, "an event's extension is left out: {error}");
            None
        }
    };
    fields.into_iter().filter_map(decoded).collect()
}

fn raw(value: &Value) -> Option<Box<RawValue>> {
    RawValue::from_string(value.to_string()).ok()
}

/// JSON stays JSON, text stays text, and all else becomes base64.
fn data(event: &TopicEventRequest) -> (&'static str, Option<Box<RawValue>>) {
    let text = std::str::from_utf8(&event.data);
    if event::is_json(&event.data_content_type)
        && let Ok(Ok(json)) = text.map(|text| RawValue::from_string(text.to_owned()))
    {
        return ("data", Some(json));
    }
    let binary = event::is(&event.data_content_type, "application/octet-stream");
    match text {
        Ok(text) if !binary => ("data", raw(&json!(text))),
        _ => ("data_base64", raw(&json!(STANDARD.encode(&event.data)))),
    }
}

/// A `google.protobuf.Value` as JSON, in which a number that is whole is written as one.
#[must_use]
pub fn json_of(value: &prost_types::Value) -> Value {
    use prost_types::value::Kind;
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(*value),
        Some(Kind::StringValue(text)) => Value::String(text.clone()),
        Some(Kind::NumberValue(number)) => self::number(*number),
        Some(Kind::ListValue(list)) => list.values.iter().map(json_of).collect(),
        Some(Kind::StructValue(fields)) => {
            fields.fields.iter().map(|(name, value)| (name.clone(), json_of(value))).collect()
        }
    }
}

/// A whole number is written as one: an extension that was `7` does not come as `7.0`.
fn number(number: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT_MAX {
        return format!("{number:.0}").parse::<Number>().map_or(Value::Null, Value::Number);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;

    use super::*;
    use crate::event::Event;

    fn event(content_type: &str, data: &'static [u8]) -> TopicEventRequest {
        TopicEventRequest {
            id: "1".into(),
            source: "shop".into(),
            r#type: "placed".into(),
            spec_version: "1.0".into(),
            data_content_type: content_type.into(),
            data: Bytes::from_static(data),
            topic: "t".into(),
            pubsub_name: "bus".into(),
            ..TopicEventRequest::default()
        }
    }

    #[test]
    fn the_data_is_what_was_published() {
        let table: [(&str, &[u8]); 4] = [
            ("application/json", br#"{"a":1.50,"b":[]}"#),
            ("text/plain", b"hello"),
            ("application/octet-stream", b"abc"),
            ("image/png", b"\xff\x00"),
        ];
        for (content_type, data) in table {
            let envelope = envelope(&event(content_type, data));
            let parsed = Event::parse(&envelope).expect("an envelope");
            assert_eq!(parsed.data, data, "{content_type}");
            assert_eq!(parsed.data_content_type.as_deref(), Some(content_type));
            assert_eq!((parsed.id.as_str(), parsed.event_type.as_str()), ("1", "placed"));
            assert_eq!((parsed.pubsub.as_str(), parsed.topic.as_str()), ("bus", "t"));
        }
    }

    #[test]
    fn extensions_keep_their_kinds() {
        let value = |kind| prost_types::Value { kind: Some(kind) };
        let fields = [
            ("n".to_owned(), value(Kind::NumberValue(7.0))),
            ("x".to_owned(), value(Kind::NumberValue(0.5))),
            ("s".to_owned(), value(Kind::StringValue("a\"b".into()))),
            ("time".to_owned(), value(Kind::StringValue("2026-11-24T00:00:00Z".into()))),
        ];
        let extensions = prost_types::Struct { fields: fields.into() }.encode_to_vec().into();
        let event = TopicEventRequest { extensions, ..event("text/plain", b"x") };
        let parsed = Event::parse(&envelope(&event)).expect("an envelope");
        let extension = |name: &str| parsed.extensions.get(name).map(String::as_str);
        assert_eq!(extension("n"), Some("7"));
        assert_eq!(extension("x"), Some("0.5"));
        assert_eq!(extension("s"), Some("a\"b"));
        assert_eq!(parsed.time.as_deref(), Some("2026-11-24T00:00:00Z"));
    }

    #[test]
    fn an_extension_that_nests_too_deeply_is_left_out_alone() {
        use crate::proto::runtime::v1::TopicEventCeRequest;

        let value = |kind| prost_types::Value { kind: Some(kind) };
        for (levels, is_kept) in [(20, true), (200, false)] {
            let deep = (0..levels).fold(value(Kind::BoolValue(true)), |inner, _| {
                let fields = [("a".to_owned(), inner)].into();
                value(Kind::StructValue(prost_types::Struct { fields }))
            });
            let fields = [
                ("deep".to_owned(), deep),
                ("traceid".to_owned(), value(Kind::StringValue("00-1".into()))),
            ];
            let extensions: Bytes =
                prost_types::Struct { fields: fields.into() }.encode_to_vec().into();
            let sent = TopicEventRequest {
                extensions: extensions.clone(),
                ..event("application/json", b"{}")
            };
            let sent = TopicEventRequest::decode(sent.encode_to_vec().as_slice()).expect("decodes");
            let parsed = Event::parse(&envelope(&sent)).expect("an envelope");
            assert_eq!(parsed.extensions.contains_key("deep"), is_kept, "{levels}");
            assert_eq!(parsed.extensions["traceid"], "00-1");
            let entry = TopicEventCeRequest { extensions, ..<_>::default() }.encode_to_vec();
            TopicEventCeRequest::decode(entry.as_slice()).expect("decodes");
        }
    }

    #[test]
    fn extensions_that_are_no_struct_are_left_out() {
        let extensions = Bytes::from_static(b"\xff");
        let event = TopicEventRequest { extensions, ..event("text/plain", b"x") };
        let parsed = Event::parse(&envelope(&event)).expect("an envelope");
        assert_eq!((parsed.extensions.len(), parsed.data.as_ref()), (0, b"x".as_slice()));
    }
}
