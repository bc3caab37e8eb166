//! The envelope that daprd puts around a published event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Event, EventError, duration, is, is_json};
use crate::Metadata;
use crate::messaging::Publish;

/// Who publishes, within which trace, and when.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The app id, which becomes the event's `source`.
    pub app_id: &'a str,
    /// The W3C trace context of the request that publishes.
    pub traceparent: Option<&'a str>,
    /// The time of publishing.
    pub now: Timestamp,
}

/// Members in the order of their names, which is the order in which daprd writes them.
type Members<'a> = BTreeMap<Cow<'a, str>, Member<'a>>;

#[derive(Serialize)]
#[serde(untagged)]
enum Member<'a> {
    Text(Cow<'a, str>),
    Json(&'a RawValue),
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Member<'a> {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Event {
    /// Whether the publisher asks for its data to travel without an envelope.
    ///
    /// # Errors
    ///
    /// When the metadata `rawPayload` is no boolean in Go's notation.
    pub fn is_raw(publish: &Publish) -> Result<bool, EventError> {
        match publish.metadata.get("rawPayload").map(String::as_str) {
            None | Some("" | "0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(false),
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(true),
            Some(value) => Err(EventError::RawPayload { value: value.to_owned() }),
        }
    }

    /// Makes the envelope of a publish, by daprd's rules:
    ///
    /// - Data of type `application/json` is embedded as JSON, and as a string if it does not parse.
    ///   `application/octet-stream` and protobuf become base64. Everything else is a string, in
    ///   which bytes that are not UTF-8 are replaced. The type without any is `text/plain`.
    /// - Metadata `cloudevent.{id,source,type,subject,traceid,traceparent,tracestate}` override.
    /// - Data of type `application/cloudevents+json` is the publisher's own envelope; `topic` and
    ///   `pubsubname` are set, and the time, the trace and the required attributes are added where
    ///   they are missing, except `id`.
    /// - Metadata `ttlInSeconds` (or `ttl`) becomes `expiration`. It is rounded up to a whole
    ///   second, so that no event expires early; daprd rounds down.
    ///
    /// # Errors
    ///
    /// When the publisher's own envelope is no JSON object.
    pub fn envelope(publish: &Publish, origin: &Origin<'_>) -> Result<Bytes, EventError> {
        let content_type = publish.content_type.as_deref().unwrap_or_default();
        let text = String::from_utf8_lossy(&publish.data);
        let mut members = if is(content_type, "application/cloudevents+json") {
            adopt(&text, publish, origin)?
        } else {
            wrap(&text, content_type, publish, origin)
        };
        if let Some(expiration) = expiration(&publish.metadata, origin.now) {
            members.insert("expiration".into(), expiration.into());
        }
        serde_json::to_vec(&members).map(Bytes::from).map_err(EventError::NotAnObject)
    }
}

fn wrap<'a>(
    text: &'a str,
    content_type: &'a str,
    publish: &'a Publish,
    origin: &Origin<'a>,
) -> Members<'a> {
    let chosen = |name: &str| property(&publish.metadata, &format!("cloudevent.{name}"));
    let or = |value: Option<&'a str>, default: &'a str| -> Cow<'a, str> {
        value.filter(|value| !value.is_empty()).unwrap_or(default).into()
    };
    let id = chosen("id").filter(|id| !id.is_empty()).map(Cow::from);
    let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string().into());
    let trace = chosen("traceid").or(origin.traceparent).unwrap_or_default();
    let trace = or(chosen("traceparent"), trace);
    let content_type = if content_type.is_empty() { "text/plain" } else { content_type };
    let attributes = [
        ("id", id),
        ("specversion", "1.0".into()),
        ("datacontenttype", content_type.into()),
        ("source", or(chosen("source").or(Some(origin.app_id)), DEFAULT_SOURCE)),
        ("type", or(chosen("type"), DEFAULT_TYPE)),
        ("topic", publish.topic.as_str().into()),
        ("pubsubname", publish.pubsub.as_str().into()),
        ("traceid", trace.clone()),
        ("traceparent", trace),
        ("tracestate", chosen("tracestate").unwrap_or_default().into()),
        ("time", seconds(origin.now).into()),
    ];
    let mut members: Members<'a> =
        attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    if let Some(subject) = chosen("subject").filter(|subject| !subject.is_empty()) {
        members.insert("subject".into(), subject.into());
    }
    let (name, data) = data(text, content_type, publish);
    members.insert(name.into(), data);
    members
}

