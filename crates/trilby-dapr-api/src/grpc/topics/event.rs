//! An event out of its envelope, in daprd's message.

use prost::Message as _;
use prost_types::Struct;
use serde_json::{Map, Value};
use trilby_dapr::event::{Event, EventError};
use trilby_dapr::proto::runtime::v1::TopicEventRequest;
use trilby_dapr::wire::any::value_of;

/// What is not an extension, since the message has a field for it. All else is one to daprd, also
/// `topic` and `time`.
const FIELDS: [&str; 7] =
    ["id", "source", "type", "specversion", "datacontenttype", "data", "data_base64"];

/// The message of an event, in the form in which it comes over HTTP.
pub(super) fn of(envelope: &[u8]) -> Result<TopicEventRequest, EventError> {
    let event = Event::parse(envelope)?;
    Ok(TopicEventRequest {
        id: event.id,
        source: event.source,
        r#type: event.event_type,
        spec_version: event.spec_version,
        data_content_type: event.data_content_type.unwrap_or_default(),
        data: event.data,
        topic: event.topic,
        pubsub_name: event.pubsub,
        path: "/".to_owned(),
        extensions: extensions(envelope).encode_to_vec().into(),
    })
}

/// The extensions. One that protobuf cannot carry goes as the text of its JSON.
fn extensions(envelope: &[u8]) -> Struct {
    let members: Map<String, Value> = serde_json::from_slice(envelope).unwrap_or_default();
    let members = members.into_iter().filter(|(name, _)| !FIELDS.contains(&name.as_str()));
    let fields = members.filter_map(|(name, value)| {
        let value = value_of(&value).or_else(|| value_of(&Value::String(value.to_string())))?;
        Some((name, value))
    });
    Struct { fields: fields.collect() }
}

#[cfg(test)]
mod tests {
    use trilby_dapr::delivery;

    use super::*;

    #[test]
    fn an_event_comes_back_into_its_envelope() {
        let envelope = r#"{"data":{"a":1.50},"datacontenttype":"application/json","id":"1","n":7,
            "pubsubname":"bus","source":"a1","specversion":"1.0","time":"2026-11-24T00:00:00Z",
            "topic":"t","traceid":"","type":"com.dapr.event.sent"}"#;
        let message = of(envelope.as_bytes()).expect("an event");
        assert_eq!(message.data, r#"{"a":1.50}"#);
        assert_eq!((&*message.topic, &*message.pubsub_name, &*message.path), ("t", "bus", "/"));
        let back = delivery::envelope(&message);
        assert_eq!(Event::parse(&back).unwrap(), Event::parse(envelope.as_bytes()).unwrap());
    }

    #[test]
    fn all_but_the_fields_are_extensions() {
        let envelope =
            br#"{"specversion":"1.0","id":"1","topic":"t","big":9007199254740993,"x":null}"#;
        let message = of(envelope).expect("an event");
        let extensions = Struct::decode(message.extensions).expect("a struct").fields;
        let mut names: Vec<&str> = extensions.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["big", "topic", "x"]);
    }
}
