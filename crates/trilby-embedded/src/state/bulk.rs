//! Several keys at once: read together, deleted each by itself.

use std::collections::HashSet;

use trilby_dapr::state::{BulkStateItem, DeleteStates, GetStates, StateValue};
use trilby_dapr::{CallContext, Code, Error, Result};

use super::write::{Delete, Write};
use super::{CallFailure, StateStore, Table, guard, refusal};

/// Bytes of keys and values in one answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

impl StateStore {
    /// Reads several keys: one item for each, in the order in which each is first asked for. How
    /// many may be read at once is of no use here: a store reads all of them in one step.
    pub(crate) async fn get_many(
        &self,
        cx: &CallContext,
        request: GetStates,
    ) -> Result<Vec<BulkStateItem>> {
        let mut seen = HashSet::with_capacity(request.keys.len());
        let asked: Vec<&String> = request.keys.iter().filter(|key| seen.insert(*key)).collect();
        let keys = asked.iter().map(|key| self.prefix.apply(key));
        let keys = keys.collect::<Result<Vec<String>>>()?;
        let values = match &self.table {
            Table::Memory(memory) => read_all(&keys, |key| Ok(memory.get(key))),
            _ if keys.is_empty() => Some(Vec::new()),
            Table::Sqlite(sqlite) => match sqlite.get_many(cx, keys).await {
                Ok(values) => values,
                Err(CallFailure::Own(error)) => return Err(error),
                // daprd hands on the store's error as it is, which gRPC counts as unknown.
                Err(CallFailure::Store(text)) => return Err(Error::new(Code::Unknown, text)),
            },
            Table::Redis(redis) => match redis.get_many(cx, &keys).await {
                Ok(values) => within_bound(&keys, values.into_iter()),
                Err(CallFailure::Own(error)) => return Err(error),
                // daprd reads each key by itself from this store.
                Err(CallFailure::Store(text)) => {
                    Some(keys.iter().map(|_| Err(text.clone())).collect())
                }
            },
        };
        let values = values.ok_or_else(|| self.too_large())?;
        Ok(asked.into_iter().zip(values).map(|(key, value)| item(key.clone(), value)).collect())
    }

    fn too_large(&self) -> Error {
        let message = format!(
            "the values of the keys of the state store `{}` have more than {} MiB; ask for fewer \
             keys at once",
            self.name,
            ANSWER_BYTES_MAX >> 20
        );
        Error::new(Code::ResourceExhausted, message).with_reason("TRILBY_TOO_LARGE")
    }

    /// Deletes several keys. All requests are checked first; after that each is by itself.
    pub(crate) async fn delete_many(&self, cx: &CallContext, request: DeleteStates) -> Result<()> {
        let deletions = request.keys.into_iter().map(|key| {
            let guard = guard(key.etag, key.concurrency);
            Ok(Write::Delete(Delete { key: self.prefix.apply(&key.key)?, guard }))
        });
        let deletions = deletions.collect::<Result<Vec<Write>>>()?;
        if deletions.is_empty() {
            return Ok(());
        }
        let count = deletions.len();
        let failures = self.write(cx, deletions).await?;
        refusal(&failures, count).map_or(Ok(()), |(code, text)| {
            let message = format!("failed deleting state in state store {}: {text}", self.name);
            Err(Error::new(code, message).with_reason("ERR_STATE_BULK_DELETE"))
        })
    }
}

/// Reads keys one after the other, and none when that gives more bytes than an answer may have.
pub(super) fn read_all(
    keys: &[String],
    read: impl Fn(&str) -> std::result::Result<StateValue, String>,
) -> Option<Vec<std::result::Result<StateValue, String>>> {
    within_bound(keys, keys.iter().map(|key| read(key)))
}

fn within_bound(
    keys: &[String],
    values: impl Iterator<Item = std::result::Result<StateValue, String>>,
) -> Option<Vec<std::result::Result<StateValue, String>>> {
    let mut left = ANSWER_BYTES_MAX;
    let values = keys.iter().zip(values).map(|(key, value)| {
        let size = value.as_ref().map_or(0, |value| value.data.len());
        left = left.checked_sub(key.len().saturating_add(size))?;
        Some(value)
    });
    values.collect()
}

fn item(key: String, value: std::result::Result<StateValue, String>) -> BulkStateItem {
    match value {
        Ok(StateValue { data, etag, metadata }) => {
            BulkStateItem { key, data, etag, metadata, error: None }
        }
        Err(error) => BulkStateItem { key, error: Some(error), ..BulkStateItem::default() },
    }
}