const DEFAULT_SOURCE: &str = "Dapr";
const DEFAULT_TYPE: &str = "com.dapr.event.sent";

fn data<'a>(text: &'a str, content_type: &str, publish: &Publish) -> (&'static str, Member<'a>) {
    let encoded = ["octet-stream", "cloudevents+protobuf", "x-protobuf"];
    if encoded.iter().any(|subtype| is(content_type, &format!("application/{subtype}"))) {
        return ("data_base64", STANDARD.encode(&publish.data).into());
    }
    let json = if is_json(content_type) { first_value(text).ok() } else { None };
    ("data", json.map_or_else(|| text.into(), Member::Json))
}

/// Takes over the publisher's own envelope.
fn adopt<'a>(
    text: &'a str,
    publish: &'a Publish,
    origin: &Origin<'a>,
) -> Result<Members<'a>, EventError> {
    let object = first_value(text).map_err(EventError::NotAnObject)?;
    let given: BTreeMap<String, &RawValue> =
        serde_json::from_str(object.get()).map_err(EventError::NotAnObject)?;
    let mut members: Members<'a> =
        given.into_iter().map(|(name, value)| (name.into(), Member::Json(value))).collect();
    let trace = origin.traceparent.unwrap_or_default();
    members.entry("time".into()).or_insert_with(|| seconds(origin.now).into());
    if !members.contains_key("traceid") {
        members.insert("traceid".into(), trace.into());
        members.insert("traceparent".into(), trace.into());
    }
    members.entry("tracestate".into()).or_insert_with(|| "".into());
    members.insert("topic".into(), publish.topic.as_str().into());
    members.insert("pubsubname".into(), publish.pubsub.as_str().into());
    let required = [("source", DEFAULT_SOURCE), ("type", DEFAULT_TYPE), ("specversion", "1.0")];
    for (name, default) in required {
        let missing = match members.get(name) {
            None => true,
            Some(Member::Json(value)) => value.get() == "null",
            Some(Member::Text(_)) => false,
        };
        if missing {
            members.insert(name.into(), default.into());
        }
    }
    Ok(members)
}

/// The first JSON value of a text. Like daprd, this does not look at what comes after it.
fn first_value(text: &str) -> Result<&RawValue, serde_json::Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    // The parser's own error for an empty text.
    values.next().unwrap_or_else(|| serde_json::from_str(text))
}

/// When the event expires, if the publisher says so. Like daprd, this takes what is no duration
/// and no positive number of seconds for none.
fn expiration(metadata: &Metadata, now: Timestamp) -> Option<String> {
    let text = property(metadata, "ttl").or_else(|| property(metadata, "ttlInSeconds"))?;
    let ttl = match duration::parse(text) {
        Some(ttl) => ttl.max(SignedDuration::ZERO),
        None => SignedDuration::from_secs(text.parse().ok().filter(|seconds| *seconds > 0)?),
    };
    if ttl.is_zero() {
        return Some(seconds(now));
    }
    let almost_a_second = SignedDuration::from_nanos(999_999_999);
    let end = now.checked_add(ttl).and_then(|end| end.checked_add(almost_a_second));
    Some(seconds(end.unwrap_or(Timestamp::MAX)))
}

/// A time in whole seconds, as RFC 3339 has it.
fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// A metadata value; Dapr compares these names without case.
fn property<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a str> {
    let exact = metadata.get_key_value(name);
    let any = || metadata.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    exact.or_else(any).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests;
