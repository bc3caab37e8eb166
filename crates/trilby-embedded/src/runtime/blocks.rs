//! The calls of guests, each handed to the component that it names.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::time::timeout_at;
use trilby_dapr::messaging::{
    BindingReply, Bindings, FailedEvent, InvokeBinding, Publish, PublishBulk, Pubsub,
};
use trilby_dapr::secret::{GetSecret, GetSecrets, Secret, Secrets};
use trilby_dapr::state::{
    BulkStateItem, DeleteState, DeleteStates, GetState, GetStates, QueryReply, QueryState,
    SaveState, State, StateValue, TransactState,
};
use trilby_dapr::{CallContext, Error, Result};

use crate::{Runtime, refusals};

#[async_trait]
impl State for Runtime {
    async fn get_state(&self, cx: &CallContext, request: GetState) -> Result<StateValue> {
        self.state(&request.store)?.get(cx, request).await
    }

    async fn get_states(&self, cx: &CallContext, request: GetStates) -> Result<Vec<BulkStateItem>> {
        self.state(&request.store)?.get_many(cx, request).await
    }

    async fn save_state(&self, cx: &CallContext, request: SaveState) -> Result<()> {
        self.state(&request.store)?.save(cx, request).await
    }

    async fn delete_state(&self, cx: &CallContext, request: DeleteState) -> Result<()> {
        self.state(&request.store)?.delete(cx, request).await
    }

    async fn delete_states(&self, cx: &CallContext, request: DeleteStates) -> Result<()> {
        self.state(&request.store)?.delete_many(cx, request).await
    }

    async fn transact_state(&self, cx: &CallContext, request: TransactState) -> Result<()> {
        self.state(&request.store)?.transact(cx, request).await
    }

    async fn query_state(&self, _: &CallContext, request: QueryState) -> Result<QueryReply> {
        self.state(&request.store)?;
        Err(refusals::no_queries())
    }
}

#[async_trait]
impl Pubsub for Runtime {
    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()> {
        self.broker(&request.pubsub)?.publish(cx, request).await
    }

    async fn publish_bulk(
        &self,
        cx: &CallContext,
        request: PublishBulk,
    ) -> Result<Vec<FailedEvent>> {
        self.broker(&request.pubsub)?.publish_bulk(cx, request).await
    }
}

#[async_trait]
impl Bindings for Runtime {
    async fn invoke_binding(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply> {
        if request.operation.is_empty() {
            let reason = "operation field is missing from request";
            return Err(refusals::output_binding(&request.binding, reason));
        }
        let Some(binding) = self.outputs.get(&request.binding) else {
            let reason = format!("couldn't find output binding {}", request.binding);
            return Err(refusals::output_binding(&request.binding, &reason));
        };
        let what = format!("the binding `{}`", request.binding);
        let invoked = timeout_at(cx.deadline, binding.invoke(cx, request)).await;
        invoked.unwrap_or_else(|_| Err(Error::deadline(&what)))
    }
}

#[async_trait]
impl Secrets for Runtime {
    async fn get_secret(&self, _cx: &CallContext, request: GetSecret) -> Result<Secret> {
        self.secret_store(&request.store)?.get(&request)
    }

    async fn get_secrets(
        &self,
        _cx: &CallContext,
        request: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>> {
        Ok(self.secret_store(&request.store)?.get_all())
    }
}
