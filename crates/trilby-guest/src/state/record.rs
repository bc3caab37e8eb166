//! Changes as records: what bulk operations and transactions are made of.

use crate::json::Record;

/// One of many writes. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is written before it is sent with others"]
pub struct Upsert {
    pub(super) record: Record,
}

/// One of many removals. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is removed before it is sent with others"]
pub struct Remove {
    pub(super) record: Record,
}

impl Upsert {
    /// A write with Dapr's defaults.
    pub fn new(key: &str, data: impl AsRef<[u8]>) -> Self {
        let mut record = Record::default();
        record.push("key", key);
        record.push_bytes("value", data.as_ref());
        Self { record }
    }
}

impl Remove {
    /// A removal with Dapr's defaults.
    pub fn new(key: &str) -> Self {
        let mut record = Record::default();
        record.push("key", key);
        Self { record }
    }
}
