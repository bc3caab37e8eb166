//! Many events in one request, and an outcome for each.

use super::{Envelope, Event};
use crate::json::{Json, decode_base64, quote};

/// One of the events that came in bulk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Names the entry in the [answer](super::Response::statuses).
    pub id: String,
    /// The event's attributes; empty ones for a raw payload, which has none.
    pub event: Event,
    /// The event's data.
    pub data: Vec<u8>,
    /// The data's media type.
    pub content_type: Option<String>,
    /// What the component adds, as pairs of name and value.
    pub metadata: Vec<(String, String)>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is done.
    Success,
    /// It is to come again.
    Retry,
    /// It is given up: it goes to the dead-letter topic, if the route has one.
    Drop,
}

impl Entry {
    /// Reads Dapr's JSON for several events at once.
    pub(super) fn parse_all(body: &[u8]) -> Option<Vec<Self>> {
        let json = Json::parse(std::str::from_utf8(body).ok()?)?;
        let Json::Array(entries) = json.get("entries")? else { return None };
        entries.iter().map(Self::read).collect()
    }

    fn read(entry: &Json) -> Option<Self> {
        let content_type = entry.get("contentType").map(Json::to_text);
        let inner = match entry.get("event").unwrap_or(&Json::Null) {
            Json::Null => Envelope::default(),
            event => Envelope::from_json(event).unwrap_or_else(|| Envelope {
                data: payload(event),
                content_type,
                ..Envelope::default()
            }),
        };
        let metadata = match entry.get("metadata") {
            Some(Json::Object(members)) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_text())).collect()
            }
            _ => Vec::new(),
        };
        Some(Self {
            id: entry.get("entryId")?.to_text(),
            event: inner.event,
            data: inner.data,
            content_type: inner.content_type,
            metadata,
        })
    }
}

/// A raw payload, which Dapr writes in base64.
fn payload(event: &Json) -> Vec<u8> {
    let decoded = event.as_str().and_then(decode_base64);
    decoded.unwrap_or_else(|| event.to_text().into_bytes())
}

/// The answer's body.
pub(super) fn statuses<I: AsRef<str>>(outcomes: impl IntoIterator<Item = (I, Status)>) -> String {
    let mut body = String::from("{\"statuses\":[");
    for (index, (id, status)) in outcomes.into_iter().enumerate() {
        body.push_str(if index > 0 { ",{\"entryId\":" } else { "{\"entryId\":" });
        quote(id.as_ref(), &mut body);
        body.push_str(match status {
            Status::Success => ",\"status\":\"SUCCESS\"}",
            Status::Retry => ",\"status\":\"RETRY\"}",
            Status::Drop => ",\"status\":\"DROP\"}",
        });
    }
    body.push_str("]}");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_events_or_raw_payloads() {
        let body = br#"{"id":"b","topic":"t","entries":[
            {"entryId":"1","event":{"specversion":"1.0","id":"e","type":"k","data":"x",
             "datacontenttype":"text/plain"},"metadata":{"m":"v"},
             "contentType":"application/cloudevents+json"},
            {"entryId":"2","event":"/w==","contentType":"application/octet-stream"},
            {"entryId":"3","event":"no base64"},
            {"entryId":"4"}]}"#;
        let entries = Entry::parse_all(body).unwrap();
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| {
                (&*entry.id, &*entry.event.id, &*entry.data, entry.content_type.as_deref())
            })
            .collect();
        let expected: [(&str, &str, &[u8], Option<&str>); 4] = [
            ("1", "e", b"x", Some("text/plain")),
            ("2", "", b"\xff", Some("application/octet-stream")),
            ("3", "", b"no base64", None),
            ("4", "", b"", None),
        ];
        assert_eq!(shown, expected);
        assert_eq!(entries[0].metadata, [("m".to_owned(), "v".to_owned())]);
    }

    #[test]
    fn what_is_no_list_of_events_is_none() {
        for body in ["", "{}", "[]", r#"{"entries":{}}"#, r#"{"entries":[{"event":1}]}"#] {
            assert_eq!(Entry::parse_all(body.as_bytes()), None, "{body}");
        }
        assert_eq!(Entry::parse_all(br#"{"entries":[]}"#), Some(Vec::new()));
    }

    #[test]
    fn outcomes_are_written_as_dapr_reads_them() {
        let outcomes = [("1", Status::Success), ("\"", Status::Retry), ("3", Status::Drop)];
        let expected = r#"{"statuses":[{"entryId":"1","status":"SUCCESS"},{"entryId":"\"","status":"RETRY"},{"entryId":"3","status":"DROP"}]}"#;
        assert_eq!(statuses(outcomes), expected);
        assert_eq!(statuses([] as [(&str, Status); 0]), "{\"statuses\":[]}");
    }
}
