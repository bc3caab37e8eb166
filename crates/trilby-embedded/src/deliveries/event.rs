//! A message from the broker as an event for the app: daprd's rules for what it does with a message
//! before it delivers it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::{Map, Value};
use trilby_dapr::ConditionError;

use super::post::{Target, headers};
use super::routes::Routes;
use crate::broker::Message;
use crate::text::shown;

/// An event that somebody wants.
pub(super) struct Wanted {
    /// As messages show it.
    pub(super) id: String,
    pub(super) target: Arc<Target>,
    pub(super) headers: HeaderMap,
    /// The envelope.
    pub(super) body: Bytes,
}

/// Why an event is not for anybody.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwanted {
    #[error(
        "a raw payload that is not a JSON object; without an envelope, only a subscription with \
         the metadata `rawPayload` can take it"
    )]
    NoEnvelope,
    #[error("the event `{id}` has expired")]
    Expired { id: String },
    #[error("no rule wants the event `{id}`")]
    NoRule { id: String },
    #[error("the event `{id}` has no route: {error}")]
    Rule { id: String, error: ConditionError },
    #[error("reading the event panicked")]
    Panic,
}

/// Reads with `read`, whose panic is a defect, but one event's: it must not end the subscription.
pub(super) fn caught(read: impl FnOnce() -> Result<Wanted, Unwanted>) -> Result<Wanted, Unwanted> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Unwanted::Panic))
}

/// Reads a message of a subscription whose messages are raw or are envelopes.
pub(super) fn read(
    message: &Message,
    pubsub: &str,
    is_raw: bool,
    routes: &Routes,
    now: Timestamp,
) -> Result<Wanted, Unwanted> {
    let body = if is_raw { wrap(message, pubsub) } else { message.data.clone() };
    // As to daprd, a name that comes twice has its last value.
    let Ok(envelope) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return Err(Unwanted::NoEnvelope);
    };
    let text = |name: &str| match envelope.get(name) {
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let id = shown(text("id").unwrap_or_default());
    let expiration = text("expiration").and_then(|time| time.parse().ok());
    if expiration.is_some_and(|time: Timestamp| time < now) {
        return Err(Unwanted::Expired { id });
    }
    let target = match routes.find(&envelope) {
        Ok(Some(target)) => target,
        Ok(None) => return Err(Unwanted::NoRule { id }),
        Err(error) => return Err(Unwanted::Rule { id, error }),
    };
    let mut headers = headers(&message.metadata);
    let trace = text("traceparent").or_else(|| text("traceid"));
    let trace = [("traceparent", trace), ("tracestate", text("tracestate"))];
    for (header, value) in trace.into_iter().chain([("pubsubname", Some(pubsub))]) {
        let value = value.filter(|value| !value.is_empty());
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(header, value);
        }
    }
    Ok(Wanted { id, target, headers, body })
}

/// The envelope that a subscription to raw payloads gets: whatever was published, also an envelope,
/// is data of an event with an id of its own.
fn wrap(message: &Message, pubsub: &str) -> Bytes {
    let mut envelope = BTreeMap::from([
        ("data_base64", STANDARD.encode(&message.data)),
        ("datacontenttype", "application/octet-stream".to_owned()),
        ("id", uuid::Uuid::new_v4().to_string()),
        ("pubsubname", pubsub.to_owned()),
        ("source", "Dapr".to_owned()),
        ("specversion", "1.0".to_owned()),
        ("topic", message.topic.to_string()),
        ("type", "com.dapr.event.sent".to_owned()),
    ]);
    // What the publisher's runtime said beside the payload.
    let said = |name| message.metadata.get(name).cloned();
    for (name, value) in [
        ("traceid", said("traceparent").or_else(|| said("traceid"))),
        ("traceparent", said("traceparent")),
        ("tracestate", said("tracestate")),
    ] {
        envelope.extend(value.map(|value| (name, value)));
    }
    // Texts always have a form in JSON.
    serde_json::to_vec(&envelope).map(Bytes::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use http::{Request, Response};
    use trilby_dapr::Inbound;
    use trilby_dapr::subscription::Subscription;

    use super::*;
    use crate::broker::{Backlog, Receipt};

    struct Nobody;

    #[async_trait]
    impl Inbound for Nobody {
        async fn deliver(&self, _: Request<Bytes>) -> Response<Bytes> {
            Response::default()
        }
    }

    #[test]
    fn an_id_stays_on_its_line() {
        let subscription = Subscription {
            pubsub: "bus".to_owned(),
            topic: "t".to_owned(),
            rules: Vec::new(),
            default: None,
            dead_letter_topic: None,
            bulk: None,
            metadata: BTreeMap::new(),
        };
        let inbound: Arc<dyn Inbound> = Arc::new(Nobody);
        let routes = Routes::of(&inbound, &subscription).unwrap();
        let message = |more: &str| Message {
            data: format!(r#"{{"id": "1\n2026 ERROR {}"{more}}}"#, "x".repeat(1000)).into(),
            topic: "t".into(),
            metadata: Arc::default(),
            receipt: Receipt::Memory,
            ticket: Arc::new(Backlog::default()).ticket(None),
        };
        let id = format!("1\\n2026 ERROR {}…", "x".repeat(67));
        for (more, expected) in [
            ("", format!("no rule wants the event `{id}`")),
            (r#", "expiration": "2020-01-01T00:00:00Z""#, format!("the event `{id}` has expired")),
        ] {
            let why = read(&message(more), "bus", false, &routes, Timestamp::now()).err().unwrap();
            assert_eq!(why.to_string(), expected);
        }
    }

    #[test]
    fn a_panic_is_one_events() {
        let read = caught(|| panic!("as the test wants it"));
        assert!(matches!(read, Err(Unwanted::Panic)));
    }
}
