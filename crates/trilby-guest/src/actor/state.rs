//! Changes of an actor's state.

use std::time::Duration;

use super::Actor;
use crate::json::{self, Record};
use crate::{Result, call, raw};

/// Changes of an actor's state that are made all or not at all. Values are JSON.
///
/// ```no_run
/// use trilby_guest::actor::Actor;
///
/// # fn main() -> trilby_guest::Result<()> {
/// Actor::new("Cart", "ada")
///     .transaction()
///     .upsert("items", "[7]")
///     .delete("coupon")
///     .commit()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is changed before `commit`"]
pub struct Transaction<'a> {
    actor: Actor<'a>,
    records: Vec<Record>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(actor: Actor<'a>) -> Self {
        Self { actor, records: Vec::new() }
    }

    /// Writes a key.
    pub fn upsert(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.records.push(write(key, value.as_ref()));
        self
    }

    /// Writes a key that is dropped after this time, rounded up to seconds, at least one.
    pub fn upsert_for(mut self, ttl: Duration, key: &str, value: impl AsRef<[u8]>) -> Self {
        let mut record = write(key, value.as_ref());
        record.push_metadata("ttlInSeconds", &call::whole_seconds(ttl).to_string());
        self.records.push(record);
        self
    }

    /// Removes a key.
    pub fn delete(mut self, key: &str) -> Self {
        let mut record = Record::default();
        record.push("operation", "delete");
        record.push("key", key);
        self.records.push(record);
        self
    }

    /// Makes the changes.
    pub fn commit(self) -> Result<()> {
        let (Actor { kind, id }, records) = (self.actor, json::lines(&self.records));
        call::done(raw::actor_transact_state(kind, id, "", records))
    }
}

fn write(key: &str, value: &[u8]) -> Record {
    let mut record = Record::default();
    record.push("operation", "upsert");
    record.push("key", key);
    record.push_bytes("value", value);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_written_as_the_abi_names_them() {
        let changes = Actor::new("T", "i")
            .transaction()
            .upsert("a", "1")
            .upsert_for(Duration::from_secs(9), "b", "2")
            .delete("c");
        let expected = "{\"operation\":\"upsert\",\"key\":\"a\",\"value\":\"1\"}\n\
                        {\"operation\":\"upsert\",\"key\":\"b\",\"value\":\"2\",\
                        \"metadata\":{\"ttlInSeconds\":\"9\"}}\n\
                        {\"operation\":\"delete\",\"key\":\"c\"}\n";
        assert_eq!(json::lines(&changes.records), expected);
    }
}
