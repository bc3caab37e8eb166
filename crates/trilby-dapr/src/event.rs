//! CloudEvents, as Dapr makes and delivers them.
//!
//! [`Event::envelope`] makes the JSON envelope of a publish (daprd's rules, CloudEvents 1.0 JSON
//! format); [`Event::parse`] takes a delivered one apart. [`duration`] reads Go's notation for
//! the time-to-live.

mod attribute;
pub mod duration;
mod envelope;

use std::collections::BTreeMap;

use bytes::Bytes;

use attribute::Attributes;
pub use envelope::Origin;

/// A topic event, taken out of its envelope. Attributes that the envelope lacks are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Unique together with `source`.
    pub id: String,
    /// Who published; in Dapr an app id.
    pub source: String,
    /// CloudEvents' `type`; in Dapr `com.dapr.event.sent` unless the publisher chose another.
    pub event_type: String,
    /// The version of CloudEvents, `1.0`.
    pub spec_version: String,
    /// What the event is about.
    pub subject: Option<String>,
    /// When it was published (RFC 3339).
    pub time: Option<String>,
    /// Dapr's extension: the topic.
    pub topic: String,
    /// Dapr's extension: the pub/sub component.
    pub pubsub: String,
    /// The media type of `data`.
    pub data_content_type: Option<String>,
    /// The data as it was published. JSON keeps its number texts and the order of its keys.
    pub data: Bytes,
    /// W3C trace context of the publisher; daprd's all-zero one counts as none.
    pub traceparent: Option<String>,
    /// W3C trace state of the publisher.
    pub tracestate: Option<String>,
    /// Every other attribute: strings as they are, other values as JSON text.
    pub extensions: BTreeMap<String, String>,
}

