//! State stores, with daprd's semantics and daprd's words.
//!
//! A request flows through [`keys`] (the app's prefix) and becomes [`write`]s; a store
//! ([`memory`], [`sqlite`] or [`redis`]) makes them one by one, or for a [`transaction`] together; what fails
//! becomes daprd's error.

mod bulk;
mod clock;
mod keys;
mod memory;
mod redis;
pub(crate) mod sqlite;
#[cfg(test)]
mod tests;
mod transaction;
mod ttl;
mod write;

use std::collections::BTreeMap;

use trilby_dapr::state::{Concurrency, DeleteState, GetState, SaveState, StateItem, StateValue};
use trilby_dapr::{CallContext, Code, Error, Result};

use self::clock::Clock;
use self::keys::KeyPrefix;
use self::memory::Memory;
use self::redis::RedisStore;
use self::sqlite::Sqlite;
use self::write::{Delete, Failure, Guard, INVALID, MISMATCH, Set, Value, Write};
use crate::component::Component;
use crate::json;

/// An open state store.
pub(crate) struct StateStore {
    name: String,
    prefix: KeyPrefix,
    table: Table,
}

enum Table {
    Memory(Memory),
    Sqlite(Sqlite),
    Redis(Box<RedisStore>),
}

/// Why a call did not get as far as the store's answer.
enum CallFailure {
    /// An error of our own, such as a deadline.
    Own(Error),
    /// The store's error, to be put in daprd's words.
    Store(String),
}

impl StateStore {
    /// Opens the store that a component describes.
    ///
    /// # Errors
    ///
    /// When its metadata has a mistake, or its file cannot be opened.
    pub(crate) fn open(
        component: &Component,
        app_id: &str,
        env: &BTreeMap<String, String>,
    ) -> std::result::Result<Self, crate::Error> {
        Self::open_at(component, app_id, env, Clock::system())
    }

    fn open_at(
        component: &Component,
        app_id: &str,
        env: &BTreeMap<String, String>,
        clock: Clock,
    ) -> std::result::Result<Self, crate::Error> {
        // Whoever asks for encryption must not get plain text.
        if component.get("primaryEncryptionKey").is_some() {
            return Err(component.mistake_in(
                "primaryEncryptionKey",
                "the embedded runtime does not encrypt state; remove `primaryEncryptionKey`, or \
                 run a daprd sidecar",
            ));
        }
        if component.get("outboxPublishPubsub").is_some() {
            tracing::warn!(
                component = component.name,
                "the embedded runtime has no outbox: writes of state publish nothing"
            );
        }
        let table = match component.type_name.as_str() {
            "state.sqlite" => Table::Sqlite(Sqlite::open(component, clock)?),
            "state.redis" => Table::Redis(Box::new(RedisStore::open(component)?)),
            _ => Table::Memory(Memory::new(clock)),
        };
        let prefix = KeyPrefix::of(component, app_id, env)?;
        Ok(Self { name: component.name.clone(), prefix, table })
    }

    /// Reads one key.
    pub(crate) async fn get(&self, cx: &CallContext, request: GetState) -> Result<StateValue> {
        let key = self.prefix.apply(&request.key)?;
        let value = match &self.table {
            Table::Memory(memory) => Ok(memory.get(&key)),
            Table::Sqlite(sqlite) => sqlite.get(cx, key).await,
            Table::Redis(redis) => redis.get(cx, key).await,
        };
        value.map_err(|failure| match failure {
            CallFailure::Own(error) => error,
            CallFailure::Store(text) => Error::new(
                Code::Internal,
                format!("fail to get {} from state store {}: {text}", request.key, self.name),
            )
            .with_reason("ERR_STATE_GET"),
        })
    }

    /// Writes keys. All items are checked first; after that each is by itself.
    pub(crate) async fn save(&self, cx: &CallContext, request: SaveState) -> Result<()> {
        let items = request.items.into_iter();
        let writes = items.map(|item| self.set(item)).collect::<Result<Vec<Write>>>()?;
        if writes.is_empty() {
            return Ok(());
        }
        let count = writes.len();
        let failures = self.write(cx, writes).await?;
        refusal(&failures, count).map_or(Ok(()), |(code, text)| {
            let message = format!("failed saving state in state store {}: {text}", self.name);
            Err(Error::new(code, message).with_reason("ERR_STATE_SAVE"))
        })
    }

