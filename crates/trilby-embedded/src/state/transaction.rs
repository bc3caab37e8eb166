//! Transactions.

use trilby_dapr::state::{Concurrency, StateOperation, TransactState};
use trilby_dapr::{CallContext, Code, Error, Result};

use super::write::{Delete, Failure, Set, Value, Write};
use super::{CallFailure, StateStore, Table, guard};

impl StateStore {
    /// Writes and deletes in order, all or nothing.
    ///
    /// The words are daprd's, and so is the code INTERNAL, but for a lost race: that is ABORTED as
    /// in a single write, so that a caller need not look at the words.
    pub(crate) async fn transact(&self, cx: &CallContext, request: TransactState) -> Result<()> {
        let writes = request.operations.into_iter().map(|operation| self.operation(operation));
        let writes = writes.collect::<Result<Vec<Write>>>()?;
        if writes.is_empty() {
            return Ok(());
        }
        let made = match &self.table {
            Table::Memory(memory) => Ok(memory.transact(writes)),
            Table::Sqlite(sqlite) => sqlite.transact(cx, writes).await,
            Table::Redis(redis) => redis.transact(cx, &writes).await,
        };
        let outcome = match made {
            Ok(outcome) => outcome,
            Err(CallFailure::Own(error)) => return Err(error),
            Err(CallFailure::Store(text)) => Err(Failure::Failed(text)),
        };
        outcome.map_err(|failure| {
            let code = match failure {
                Failure::Mismatch(_) => Code::Aborted,
                // As in daprd, which looks for no mistake in a transaction.
                Failure::Invalid(_) | Failure::Failed(_) => Code::Internal,
            };
            let message = format!("error while executing state transaction: {failure}");
            Error::new(code, message).with_reason("ERR_STATE_TRANSACTION")
        })
    }

    /// Values are bytes whatever their `contentType` says: daprd looks at it in a save only.
    fn operation(&self, operation: StateOperation) -> Result<Write> {
        Ok(match operation {
            StateOperation::Upsert(item) => Write::Set(Set {
                key: self.prefix.apply(&item.key)?,
                value: Value::Bytes(item.value),
                guard: guard(item.etag, item.concurrency),
                is_first: item.concurrency == Concurrency::FirstWrite,
                ttl: item.metadata.get("ttlInSeconds").cloned(),
            }),
            StateOperation::Delete(key) => Write::Delete(Delete {
                key: self.prefix.apply(&key.key)?,
                guard: guard(key.etag, key.concurrency),
            }),
        })
    }
}
