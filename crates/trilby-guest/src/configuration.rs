//! Read configuration that operators may change while the application runs.
//!
//! ```no_run
//! use trilby_guest::configuration;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let limit = configuration::get("settings", "limit")?.map(|item| item.value);
//! # let _ = limit;
//! # Ok(())
//! # }
//! ```
//!
//! A change comes as a request: see [`cgi::Trigger::Configuration`](crate::cgi::Trigger).

use crate::call::{Answer, Options};
use crate::json::{self, Fields, Record};
use crate::{Result, raw};

/// What a key is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The value's version, as the store counts.
    pub version: String,
    /// What the store adds, as pairs of name and value.
    pub metadata: Vec<(String, String)>,
}

/// Reads a key; `None` if it is not set.
pub fn get(store: &str, key: &str) -> Result<Option<Item>> {
    Ok(Get::new(store).keys([key]).send()?.into_iter().find(|item| item.key == key))
}

/// Reads all keys that are set and granted.
pub fn get_all(store: &str) -> Result<Vec<Item>> {
    Get::new(store).send()
}

/// A read of several keys, or with metadata. Give each name once.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `send`"]
pub struct Get<'a> {
    store: &'a str,
    records: Vec<Record>,
    options: Options,
}

impl<'a> Get<'a> {
    /// A read of all granted keys, unless some [are named](Self::keys).
    pub fn new(store: &'a str) -> Self {
        Self { store, records: Vec::new(), options: Options::default() }
    }

    /// Asks for these keys, too.
    pub fn keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.records.extend(keys.into_iter().map(|key| {
            let mut record = Record::default();
            record.push("key", key.as_ref());
            record
        }));
        self
    }

    /// Passes metadata to the component.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.options.push_metadata(name, value);
        self
    }

    /// Reads. Keys that are not set are left out.
    pub fn send(self) -> Result<Vec<Item>> {
        let records = json::lines(&self.records);
        let result = raw::configuration_get(self.store, self.options.block()?, records);
        Answer::open(result)?.records()?.iter().map(Item::read).collect()
    }
}

impl Item {
    fn read(fields: &Fields) -> Result<Self> {
        Ok(Self {
            key: fields.required("key")?,
            value: fields.text("value").unwrap_or_default(),
            version: fields.text("version").unwrap_or_default(),
            metadata: fields.pairs("metadata"),
        })
    }
}
