//! Several events in one delivery, in Dapr's JSON.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Verdict;
use crate::Metadata;

/// Events of one topic that are delivered together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkEvents {
    /// Names the delivery.
    pub id: String,
    /// The pub/sub component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// What the broker says of all of them.
    pub metadata: Metadata,
    /// The events, of which each has its own id.
    pub entries: Vec<BulkEntry>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkEntry {
    /// Unique in the delivery.
    pub id: String,
    /// The event: an envelope in JSON, or any bytes.
    pub event: Bytes,
    /// The media type of the event; `application/cloudevents+json` for an envelope.
    pub content_type: String,
    /// What the broker says of it.
    pub metadata: Metadata,
}

#[derive(Serialize)]
struct Sent<'a> {
    id: &'a str,
    r#type: &'static str,
    topic: &'a str,
    pubsubname: &'a str,
    metadata: &'a Metadata,
    entries: Vec<SentEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SentEntry<'a> {
    entry_id: &'a str,
    event: SentEvent<'a>,
    content_type: &'a str,
    metadata: &'a Metadata,
}

#[derive(Serialize)]
#[serde(untagged)]
enum SentEvent<'a> {
    Envelope(&'a RawValue),
    Base64(String),
}

#[derive(Deserialize)]
struct Answer {
    statuses: Option<Vec<AnsweredEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnsweredEntry {
    #[serde(default)]
    entry_id: String,
    #[serde(default)]
    status: String,
}

impl BulkEvents {
    /// The body that an app gets: envelopes as JSON, other bytes as base64.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        let entries = self.entries.iter().map(|entry| SentEntry {
            entry_id: &entry.id,
            event: match serde_json::from_slice::<&RawValue>(&entry.event) {
                Ok(envelope) if entry.content_type.starts_with(super::CLOUD_EVENT) => {
                    SentEvent::Envelope(envelope)
                }
                _ => SentEvent::Base64(STANDARD.encode(&entry.event)),
            },
            content_type: &entry.content_type,
            metadata: &entry.metadata,
        });
        let sent = Sent {
            id: &self.id,
            r#type: "com.dapr.event.sent.bulk",
            topic: &self.topic,
            pubsubname: &self.pubsub,
            metadata: &self.metadata,
            entries: entries.collect(),
        };
        serde_json::to_vec(&sent).map(Bytes::from).unwrap_or_default()
    }
}

impl Verdict {
    /// What an answer to several events means for each of them, in their order.
    ///
    /// The statuses of the answer's JSON count for their entries, and one without a status comes
    /// again; without statuses the answer means the same for all as for a single event.
    #[must_use]
    pub fn of_each<'a>(
        status: StatusCode,
        body: &[u8],
        entry_ids: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Self> {
        let all = Self::of(status, body);
        let answer = serde_json::from_slice::<Answer>(body).ok().and_then(|answer| answer.statuses);
        let Some(statuses) = answer.filter(|_| status.is_success()) else {
            return entry_ids.into_iter().map(|_| all).collect();
        };
        let said: HashMap<&str, &str> =
            statuses.iter().map(|entry| (entry.entry_id.as_str(), entry.status.as_str())).collect();
        let verdict = |id| match said.get(id) {
            // Where every entry has a status, an empty one is none.
            Some(&"") | None => Self::Retry,
            Some(status) => Self::said(status),
        };
        entry_ids.into_iter().map(verdict).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Ack, Drop, Retry};
    use super::*;

    #[test]
    fn the_body_is_daprs() {
        let entry = |id: &str, event: &'static [u8], content_type: &str| BulkEntry {
            id: id.into(),
            event: Bytes::from_static(event),
            content_type: content_type.into(),
            metadata: Metadata::new(),
        };
        let events = BulkEvents {
            id: "b".into(),
            pubsub: "bus".into(),
            topic: "t".into(),
            metadata: Metadata::from([("k".into(), "v".into())]),
            entries: vec![
                entry("1", br#"{"id":"x","n":1.0}"#, "application/cloudevents+json"),
                entry("2", b"\xff", "application/octet-stream"),
                entry("3", b"not json", "application/cloudevents+json"),
            ],
        };
        let expected = concat!(
            r#"{"id":"b","type":"com.dapr.event.sent.bulk","topic":"t","pubsubname":"bus","#,
            r#""metadata":{"k":"v"},"entries":[{"entryId":"1","event":{"id":"x","n":1.0},"#,
            r#""contentType":"application/cloudevents+json","metadata":{}},"#,
            r#"{"entryId":"2","event":"/w==","contentType":"application/octet-stream","#,
            r#""metadata":{}},{"entryId":"3","event":"bm90IGpzb24=","#,
            r#""contentType":"application/cloudevents+json","metadata":{}}]}"#,
        );
        assert_eq!(events.to_json(), expected);
    }

    #[test]
    fn each_entry_has_its_verdict() {
        let table = [
            (200, r#"{"statuses":[{"entryId":"1","status":"SUCCESS"}]}"#, [Ack, Retry]),
            (
                200,
                r#"{"statuses":[{"entryId":"2","status":"DROP"},{"entryId":"1","status":"x"}]}"#,
                [Retry, Drop],
            ),
            (200, r#"{"statuses":[{"entryId":"1","status":""}]}"#, [Retry, Retry]),
            (200, r#"{"statuses":[]}"#, [Retry, Retry]),
            (200, "", [Ack, Ack]),
            (200, r#"{"status":"DROP"}"#, [Drop, Drop]),
            (404, "", [Drop, Drop]),
            (500, r#"{"statuses":[{"entryId":"1","status":"SUCCESS"}]}"#, [Retry, Retry]),
        ];
        for (status, body, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Verdict::of_each(status, body.as_bytes(), ["1", "2"]), expected, "{body}");
        }
    }
}
