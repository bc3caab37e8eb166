//! Publishing over HTTP.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use trilby_dapr::messaging::{BulkEvent, FailedEvent, Publish, PublishBulk};
use trilby_dapr::{Code, Error, Metadata};

use super::asked::{Answered, Asked, OrTell as _, json as parsed};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    // The SDK for JavaScript writes it so, and Go reads names without their case.
    #[serde(default, alias = "entryID")]
    entry_id: String,
    event: Option<Box<RawValue>>,
    #[serde(default)]
    content_type: String,
    metadata: Option<Metadata>,
}

pub(super) async fn publish(shared: Arc<Shared>, asked: Asked) -> Answered {
    let metadata = asked.metadata();
    let about =
        About::new(Block::Pubsub, asked.param(0)).named(asked.param(1)).with_metadata(&metadata);
    let (cx, pubsub, topic) = opened(&asked);
    let content_type =
        Some(asked.header("content-type").to_owned()).filter(|kind| !kind.is_empty());
    let read = asked.bytes(&shared).await;
    let data = read.map_err(|error| unreadable(&about, &error)).or_tell(&shared, &about)?;
    let request = Publish { pubsub, topic, data, content_type, metadata };
    shared.backend.blocks.publish(&cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

pub(super) async fn publish_many(shared: Arc<Shared>, asked: Asked) -> Answered {
    let metadata = asked.metadata();
    let about =
        About::new(Block::Pubsub, asked.param(0)).named(asked.param(1)).with_metadata(&metadata);
    let (cx, pubsub, topic) = opened(&asked);
    // daprd looks at the broker first: an empty call tells whether it is there.
    let nothing = PublishBulk {
        pubsub: pubsub.clone(),
        topic: topic.clone(),
        metadata: metadata.clone(),
        events: Vec::new(),
    };
    shared.backend.blocks.publish_bulk(&cx, nothing).await.or_tell(&shared, &about)?;
    let read = asked.bytes(&shared).await;
    let body = read.map_err(|error| unreadable(&about, &error)).or_tell(&shared, &about)?;
    let entries: Option<Vec<Entry>> = parsed(&body)
        .map_err(|why| {
            let text = format!(
                "error when unmarshaling the request for topic {topic} pubsub {pubsub}: {why}"
            );
            invalid(&text).with_reason("DAPR_PUBSUB_UNMARSHAL_EVENTS")
        })
        .or_tell(&shared, &about)?;
    let entries = entries.unwrap_or_default().into_iter().map(|entry| entry.event(&about));
    let events = entries.collect::<Result<Vec<BulkEvent>, Error>>().or_tell(&shared, &about)?;
    let request = PublishBulk { pubsub, topic, events, metadata };
    let failed = shared.backend.blocks.publish_bulk(&cx, request).await.or_tell(&shared, &about)?;
    if failed.is_empty() {
        return Ok(reply::empty());
    }
    let entry = |failed: FailedEvent| json!({ "entryId": failed.id, "error": failed.error });
    let body = json!({
        "failedEntries": failed.into_iter().map(entry).collect::<Vec<_>>(),
        "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE",
    });
    Ok(reply::json(StatusCode::INTERNAL_SERVER_ERROR, body.to_string()))
}

impl Entry {
    fn event(self, about: &About) -> Result<BulkEvent, Error> {
        let event = self.event.as_deref().map_or("null", RawValue::get);
        let data = data(event, &self.content_type).map_err(|why| {
            let text = format!(
                "error when marshalling cloud event envelope for topic {} pubsub {}: {why}",
                about.name, about.component
            );
            invalid(&text).with_reason("DAPR_PUBSUB_MARSHAL_ENVELOPE")
        })?;
        Ok(BulkEvent {
            id: self.entry_id,
            data,
            content_type: Some(self.content_type).filter(|kind| !kind.is_empty()),
            metadata: self.metadata.unwrap_or_default(),
        })
    }
}

/// The bytes of an event in JSON: base64, a text or JSON, as its type says.
fn data(event: &str, content_type: &str) -> Result<Bytes, String> {
    const MISMATCH: &str = "error: mismatch between contentType and event";
    let essence = content_type.split(';').next().unwrap_or_default().to_ascii_lowercase();
    let text = || serde_json::from_str::<String>(event).map_err(|_| MISMATCH.to_owned());
    match essence.as_str() {
        "application/octet-stream" | "application/cloudevents+protobuf" => {
            STANDARD.decode(text()?).map(Bytes::from).map_err(|error| {
                format!("error: unable to decode base64 application/octect-stream data: {error}")
            })
        }
        "application/json" | "application/cloudevents+json" => Ok(event.to_owned().into()),
        kind if kind.starts_with("text/") || kind == "application/xml" => Ok(text()?.into()),
        _ => Err(MISMATCH.to_owned()),
    }
}

fn opened(asked: &Asked) -> (trilby_dapr::CallContext, String, String) {
    (asked.cx.clone(), asked.param(0).to_owned(), asked.param(1).to_owned())
}

/// daprd tells of a body that cannot be read as of a publish that failed.
fn unreadable(about: &About, error: &Error) -> Error {
    let why = error.message.rsplit(": ").next().unwrap_or_default();
    let (topic, pubsub) = (&about.name, &about.component);
    let text = format!("error when publishing to topic {topic} in pubsub {pubsub}: {why}");
    Error::new(Code::Internal, text).with_reason("DAPR_PUBSUB_PUBLISH_MESSAGE")
}

fn invalid(text: &str) -> Error {
    Error::new(Code::InvalidArgument, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_what_their_type_says() {
        for (event, content_type, expected) in [
            (r#"{"a": 1.50}"#, "application/json", Some(r#"{"a": 1.50}"#)),
            (r#""text""#, "application/json; charset=utf-8", Some(r#""text""#)),
            (r#"{"id":"1"}"#, "application/cloudevents+json", Some(r#"{"id":"1"}"#)),
            (r#""hi""#, "text/plain", Some("hi")),
            (r#"{"a":1}"#, "text/plain", None),
            (r#""aGk=""#, "application/octet-stream", Some("hi")),
            (r#""?""#, "application/octet-stream", None),
            ("1", "application/octet-stream", None),
            (r#""hi""#, "", None),
            (r#""hi""#, "image/png", None),
        ] {
            let found = data(event, content_type).ok();
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{event} {content_type}");
        }
    }
}
