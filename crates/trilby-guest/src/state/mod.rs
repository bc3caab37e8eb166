//! State stores: values by key, with etags against lost updates.
//!
//! ```no_run
//! use trilby_guest::state::{self, Set};
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let seen = state::get("statestore", "colour")?;
//! let outcome = Set::new("statestore", "colour", "blue").unless_changed(&seen).send();
//! match outcome {
//!     Err(error) if error.is_conflict() => { /* someone was faster: read again */ }
//!     other => other?,
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Many keys at once save calls: [`get_bulk`], [`set_bulk`] and [`delete_bulk`]; a [`Transaction`]
//! changes several keys together; a [`query()`] searches stores that can.

mod bulk;
mod query;
mod record;
mod single;
mod transaction;

pub use bulk::{GetBulk, delete_bulk, get_bulk, set_bulk};
pub use query::{Page, Query, query};
pub use record::{Remove, Upsert};
pub use single::{Delete, Get, Set, delete, get, set};
pub use transaction::Transaction;

use std::time::Duration;

use crate::json::Fields;
use crate::{Result, call};

/// What a store holds under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Value {
    /// The value; empty if the key is missing.
    pub data: Vec<u8>,
    /// The value's version; `None` if the key is missing.
    pub etag: Option<String>,
    /// What the store adds, as pairs of name and value.
    pub metadata: Vec<(String, String)>,
}

/// One of many values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// What the store holds there.
    pub value: Value,
    /// Why the key could not be read.
    pub error: Option<String>,
}

impl Entry {
    fn read(fields: &Fields) -> Result<Self> {
        let value = Value {
            data: fields.bytes("value").unwrap_or_default(),
            etag: fields.text("etag"),
            metadata: fields.pairs("metadata"),
        };
        Ok(Self { key: fields.required("key")?, value, error: fields.text("error") })
    }
}

/// How far a read or write must have come in the store before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Replicas may lag behind.
    Eventual,
    /// All replicas agree.
    Strong,
}

/// Who wins when two write at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// The first: a write without an etag succeeds only on a missing key.
    FirstWrite,
    /// The last: a write without an etag overwrites.
    LastWrite,
}

impl Consistency {
    fn name(self) -> &'static str {
        match self {
            Self::Eventual => "eventual",
            Self::Strong => "strong",
        }
    }
}

impl Concurrency {
    fn name(self) -> &'static str {
        match self {
            Self::FirstWrite => "first-write",
            Self::LastWrite => "last-write",
        }
    }
}

/// What goes to the component as it is.
macro_rules! metadata_option {
    ($($operation:ty => $field:ident)*) => {$(
        impl $operation {
            /// Passes metadata to the component.
            pub fn metadata(mut self, name: &str, value: &str) -> Self {
                self.$field.push_metadata(name, value);
                self
            }
        }
    )*};
}

/// How far an operation must have come.
macro_rules! consistency_option {
    ($($operation:ty => $field:ident)*) => {$(
        impl $operation {
            /// Asks for this consistency.
            pub fn consistency(mut self, consistency: Consistency) -> Self {
                self.$field.push("consistency", consistency.name());
                self
            }
        }
    )*};
}

/// Options of what changes a key.
macro_rules! change_options {
    ($($operation:ty => $field:ident)*) => {$(
        impl $operation {
            /// Succeeds only if this is the current version; else the error
            /// [is a conflict](crate::Error::is_conflict).
            pub fn etag(mut self, etag: &str) -> Self {
                self.$field.push("etag", etag);
                self
            }

            /// Says who wins when two write at once.
            pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
                self.$field.push("concurrency", concurrency.name());
                self
            }

            /// Succeeds only if the key still is as `seen`, or still missing if it was.
            pub fn unless_changed(self, seen: &Value) -> Self {
                let guarded = self.concurrency(Concurrency::FirstWrite);
                match &seen.etag {
                    Some(etag) => guarded.etag(etag),
                    None => guarded,
                }
            }
        }
    )*};
}

/// Options of what writes a value.
macro_rules! value_options {
    ($($operation:ty => $field:ident)*) => {$(
        impl $operation {
            /// Lets the store drop the value after this time, rounded up to seconds, at least one.
            pub fn ttl(self, ttl: Duration) -> Self {
                self.metadata("ttlInSeconds", &call::whole_seconds(ttl).to_string())
            }

            /// Tells the store the value's media type. With `application/json` the value must
            /// parse.
            pub fn content_type(mut self, media_type: &str) -> Self {
                self.$field.push("content-type", media_type);
                self
            }
        }
    )*};
}

metadata_option! {
    Get<'_> => options
    Set<'_> => options
    Delete<'_> => options
    GetBulk<'_> => options
    Transaction<'_> => options
    Query<'_> => options
    Upsert => record
    Remove => record
}
consistency_option! {
    Get<'_> => options
    Set<'_> => options
    Delete<'_> => options
    Upsert => record
    Remove => record
}
change_options! {
    Set<'_> => options
    Delete<'_> => options
    Upsert => record
    Remove => record
}
value_options! {
    Set<'_> => options
    Upsert => record
}
