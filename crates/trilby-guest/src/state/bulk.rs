//! Many keys in one call.

use super::{Entry, Remove, Upsert};
use crate::call::{self, Answer, Options};
use crate::json::{self, Record};
use crate::{Result, raw};

/// Reads many keys. There is an [`Entry`] for each, in any order; one that is missing has no etag,
/// and one that could not be read has an error.
///
/// ```no_run
/// use trilby_guest::state;
///
/// # fn main() -> trilby_guest::Result<()> {
/// for entry in state::get_bulk("statestore", ["red", "green"])? {
///     if entry.value.etag.is_some() {
///         eprintln!("{}: {} bytes", entry.key, entry.value.data.len());
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn get_bulk<K: AsRef<str>>(
    store: &str,
    keys: impl IntoIterator<Item = K>,
) -> Result<Vec<Entry>> {
    GetBulk::new(store).keys(keys).send()
}

/// Writes many keys. Not atomic: what can be written is, even if the call fails for another key.
///
/// ```no_run
/// use trilby_guest::state::{self, Upsert};
///
/// # fn main() -> trilby_guest::Result<()> {
/// state::set_bulk("statestore", [Upsert::new("red", "f00"), Upsert::new("green", "0f0")])?;
/// # Ok(())
/// # }
/// ```
pub fn set_bulk(store: &str, writes: impl IntoIterator<Item = Upsert>) -> Result<()> {
    let records: Vec<Record> = writes.into_iter().map(|write| write.record).collect();
    call::done(raw::state_set_bulk(store, "", json::lines(&records)))
}

/// Removes many keys. Not atomic: what can be removed is, even if the call fails for another key.
pub fn delete_bulk(store: &str, removals: impl IntoIterator<Item = Remove>) -> Result<()> {
    let records: Vec<Record> = removals.into_iter().map(|removal| removal.record).collect();
    call::done(raw::state_delete_bulk(store, "", json::lines(&records)))
}

/// A read of many keys with options. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `send`"]
pub struct GetBulk<'a> {
    store: &'a str,
    records: Vec<Record>,
    pub(super) options: Options,
}

impl<'a> GetBulk<'a> {
    /// A read of no keys yet, with Dapr's defaults.
    pub fn new(store: &'a str) -> Self {
        Self { store, records: Vec::new(), options: Options::default() }
    }

    /// Asks for these keys, too.
    pub fn keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.records.extend(keys.into_iter().map(|key| Remove::new(key.as_ref()).record));
        self
    }

    /// How many keys the store may read at once: a hint.
    pub fn parallelism(mut self, count: u32) -> Self {
        self.options.push("parallelism", &count.to_string());
        self
    }

    /// Reads.
    pub fn send(self) -> Result<Vec<Entry>> {
        let records = json::lines(&self.records);
        let result = raw::state_get_bulk(self.store, self.options.block()?, records);
        Answer::open(result)?.records()?.iter().map(Entry::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Fields;
    use crate::state::{Concurrency, Value};

    #[test]
    fn records_are_written_as_the_abi_names_them() {
        let write = Upsert::new("k", [0xff])
            .concurrency(Concurrency::FirstWrite)
            .content_type("text/plain")
            .ttl(std::time::Duration::from_secs(5));
        let expected = "{\"key\":\"k\",\"value-base64\":\"/w==\",\"concurrency\":\"first-write\",\
                        \"content-type\":\"text/plain\",\"metadata\":{\"ttlInSeconds\":\"5\"}}\n";
        assert_eq!(json::lines([&write.record]), expected);
        let asked = GetBulk::new("s").keys(["a", "b"]).parallelism(2);
        assert_eq!(json::lines(&asked.records), "{\"key\":\"a\"}\n{\"key\":\"b\"}\n");
        assert_eq!(asked.options.block().unwrap(), "parallelism: 2\n");
    }

    #[test]
    fn entries_tell_found_missing_and_failed_apart() {
        let body = "{\"key\":\"a\",\"value\":\"1\",\"etag\":\"7\",\"metadata\":{\"m\":\"x\"}}\n\
                    {\"key\":\"b\"}\n{\"key\":\"c\",\"error\":\"no\"}\n";
        let fields = Fields::all(body.into()).unwrap();
        let entries: Vec<Entry> = fields.iter().map(Entry::read).collect::<Result<_>>().unwrap();
        let found = Value {
            data: b"1".to_vec(),
            etag: Some("7".to_owned()),
            metadata: vec![("m".to_owned(), "x".to_owned())],
        };
        assert_eq!((&entries[0].value, &entries[0].error), (&found, &None));
        assert_eq!((&entries[1].value, &entries[1].error), (&Value::default(), &None));
        assert_eq!(entries[2].error.as_deref(), Some("no"));
    }
}
