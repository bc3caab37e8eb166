//! Events: what brought a request, and CloudEvents.

use std::collections::BTreeMap;

use super::Request;
use crate::json::{Json, decode_base64};

/// What brought a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// A client, or another app by service invocation.
    Http,
    /// A topic: the body is the event's data. With `envelope = true` in the route the body is the
    /// whole event ([`Request::envelope`]), and with `bulk` it is many ([`Request::entries`]), which
    /// have their attributes there.
    Topic(Event),
    /// An input binding of this name: the body is its data, the headers are its metadata.
    Binding(String),
    /// A job of this name: the body is what it was scheduled with.
    Job(String),
    /// A change of configuration. It is told once, whatever the answer is.
    Configuration(Change),
}

/// The attributes of a CloudEvent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Identifies the event within its source. A topic may deliver it more than once.
    pub id: String,
    /// Who produced it.
    pub source: String,
    /// What kind it is of, in CloudEvents `type`.
    pub kind: String,
    /// The version of CloudEvents.
    pub spec_version: String,
    /// What it is about.
    pub subject: Option<String>,
    /// When it happened, as in RFC 3339.
    pub time: Option<String>,
    /// The topic on which it was published.
    pub topic: String,
    /// The component through which it was published.
    pub pubsub: String,
    /// Other attributes, such as `traceid`.
    pub extensions: BTreeMap<String, String>,
}

/// A key of a configuration store that has another value now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The component.
    pub store: String,
    /// The key.
    pub key: String,
    /// The value's version, as the store counts.
    pub version: String,
    /// The value; empty when the key was deleted.
    pub value: String,
}

/// A whole CloudEvent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// Its attributes.
    pub event: Event,
    /// Its data: text as it is, JSON as JSON, and bytes decoded from base64.
    pub data: Vec<u8>,
    /// The data's media type.
    pub content_type: Option<String>,
}

impl Trigger {
    pub(super) fn of(request: &Request) -> Self {
        match request.variable("TRILBY_TRIGGER") {
            Some("topic") => Self::Topic(Event::read(request.variables_of("CE_"))),
            Some("binding") => Self::Binding(request.owned("BINDING_NAME")),
            Some("job") => Self::Job(request.owned("JOB_NAME")),
            Some("configuration") => Self::Configuration(Change {
                store: request.owned("CONFIGURATION_STORE"),
                key: request.owned("CONFIGURATION_KEY"),
                version: request.owned("CONFIGURATION_VERSION"),
                value: String::from_utf8_lossy(request.body()).into_owned(),
            }),
            _ => Self::Http,
        }
    }
}

impl Event {
    /// Takes attributes by their names, in any case.
    fn read<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut event = Self::default();
        for (name, value) in attributes {
            let (name, value) = (name.to_ascii_lowercase(), value.to_owned());
            match name.as_str() {
                "id" => event.id = value,
                "source" => event.source = value,
                "type" => event.kind = value,
                "specversion" => event.spec_version = value,
                "subject" => event.subject = Some(value),
                "time" => event.time = Some(value),
                "topic" => event.topic = value,
                "pubsubname" => event.pubsub = value,
                // Of the data, which stands elsewhere.
                "data" | "data_base64" | "datacontenttype" => {}
                _ => {
                    event.extensions.insert(name, value);
                }
            }
        }
        event
    }
}

impl Envelope {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        Self::from_json(&Json::parse(std::str::from_utf8(body).ok()?)?)
    }

    /// Reads CloudEvents' JSON format; `None` if it is no event.
    pub(super) fn from_json(json: &Json) -> Option<Self> {
        let Json::Object(members) = json else { return None };
        json.get("specversion")?;
        let attributes: Vec<(&str, String)> =
            members.iter().map(|(name, value)| (name.as_str(), value.to_text())).collect();
        let attributes = attributes.iter().map(|(name, value)| (*name, value.as_str()));
        let content_type = json.get("datacontenttype").map(Json::to_text);
        let data = match (json.get("data_base64"), json.get("data")) {
            (Some(encoded), _) => decode_base64(encoded.as_str()?)?,
            (None, Some(Json::Null) | None) => Vec::new(),
            // A string is itself, unless it stands for a document that is a string.
            (None, Some(value)) if is_json(content_type.as_deref()) => value.to_json().into_bytes(),
            (None, Some(value)) => value.to_text().into_bytes(),
        };
        Some(Self { event: Event::read(attributes), data, content_type })
    }
}

