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

use super::calls::{self, ComponentCall};
use crate::resiliency::Stop;
use crate::{Runtime, refusals};

impl Runtime {
    /// Makes a call of a component, under the policy for it if there is one.
    pub(super) async fn outbound<R, T, F>(
        &self,
        cx: &CallContext,
        request: R,
        call: impl Fn(R) -> F + Send,
    ) -> Result<T>
    where
        R: ComponentCall + Clone + Send + Sync,
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let Some(policy) = self.policies.outbound(request.component()) else {
            return call(request).await;
        };
        let done = policy.run(Some(cx.deadline), calls::fault, || call(request.clone())).await;
        done.map_err(|stop| ended(&request, stop))
    }

    /// The same for a call that cannot be repeated.
    pub(super) async fn outbound_once<R, T, F>(
        &self,
        cx: &CallContext,
        request: R,
        call: impl FnOnce(R) -> F + Send,
    ) -> Result<T>
    where
        R: ComponentCall + Clone + Send + Sync,
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let Some(policy) = self.policies.outbound(request.component()) else {
            return call(request).await;
        };
        let once = || call(request.clone());
        let done = policy.run_once(Some(cx.deadline), calls::fault, once).await;
        done.map_err(|stop| ended(&request, stop))
    }
}

fn ended(request: &impl ComponentCall, stop: Stop<Error>) -> Error {
    match stop {
        Stop::Failed(error) => error,
        Stop::Deadline => Error::deadline(&format!("the call of `{}`", request.component())),
        Stop::TimedOut | Stop::Refused(_) => request.stopped(&stop),
    }
}

#[async_trait]
impl State for Runtime {
    async fn get_state(&self, cx: &CallContext, request: GetState) -> Result<StateValue> {
        let store = self.state(&request.store)?;
        self.outbound(cx, request, |request| store.get(cx, request)).await
    }

    async fn get_states(&self, cx: &CallContext, request: GetStates) -> Result<Vec<BulkStateItem>> {
        let store = self.state(&request.store)?;
        self.outbound(cx, request, |request| store.get_many(cx, request)).await
    }

    async fn save_state(&self, cx: &CallContext, request: SaveState) -> Result<()> {
        let store = self.state(&request.store)?;
        self.outbound(cx, request, |request| store.save(cx, request)).await
    }

    async fn delete_state(&self, cx: &CallContext, request: DeleteState) -> Result<()> {
        let store = self.state(&request.store)?;
        self.outbound(cx, request, |request| store.delete(cx, request)).await
    }

    async fn delete_states(&self, cx: &CallContext, request: DeleteStates) -> Result<()> {
        let store = self.state(&request.store)?;
        self.outbound(cx, request, |request| store.delete_many(cx, request)).await
    }

    async fn transact_state(&self, cx: &CallContext, request: TransactState) -> Result<()> {
        let store = self.state(&request.store)?;
        self.outbound(cx, request, |request| store.transact(cx, request)).await
    }

    async fn query_state(&self, _: &CallContext, request: QueryState) -> Result<QueryReply> {
        self.state(&request.store)?;
        Err(refusals::no_queries())
    }
}

#[async_trait]
impl Pubsub for Runtime {
    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()> {
        let broker = self.broker(&request.pubsub)?;
        self.outbound(cx, request, |request| broker.publish(cx, request)).await
    }

    async fn publish_bulk(
        &self,
        cx: &CallContext,
        request: PublishBulk,
    ) -> Result<Vec<FailedEvent>> {
        let broker = self.broker(&request.pubsub)?;
        self.outbound(cx, request, |request| broker.publish_bulk(cx, request)).await
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
        let invoked = self.outbound(cx, request, |request| binding.invoke(cx, request));
        let invoked = timeout_at(cx.deadline, invoked).await;
        invoked.unwrap_or_else(|_| Err(Error::deadline(&what)))
    }
}

#[async_trait]
impl Secrets for Runtime {
    async fn get_secret(&self, cx: &CallContext, request: GetSecret) -> Result<Secret> {
        let store = self.secret_store(&request.store)?;
        self.settings.secrets.check(&request.store, &request.key)?;
        self.outbound(cx, request, |request| async move { store.get(&request) }).await
    }

    async fn get_secrets(
        &self,
        cx: &CallContext,
        request: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>> {
        let store = self.secret_store(&request.store)?;
        let name = request.store.clone();
        let mut all = self.outbound(cx, request, |_| async move { Ok(store.get_all()) }).await?;
        all.retain(|key, _| self.settings.secrets.is_allowed(&name, key));
        Ok(all)
    }
}
