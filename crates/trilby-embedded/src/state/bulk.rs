//! Several keys at once: read together, deleted each by itself.

use trilby_dapr::state::{BulkStateItem, DeleteStates, GetStates, StateValue};
use trilby_dapr::{CallContext, Code, Error, Result};

use super::sqlite::CallFailure;
use super::write::{Delete, Write};
use super::{StateStore, Table, guard, refusal};

impl StateStore {
    /// Reads several keys: one item for each, in their order. How many may be read at once is of no
    /// use here: a store reads all of them in one step.
    pub(crate) async fn get_many(
        &self,
        cx: &CallContext,
        request: GetStates,
    ) -> Result<Vec<BulkStateItem>> {
        let keys = request.keys.iter().map(|key| self.prefix.apply(key));
        let keys = keys.collect::<Result<Vec<String>>>()?;
        let values = match &self.table {
            Table::Memory(memory) => keys.iter().map(|key| Ok(memory.get(key))).collect(),
            Table::Sqlite(_) if keys.is_empty() => Vec::new(),
            Table::Sqlite(sqlite) => match sqlite.get_many(cx, keys).await {
                Ok(values) => values,
                Err(CallFailure::Own(error)) => return Err(error),
                // daprd hands on the store's error as it is, which gRPC counts as unknown.
                Err(CallFailure::Store(text)) => return Err(Error::new(Code::Unknown, text)),
            },
        };
        Ok(request.keys.into_iter().zip(values).map(|(key, value)| item(key, value)).collect())
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

fn item(key: String, value: std::result::Result<StateValue, String>) -> BulkStateItem {
    match value {
        Ok(StateValue { data, etag, metadata }) => {
            BulkStateItem { key, data, etag, metadata, error: None }
        }
        Err(error) => BulkStateItem { key, error: Some(error), ..BulkStateItem::default() },
    }
}