/// Why an envelope could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Bytes that should be an envelope are something else, such as a raw payload.
    #[error("the event is not a JSON object")]
    NotAnObject(#[source] serde_json::Error),
    /// A JSON object, but no CloudEvent.
    #[error("the event has no `specversion`")]
    NoSpecVersion,
    /// A string with half a surrogate pair, which is no text.
    #[error("the event's `{name}` is not valid text")]
    Text {
        /// The attribute.
        name: String,
    },
    /// `data_base64` holds no base64.
    #[error("the event's `data_base64` is not base64")]
    Base64(#[source] base64::DecodeError),
    /// Publish metadata `rawPayload` that is no boolean. The text is daprd's.
    #[error("rawPayload value must be a valid boolean: actual is '{value}'")]
    RawPayload {
        /// What it says instead.
        value: String,
    },
}

impl Event {
    /// Reads an envelope as daprd delivers it.
    ///
    /// `data` that is JSON by its `datacontenttype` stays JSON text; a JSON string of any other
    /// content type is the text itself; `data_base64` is decoded.
    ///
    /// # Errors
    ///
    /// When the bytes are no JSON object, have no `specversion`, or hold broken text or base64.
    pub fn parse(envelope: &[u8]) -> Result<Self, EventError> {
        let mut attributes = Attributes::read(envelope)?;
        let spec_version = attributes.take("specversion")?.filter(|version| !version.is_empty());
        let spec_version = spec_version.ok_or(EventError::NoSpecVersion)?;
        let (data_content_type, data) = attributes.take_data()?;
        let traceparent = attributes.take("traceparent")?.filter(|value| names_a_trace(value));
        let legacy = attributes.peek("traceid")?.filter(|value| names_a_trace(value));
        Ok(Self {
            id: attributes.take("id")?.unwrap_or_default(),
            source: attributes.take("source")?.unwrap_or_default(),
            event_type: attributes.take("type")?.unwrap_or_default(),
            spec_version,
            subject: attributes.take("subject")?,
            time: attributes.take("time")?,
            topic: attributes.take("topic")?.unwrap_or_default(),
            pubsub: attributes.take("pubsubname")?.unwrap_or_default(),
            data_content_type,
            data,
            traceparent: traceparent.or(legacy),
            tracestate: attributes.take("tracestate")?.filter(|value| !value.is_empty()),
            extensions: attributes.rest()?,
        })
    }
}

/// Whether this is a trace context with a trace in it: daprd without tracing writes only zeros.
fn names_a_trace(traceparent: &str) -> bool {
    traceparent.split('-').nth(1).is_some_and(|id| id.bytes().any(|digit| digit != b'0'))
}

/// Whether Dapr treats data of this type as JSON. Types such as `application/vnd.x+json` are text
/// to Dapr.
pub(crate) fn is_json(content_type: &str) -> bool {
    is(content_type, "application/json")
}

/// Compares media types as Dapr does: without case and parameters.
pub(crate) fn is(content_type: &str, expected: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a daprd 1.18 delivers it.
    const DELIVERED: &str = r#"{"data":{"hello":"world"},"datacontenttype":"application/json",
        "id":"91994fba","pubsubname":"pubsub","source":"app1","specversion":"1.0",
        "time":"2026-11-23T10:03:22Z","topic":"t1","traceid":"","traceparent":"","tracestate":"",
        "type":"com.dapr.event.sent"}"#;

    #[test]
    fn a_delivered_envelope_comes_apart() {
        let expected = Event {
            id: "91994fba".to_owned(),
            source: "app1".to_owned(),
            event_type: "com.dapr.event.sent".to_owned(),
            spec_version: "1.0".to_owned(),
            time: Some("2026-11-23T10:03:22Z".to_owned()),
            topic: "t1".to_owned(),
            pubsub: "pubsub".to_owned(),
            data_content_type: Some("application/json".to_owned()),
            data: Bytes::from_static(br#"{"hello":"world"}"#),
            extensions: BTreeMap::from([("traceid".to_owned(), String::new())]),
            ..Event::default()
        };
        assert_eq!(Event::parse(DELIVERED.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn data_is_read_by_its_content_type() {
        let json = Some("application/json");
        #[rustfmt::skip]
        let table = [
            (r#""datacontenttype":"application/json","data":{"b":1.50,"a":10000000000000000001}"#,
             json, r#"{"b":1.50,"a":10000000000000000001}"#),
            (r#""datacontenttype":"Application/JSON; charset=utf-8","data": "quoted" "#,
             Some("Application/JSON; charset=utf-8"), r#""quoted""#),
            (r#""datacontenttype":"application/json","data":null"#, json, "null"),
            (r#""datacontenttype":"text/plain","data":"a\nb""#, Some("text/plain"), "a\nb"),
            (r#""datacontenttype":"application/vnd.x+json","data":"{}""#,
             Some("application/vnd.x+json"), "{}"),
            (r#""datacontenttype":"text/plain","data":[1, 2]"#, Some("text/plain"), "[1, 2]"),
            (r#""datacontenttype":"application/octet-stream","data_base64":"AAEC""#,
             Some("application/octet-stream"), "\0\u{1}\u{2}"),
            (r#""data":"text""#, None, "text"),
            (r#""data":{"a":1}"#, json, r#"{"a":1}"#),
            (r#""x":1"#, None, ""),
        ];
        for (members, content_type, data) in table {
            let event = Event::parse(format!(r#"{{"specversion":"1.0",{members}}}"#).as_bytes());
            let event = event.unwrap();
            assert_eq!(event.data_content_type.as_deref(), content_type, "{members}");
            assert_eq!(event.data, data.as_bytes(), "{members}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let table: [(&[u8], &str); 8] = [
            (b"", "the event is not a JSON object"),
            (b"plain text", "the event is not a JSON object"),
            (br#"["specversion"]"#, "the event is not a JSON object"),
            (br#"{"specversion":"1.0"} x"#, "the event is not a JSON object"),
            (b"{\"specversion\":\"\xff\"}", "the event is not a JSON object"),
            (br#"{"id":"1"}"#, "the event has no `specversion`"),
            (br#"{"specversion":"1.0","id":"\ud800"}"#, "the event's `id` is not valid text"),
            (
                br#"{"specversion":"1.0","data_base64":"?"}"#,
                "the event's `data_base64` is not base64",
            ),
        ];
        for (bytes, message) in table {
            assert_eq!(Event::parse(bytes).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn traces_and_extensions_are_kept() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let zero = "00-00000000000000000000000000000000-0000000000000000-00";
        for (members, traceparent) in [
            (format!(r#""traceparent":"{parent}""#), Some(parent)),
            (format!(r#""traceid":"{parent}""#), Some(parent)),
            (format!(r#""traceparent":"{zero}","traceid":"""#), None),
        ] {
            let text = format!(r#"{{"specversion":"1.0","n":5,"o":{{"a":1}},"z":null,{members}}}"#);
            let event = Event::parse(text.as_bytes()).unwrap();
            assert_eq!(event.traceparent.as_deref(), traceparent, "{members}");
            assert_eq!(event.extensions.get("n").unwrap(), "5");
            assert_eq!(event.extensions.get("o").unwrap(), r#"{"a":1}"#);
            assert_eq!(event.extensions.get("z"), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Event::parse(&bytes);
        }

        #[test]
        fn no_almost_envelope_makes_it_panic(members in "[\\[\\]{}\",:a-z0-9_\\\\]{0,80}") {
            let _ = Event::parse(format!(r#"{{"specversion":"1.0",{members}}}"#).as_bytes());
        }
    }
}