/// Without a media type, the data of a CloudEvent is JSON (CloudEvents 1.0, JSON format, 3.1).
fn is_json(media_type: Option<&str>) -> bool {
    let Some(media_type) = media_type else { return true };
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(variables: &[(&str, &str)], body: &str) -> Trigger {
        Request::new(variables.iter().copied(), body).trigger()
    }

    #[test]
    fn triggers_are_told_apart() {
        assert_eq!(trigger(&[], ""), Trigger::Http);
        assert_eq!(trigger(&[("HTTP_TRILBY_TRIGGER", "topic")], ""), Trigger::Http);
        let cron = [("TRILBY_TRIGGER", "binding"), ("BINDING_NAME", "prune")];
        assert_eq!(trigger(&cron, ""), Trigger::Binding("prune".to_owned()));
        let job = [("TRILBY_TRIGGER", "job"), ("JOB_NAME", "report")];
        assert_eq!(trigger(&job, ""), Trigger::Job("report".to_owned()));
        let topic = [
            ("TRILBY_TRIGGER", "topic"),
            ("CE_ID", "1"),
            ("CE_TOPIC", "t"),
            ("CE_TRACEID", "00-1"),
        ];
        let event = Event {
            id: "1".to_owned(),
            topic: "t".to_owned(),
            extensions: BTreeMap::from([("traceid".to_owned(), "00-1".to_owned())]),
            ..Event::default()
        };
        assert_eq!(trigger(&topic, ""), Trigger::Topic(event));
    }

    #[test]
    fn a_change_has_its_value() {
        let variables = [
            ("TRILBY_TRIGGER", "configuration"),
            ("CONFIGURATION_STORE", "settings"),
            ("CONFIGURATION_KEY", "limit"),
            ("CONFIGURATION_VERSION", "3"),
        ];
        let expected = Change {
            store: "settings".to_owned(),
            key: "limit".to_owned(),
            version: "3".to_owned(),
            value: "10".to_owned(),
        };
        assert_eq!(trigger(&variables, "10"), Trigger::Configuration(expected));
    }

    #[test]
    fn data_of_an_envelope_is_what_was_published() {
        let cases: [(&str, &[u8]); 7] = [
            (r#""datacontenttype":"text/plain","data":"a \"b\"""#, b"a \"b\""),
            (r#""datacontenttype":"application/json","data":{"a": [1]}"#, b"{\"a\":[1]}"),
            (r#""datacontenttype":"application/json","data":"a""#, b"\"a\""),
            (r#""datacontenttype":"application/x+json; a=b","data":"a""#, b"\"a\""),
            (r#""data":1.50"#, b"1.50"),
            (r#""data_base64":"/w==","data":"x""#, b"\xff"),
            (r#""data":null"#, b""),
        ];
        for (members, data) in cases {
            let body = format!(r#"{{"specversion":"1.0","id":"7","type":"t","x":true,{members}}}"#);
            let envelope = Request::new([("A", "b")], body.clone()).envelope().unwrap();
            assert_eq!(envelope.data, data, "{body}");
            assert_eq!((envelope.event.id.as_str(), envelope.event.kind.as_str()), ("7", "t"));
            let extensions = BTreeMap::from([("x".to_owned(), "true".to_owned())]);
            assert_eq!(envelope.event.extensions, extensions);
        }
        for none in ["", "{}", "[]", r#"{"specversion":"1.0","data_base64":"!"}"#] {
            assert_eq!(Envelope::parse(none.as_bytes()), None, "{none}");
        }
    }
}
