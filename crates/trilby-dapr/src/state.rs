//! State: keys and values in a named store, with etags.

use bytes::Bytes;

use crate::Metadata;

/// How writers of the same key meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// Dapr's default: the last write wins.
    #[default]
    Unspecified,
    /// A write succeeds only on a missing key, or with the current etag.
    FirstWrite,
    /// A write without an etag overwrites.
    LastWrite,
}

/// How soon a write must be seen by other readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// Dapr's default: eventual.
    #[default]
    Unspecified,
    /// Readers may see an older value for a while.
    Eventual,
    /// Readers see the write as soon as it is acknowledged.
    Strong,
}

/// Reads one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetState {
    /// The component's name.
    pub store: String,
    /// The key, without the app's prefix.
    pub key: String,
    /// How fresh the answer must be.
    pub consistency: Consistency,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// What a key holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateValue {
    /// The bytes as they were stored; empty for a missing key.
    pub data: Bytes,
    /// The version of the value; `None` for a missing key.
    pub etag: Option<String>,
    /// Such as `ttlExpireTime`.
    pub metadata: Metadata,
}

/// One key to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateItem {
    /// The key, without the app's prefix.
    pub key: String,
    /// The bytes to store.
    pub value: Bytes,
    /// Write only if this is the current version. An empty string counts as none (Dapr).
    pub etag: Option<String>,
    /// Such as `ttlInSeconds` and `contentType`.
    pub metadata: Metadata,
    /// How writers of the key meet.
    pub concurrency: Concurrency,
    /// How soon the write must be seen.
    pub consistency: Consistency,
}

/// Writes one or more keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaveState {
    /// The component's name.
    pub store: String,
    /// What to write.
    pub items: Vec<StateItem>,
}

/// Deletes one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteState {
    /// The component's name.
    pub store: String,
    /// The key, without the app's prefix.
    pub key: String,
    /// Delete only if this is the current version. An empty string counts as none (Dapr).
    pub etag: Option<String>,
    /// How writers of the key meet.
    pub concurrency: Concurrency,
    /// How soon the deletion must be seen.
    pub consistency: Consistency,
    /// Passed to the component.
    pub metadata: Metadata,
}
