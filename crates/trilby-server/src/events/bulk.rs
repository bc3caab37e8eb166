//! Several events at once, in daprd's JSON.

use serde::Deserialize;

use super::Variables;

/// What is looked at of them; the guest gets all of it.
#[derive(Deserialize)]
pub(super) struct Bulk {
    #[serde(default)]
    topic: String,
    #[serde(default)]
    pubsubname: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    entry_id: String,
}

/// Reads several events; `None` if the body is something else.
pub(super) fn read(body: &[u8]) -> Option<Bulk> {
    serde_json::from_slice(body).ok()
}

impl Bulk {
    pub(super) fn variables(&self) -> Variables {
        let names = [("CE_TOPIC", &self.topic), ("CE_PUBSUBNAME", &self.pubsubname)];
        let names = names.into_iter().filter(|(_, value)| !value.is_empty());
        let names = names.filter(|(_, value)| !value.contains('\0'));
        let mut all: Variables =
            names.map(|(name, value)| (name.into(), value.clone().into())).collect();
        all.push(("TRILBY_BULK_COUNT".into(), self.entries.len().to_string().into()));
        all
    }

    pub(super) fn entry_ids(self) -> Vec<String> {
        self.entries.into_iter().map(|entry| entry.entry_id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_are_counted_and_known() {
        let body = br#"{"id":"b","type":"com.dapr.event.sent.bulk","topic":"t","pubsubname":"bus",
            "metadata":null,"entries":[
            {"entryId":"1","event":{"id":"x"},"contentType":"a/b","metadata":{}},
            {"entryId":"2","event":"AA==","metadata":null}]}"#;
        let bulk = read(body).expect("several events");
        let expected = [("CE_TOPIC", "t"), ("CE_PUBSUBNAME", "bus"), ("TRILBY_BULK_COUNT", "2")];
        let expected: Variables = expected.map(|(name, value)| (name.into(), value.into())).into();
        assert_eq!(bulk.variables(), expected);
        assert_eq!(bulk.entry_ids(), ["1", "2"]);
    }

    #[test]
    fn a_single_event_is_not_several() {
        for body in ["", "{}", "[]", "text", r#"{"specversion":"1.0"}"#, r#"{"entries":[{}]}"#] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
