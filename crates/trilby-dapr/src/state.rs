//! State: keys and values in a named store, with etags.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CallContext, Metadata, Result};

/// Keys and values in named stores.
#[async_trait]
pub trait State: Send + Sync {
    /// Reads one key. A missing key is an empty value without an etag, as in Dapr.
    async fn get_state(&self, cx: &CallContext, request: GetState) -> Result<StateValue>;

    /// Reads several keys: one item for each, in any order.
    async fn get_states(&self, cx: &CallContext, request: GetStates) -> Result<Vec<BulkStateItem>>;

    /// Writes one or more keys. More than one is not atomic: good items are applied even when
    /// another fails (Dapr's `SaveState`).
    async fn save_state(&self, cx: &CallContext, request: SaveState) -> Result<()>;

    /// Deletes one key. Deleting a missing key succeeds, unless an etag is given.
    async fn delete_state(&self, cx: &CallContext, request: DeleteState) -> Result<()>;

    /// Deletes several keys, not atomically.
    async fn delete_states(&self, cx: &CallContext, request: DeleteStates) -> Result<()>;

    /// Writes and deletes in order, all or nothing where the store can do that.
    async fn transact_state(&self, cx: &CallContext, request: TransactState) -> Result<()>;

    /// Looks for values, where the store has queries.
    async fn query_state(&self, cx: &CallContext, request: QueryState) -> Result<QueryReply>;
}

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

/// Reads several keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetStates {
    /// The component's name.
    pub store: String,
    /// The keys, without the app's prefix.
    pub keys: Vec<String>,
    /// How many the store may read at once; a hint. 0 leaves it to the store.
    pub parallelism: u16,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// One of several keys that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkStateItem {
    /// The key, without the app's prefix.
    pub key: String,
    /// The bytes as they were stored; empty for a missing key.
    pub data: Bytes,
    /// The version of the value; `None` for a missing key.
    pub etag: Option<String>,
    /// Such as `ttlExpireTime`.
    pub metadata: Metadata,
    /// Why this key could not be read.
    pub error: Option<String>,
}

/// One key to delete, of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateKey {
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

/// Deletes several keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteStates {
    /// The component's name.
    pub store: String,
    /// What to delete.
    pub keys: Vec<StateKey>,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateOperation {
    /// Writes a key.
    Upsert(StateItem),
    /// Deletes a key.
    Delete(StateKey),
}

/// Writes and deletes together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactState {
    /// The component's name.
    pub store: String,
    /// The steps, in order.
    pub operations: Vec<StateOperation>,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// Looks for values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryState {
    /// The component's name.
    pub store: String,
    /// The query in Dapr's JSON.
    pub query: String,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryReply {
    /// The values.
    pub items: Vec<BulkStateItem>,
    /// Where to go on, if there is more.
    pub token: Option<String>,
    /// What the component says beside it.
    pub metadata: Metadata,
}
