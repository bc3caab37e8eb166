//! Records: one JSON object on each line, as lists go to the host and come from it.

use super::{Json, base64, quote};
use crate::{Code, Error, Result};

/// A record in the making, with its fields in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    fields: String,
    metadata: String,
}

impl Record {
    /// Adds a field.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        member(&mut self.fields, name, value);
    }

    /// Adds a member of the field `metadata`.
    pub(crate) fn push_metadata(&mut self, name: &str, value: &str) {
        member(&mut self.metadata, name, value);
    }

    /// Adds bytes: the field `name` where they are UTF-8, else `name-base64`.
    pub(crate) fn push_bytes(&mut self, name: &str, bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.push(name, text);
        }
        let mut encoded = String::new();
        base64::encode(bytes, &mut encoded);
        self.push(&format!("{name}-base64"), &encoded);
    }

    /// Appends the record's line.
    pub(crate) fn write(&self, out: &mut String) {
        out.push('{');
        out.push_str(&self.fields);
        if !self.metadata.is_empty() {
            if !self.fields.is_empty() {
                out.push(',');
            }
            for part in ["\"metadata\":{", &self.metadata, "}"] {
                out.push_str(part);
            }
        }
        out.push_str("}\n");
    }
}

fn member(members: &mut String, name: &str, value: &str) {
    if !members.is_empty() {
        members.push(',');
    }
    quote(name, members);
    members.push(':');
    quote(value, members);
}

/// The lines of some records.
pub(crate) fn lines<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let mut out = String::new();
    for record in records {
        record.write(&mut out);
    }
    out
}

/// A record that came from the host.
#[derive(Debug)]
pub(crate) struct Fields(Json);

impl Fields {
    /// The records of an answer's body.
    pub(crate) fn all(body: Vec<u8>) -> Result<Vec<Self>> {
        let unreadable = || Error::new(Code::Internal, "the host's records are not readable");
        let text = String::from_utf8(body).map_err(|_| unreadable())?;
        let lines = text.lines().filter(|line| !line.is_empty());
        lines.map(|line| Json::parse(line).map(Self).ok_or_else(unreadable)).collect()
    }

    /// A field's text, and any other value than a string as JSON writes it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(Json::to_text)
    }

    /// The text of a field that every record has.
    pub(crate) fn required(&self, name: &str) -> Result<String> {
        let missing = || Error::new(Code::Internal, format!("the host's record has no `{name}`"));
        self.text(name).ok_or_else(missing)
    }

    /// Bytes of the field `name` or `name-base64`.
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.text(name).map(String::into_bytes).or_else(|| {
            let encoded = self.0.get(&format!("{name}-base64"))?;
            base64::decode(encoded.as_str()?)
        })
    }

    /// The members of a field that is an object of strings.
    pub(crate) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        match self.0.get(name) {
            Some(Json::Object(members)) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_text())).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_is_one_line() {
        let mut record = Record::default();
        record.push("key", "a\n\"b\"");
        record.push_bytes("value", &[0xff]);
        record.push_metadata("ttlInSeconds", "5");
        record.push_metadata("x", "");
        let expected = "{\"key\":\"a\\n\\\"b\\\"\",\"value-base64\":\"/w==\",\
                        \"metadata\":{\"ttlInSeconds\":\"5\",\"x\":\"\"}}\n";
        assert_eq!(lines([&record]), expected);
    }

    #[test]
    fn a_record_may_be_metadata_only_or_empty() {
        let mut record = Record::default();
        assert_eq!(lines([&record]), "{}\n");
        record.push_metadata("a", "b");
        assert_eq!(lines([&record]), "{\"metadata\":{\"a\":\"b\"}}\n");
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        for body in ["{", "{}\nx", "{\"a\":1} {}"] {
            let error = Fields::all(body.into()).unwrap_err();
            assert_eq!(error.code, Code::Internal, "{body}");
        }
        assert!(Fields::all(vec![0xff]).is_err());
        assert!(Fields::all(Vec::new()).unwrap().is_empty());
        let fields = Fields::all(b"\n{\"n\":1,\"v-base64\":\"!\"}\n\n".to_vec()).unwrap();
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].text("n").as_deref(), Some("1"));
        assert_eq!(fields[0].bytes("v"), None);
        assert!(fields[0].required("key").is_err());
    }

    proptest! {
        #[test]
        fn records_come_back(
            key in any::<String>(),
            value in proptest::collection::vec(any::<u8>(), 0..50),
            metadata in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4),
        ) {
            let mut record = Record::default();
            record.push("key", &key);
            record.push_bytes("value", &value);
            for (name, value) in &metadata {
                record.push_metadata(name, value);
            }
            let text = lines([&record, &record]);
            prop_assert_eq!(text.matches('\n').count(), 2);
            let read = Fields::all(text.into_bytes()).unwrap();
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!(read[1].text("key"), Some(key));
            prop_assert_eq!(read[1].bytes("value"), Some(value));
            prop_assert_eq!(read[1].pairs("metadata"), Vec::from_iter(metadata));
        }
    }
}
