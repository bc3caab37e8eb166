//! Several changes together.

use super::{Remove, Upsert};
use crate::call::{self, Options};
use crate::json::{self, Record};
use crate::{Result, raw};

/// Changes of several keys that are done all, in order, or not at all.
///
/// ```no_run
/// use trilby_guest::state::{self, Remove, Transaction, Upsert};
///
/// # fn main() -> trilby_guest::Result<()> {
/// let order = state::get("statestore", "order-7")?;
/// Transaction::new("statestore")
///     .upsert(Upsert::new("paid-7", &order.data))
///     .delete(Remove::new("order-7").unless_changed(&order))
///     .commit()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is changed before `commit`"]
pub struct Transaction<'a> {
    store: &'a str,
    records: Vec<Record>,
    pub(super) options: Options,
}

impl<'a> Transaction<'a> {
    /// A transaction of no changes yet.
    pub fn new(store: &'a str) -> Self {
        Self { store, records: Vec::new(), options: Options::default() }
    }

    /// Writes a key.
    pub fn upsert(mut self, write: Upsert) -> Self {
        self.push("upsert", write.record);
        self
    }

    /// Removes a key.
    pub fn delete(mut self, removal: Remove) -> Self {
        self.push("delete", removal.record);
        self
    }

    fn push(&mut self, operation: &str, mut record: Record) {
        record.push("operation", operation);
        self.records.push(record);
    }

    /// Makes the changes. A lost race [is a conflict](crate::Error::is_conflict); Redis may then
    /// keep the changes before the one that lost.
    pub fn commit(self) -> Result<()> {
        let records = json::lines(&self.records);
        call::done(raw::state_transact(self.store, self.options.block()?, records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_keep_their_order() {
        let changes = Transaction::new("s")
            .upsert(Upsert::new("a", "1"))
            .delete(Remove::new("b").etag("2"))
            .metadata("m", "x");
        let expected = "{\"key\":\"a\",\"value\":\"1\",\"operation\":\"upsert\"}\n\
                        {\"key\":\"b\",\"etag\":\"2\",\"operation\":\"delete\"}\n";
        assert_eq!(json::lines(&changes.records), expected);
        assert_eq!(changes.options.block().unwrap(), "metadata.m: x\n");
    }
}
