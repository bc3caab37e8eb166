//! Operations on one key.

use super::Value;
use crate::call::{self, Answer, Options};
use crate::{Result, raw};

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
    pub(super) options: Options,
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
    pub(super) options: Options,
}

/// A removal with options. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is removed before `send`"]
pub struct Delete<'a> {
    store: &'a str,
    key: &'a str,
    pub(super) options: Options,
}

impl<'a> Get<'a> {
    /// A read with Dapr's defaults.
    pub fn new(store: &'a str, key: &'a str) -> Self {
        Self { store, key, options: Options::default() }
    }

    /// Reads.
    pub fn send(self) -> Result<Value> {
        let answer = Answer::open(raw::state_get(self.store, self.key, self.options.block()?))?;
        let headers = answer.headers()?;
        Ok(Value {
            data: answer.body()?,
            etag: call::find(&headers, "etag").map(str::to_owned),
            metadata: call::with_prefix(&headers, "metadata."),
        })
    }
}

impl<'a> Set<'a> {
    /// A write with Dapr's defaults.
    pub fn new(store: &'a str, key: &'a str, data: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { store, key, data: data.as_ref(), options: Options::default() }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::state::Consistency;

    #[test]
    fn options_are_written_as_the_abi_names_them() {
        let seen = Value { data: vec![], etag: Some("7".to_owned()), ..Value::default() };
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