    /// Deletes one key.
    pub(crate) async fn delete(&self, cx: &CallContext, request: DeleteState) -> Result<()> {
        let key = self.prefix.apply(&request.key)?;
        let guard = guard(request.etag, request.concurrency);
        let failures = self.write(cx, vec![Write::Delete(Delete { key, guard })]).await?;
        refusal(&failures, 1).map_or(Ok(()), |(code, text)| {
            let message = format!("failed deleting state with key {}: {text}", request.key);
            Err(Error::new(code, message).with_reason("ERR_STATE_DELETE"))
        })
    }

    fn set(&self, item: StateItem) -> Result<Write> {
        if item.key.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "state key cannot be empty")
                .with_reason("ERR_STATE_SAVE"));
        }
        let key = self.prefix.apply(&item.key)?;
        let is_json = item.metadata.get("contentType").is_some_and(|t| t == "application/json");
        let value = if is_json {
            Value::Json(json::rewrite(&item.value).map_err(|error| not_json(&error))?)
        } else {
            Value::Bytes(item.value)
        };
        let ttl = item.metadata.get("ttlInSeconds").cloned();
        let is_first = item.concurrency == Concurrency::FirstWrite;
        let guard = guard(item.etag, item.concurrency);
        Ok(Write::Set(Set { key, value, guard, is_first, ttl }))
    }

    /// Makes the changes and returns those that failed.
    async fn write(&self, cx: &CallContext, writes: Vec<Write>) -> Result<Vec<Failure>> {
        let failed = std::result::Result::<(), Failure>::err;
        let failures = match &self.table {
            Table::Memory(memory) => {
                Ok(writes.into_iter().map(|write| memory.write(write)).filter_map(failed).collect())
            }
            Table::Sqlite(sqlite) => {
                let outcomes = sqlite.write(cx, writes).await;
                outcomes.map(|outcomes| outcomes.into_iter().filter_map(failed).collect())
            }
            Table::Redis(redis) => redis.write(cx, &writes).await,
        };
        match failures {
            Ok(failures) => Ok(failures),
            Err(CallFailure::Own(error)) => Err(error),
            Err(CallFailure::Store(text)) => Ok(vec![Failure::Failed(text)]),
        }
    }
}

/// An etag is always checked; first-write without one wants the key to be missing (Dapr).
fn guard(etag: Option<String>, concurrency: Concurrency) -> Guard {
    match etag.filter(|etag| !etag.is_empty()) {
        Some(etag) => Guard::Etag(etag),
        None if concurrency == Concurrency::FirstWrite => Guard::Missing,
        None => Guard::None,
    }
}

/// daprd's code and text for `count` changes of which some failed.
fn refusal(failures: &[Failure], count: usize) -> Option<(Code, String)> {
    let is_mismatch = |failure: &Failure| matches!(failure, Failure::Mismatch(_));
    let is_invalid = |failure: &Failure| matches!(failure, Failure::Invalid(_));
    let code = if failures.iter().any(is_mismatch) {
        Code::Aborted
    } else if failures.iter().any(is_invalid) {
        Code::InvalidArgument
    } else {
        Code::Internal
    };
    let texts: Vec<String> = failures.iter().map(Failure::to_string).collect();
    let text = texts.join("\n");
    if failures.is_empty() {
        None
    } else if count > 1 && failures.iter().all(is_mismatch) {
        Some((code, format!("{MISMATCH}: {text}")))
    } else if count > 1 && failures.iter().all(is_invalid) {
        Some((code, format!("{INVALID}: {text}")))
    } else {
        Some((code, text))
    }
}

/// daprd hands on the error of its JSON parser as it is, which gRPC counts as unknown.
fn not_json(error: &serde_json::Error) -> Error {
    let message = match error.classify() {
        serde_json::error::Category::Eof => "unexpected end of JSON input".to_owned(),
        _ => format!("the value is not valid JSON: {error}"),
    };
    Error::new(Code::Unknown, message)
}
