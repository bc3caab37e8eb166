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

use std::time::Duration;

use crate::call::{self, Answer, Options};
use crate::{Result, raw};

/// What a store holds under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Value {
    /// The value; empty if the key is missing.
    pub data: Vec<u8>,
    /// The value's version; `None` if the key is missing.
    pub etag: Option<String>,
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

/// Reads a key.
pub fn get(store: &str, key: &str) -> Result<Value> {
    Get::new(store, key).send()
}

/// Writes a key, whatever it holds.
pub fn set(store: &str, key: &str, data: impl AsRef<[u8]>) -> Result<()> {
    Set::new(store, key, data.as_ref()).send()
}

/// Removes a key, whatever it holds.
pub fn delete(store: &str, key: &str) -> Result<()> {
    Delete::new(store, key).send()
}

/// A read with options.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `send`"]
pub struct Get<'a> {
    store: &'a str,
    key: &'a str,
    options: Options,
}

/// A write with options. Name each option once.
///
/// ```no_run
/// use std::time::Duration;
/// use trilby_guest::state::{Concurrency, Set};
///
/// # fn main() -> trilby_guest::Result<()> {
/// Set::new("statestore", "lease", "me")
///     .concurrency(Concurrency::FirstWrite)
///     .ttl(Duration::from_secs(30))
///     .send()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is written before `send`"]
pub struct Set<'a> {
    store: &'a str,
    key: &'a str,
    data: &'a [u8],
    options: Options,
}

/// A removal with options. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is removed before `send`"]
pub struct Delete<'a> {
    store: &'a str,
    key: &'a str,
    options: Options,
}

impl<'a> Get<'a> {
    /// A read with Dapr's defaults.
    pub fn new(store: &'a str, key: &'a str) -> Self {
        Self { store, key, options: Options::default() }
    }

    /// Reads.
    pub fn send(self) -> Result<Value> {
        let answer = Answer::open(raw::state_get(self.store, self.key, self.options.block()?))?;
        Ok(Value { data: answer.body()?, etag: answer.header("etag")? })
    }
}

impl<'a> Set<'a> {
    /// A write with Dapr's defaults.
    pub fn new(store: &'a str, key: &'a str, data: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { store, key, data: data.as_ref(), options: Options::default() }
    }

    /// Lets the store drop the value after this time, rounded up to seconds, at least one.
    pub fn ttl(self, ttl: Duration) -> Self {
        let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
        self.metadata("ttlInSeconds", &seconds.max(1).to_string())
    }

    /// Tells the store the value's media type. With `application/json` the value must parse.
    pub fn content_type(mut self, media_type: &str) -> Self {
        self.options.push("content-type", media_type);
        self
    }

    /// Writes.
    pub fn send(self) -> Result<()> {
        call::done(raw::state_set(self.store, self.key, self.options.block()?, self.data))
    }
}

impl<'a> Delete<'a> {
    /// A removal with Dapr's defaults.
    pub fn new(store: &'a str, key: &'a str) -> Self {
        Self { store, key, options: Options::default() }
    }

    /// Removes. A missing key is no error.
    pub fn send(self) -> Result<()> {
        call::done(raw::state_delete(self.store, self.key, self.options.block()?))
    }
}

/// Options that all three operations know.
macro_rules! common_options {
    ($($operation:ident)*) => {$(
        impl $operation<'_> {
            /// Asks for this consistency.
            pub fn consistency(mut self, consistency: Consistency) -> Self {
                self.options.push("consistency", match consistency {
                    Consistency::Eventual => "eventual",
                    Consistency::Strong => "strong",
                });
                self
            }

            /// Passes metadata to the component.
            pub fn metadata(mut self, name: &str, value: &str) -> Self {
                self.options.push_metadata(name, value);
                self
            }
        }
    )*};
}

/// Options of the operations that change a key.
macro_rules! write_options {
    ($($operation:ident)*) => {$(
        impl $operation<'_> {
            /// Succeeds only if this is the current version; else the error
            /// [is a conflict](crate::Error::is_conflict).
            pub fn etag(mut self, etag: &str) -> Self {
                self.options.push("etag", etag);
                self
            }

            /// Says who wins when two write at once.
            pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
                self.options.push("concurrency", match concurrency {
                    Concurrency::FirstWrite => "first-write",
                    Concurrency::LastWrite => "last-write",
                });
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

common_options!(Get Set Delete);
write_options!(Set Delete);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_the_abi_names_them() {
        let seen = Value { data: vec![], etag: Some("7".to_owned()) };
        let set = Set::new("s", "k", "v")
            .consistency(Consistency::Strong)
            .unless_changed(&seen)
            .content_type("text/plain")
            .ttl(Duration::from_millis(1500));
        let expected = "consistency: strong\nconcurrency: first-write\netag: 7\n\
                        content-type: text/plain\nmetadata.ttlInSeconds: 2\n";
        assert_eq!(set.options.block().unwrap(), expected);
    }

    #[test]
    fn a_missing_key_must_stay_missing() {
        let set = Set::new("s", "k", "v").unless_changed(&Value::default());
        assert_eq!(set.options.block().unwrap(), "concurrency: first-write\n");
    }
}
