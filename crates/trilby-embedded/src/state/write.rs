//! What a store is asked to change, and how it may refuse.

use std::fmt;

use bytes::Bytes;

/// One change of one key; keys have their prefix.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Set(Set),
    Delete(Delete),
}

impl Write {
    /// Bytes of key and value.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Set(set) => {
                let value = match &set.value {
                    Value::Bytes(bytes) => bytes.len(),
                    Value::Json(text) => text.len(),
                };
                set.key.len().saturating_add(value)
            }
            Self::Delete(delete) => delete.key.len(),
        }
    }
}

/// Writes a key.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) guard: Guard,
    /// Whether first-write was asked for, with an etag or without one.
    pub(super) is_first: bool,
    /// The metadata `ttlInSeconds` as it was sent: stores differ in what they make of it.
    pub(super) ttl: Option<String>,
}

/// Deletes a key.
#[derive(Clone, Debug)]
pub(super) struct Delete {
    pub(super) key: String,
    pub(super) guard: Guard,
}

/// A value; daprd's SQLite store keeps the two apart.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bytes(Bytes),
    Json(String),
}

/// What must hold for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing.
    None,
    /// There is no such key.
    Missing,
    /// The key is there, with this etag.
    Etag(String),
}

/// Why a write did not happen.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The guard does not hold; with details, if the store gives any.
    Mismatch(Option<String>),
    /// The etag is none of this store's; with what is wrong with it.
    Invalid(String),
    /// The store could not do it.
    Failed(String),
}

/// daprd's texts for them.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(None) => f.write_str(MISMATCH),
            Self::Mismatch(Some(detail)) => write!(f, "{MISMATCH}: {detail}"),
            Self::Invalid(detail) => write!(f, "{INVALID}: {detail}"),
            Self::Failed(text) => f.write_str(text),
        }
    }
}

/// How daprd's text for a mismatch begins; callers look for it.
pub(super) const MISMATCH: &str = "possible etag mismatch. error from state store";

/// How daprd's text for an etag that cannot be one begins.
pub(super) const INVALID: &str = "invalid etag value";
