//! State, publishing, bindings and secrets over gRPC.

use std::collections::BTreeMap;

use async_trait::async_trait;
use trilby_dapr::messaging::{
    BindingReply, Bindings, FailedEvent, InvokeBinding, Publish, PublishBulk, Pubsub,
};
use trilby_dapr::secret::{GetSecret, GetSecrets, Secret, Secrets};
use trilby_dapr::state::{
    BulkStateItem, DeleteState, DeleteStates, GetState, GetStates, QueryReply, QueryState,
    SaveState, State, StateValue, TransactState,
};
use trilby_dapr::{CallContext, Error, Result};

use crate::{Sidecar, conflict, convert};

#[async_trait]
impl State for Sidecar {
    async fn get_state(&self, cx: &CallContext, request: GetState) -> Result<StateValue> {
        let request = self.request(cx, convert::get_state(request));
        let mut client = self.client.clone();
        let reply = self.wait(cx, "reading state", client.get_state(request)).await?;
        Ok(StateValue {
            data: reply.data,
            etag: Some(reply.etag).filter(|etag| !etag.is_empty()),
            metadata: reply.metadata.into_iter().collect(),
        })
    }

    async fn get_states(&self, _: &CallContext, _: GetStates) -> Result<Vec<BulkStateItem>> {
        Err(Error::unimplemented("not yet"))
    }

    async fn save_state(&self, cx: &CallContext, request: SaveState) -> Result<()> {
        let guarded = request.items.iter().any(conflict::is_first_write_without_etag);
        let request = self.request(cx, convert::save_state(request));
        let mut client = self.client.clone();
        let saved = self.wait(cx, "writing state", client.save_state(request)).await.map(drop);
        if guarded { saved.map_err(conflict::recognised) } else { saved }
    }

    async fn delete_state(&self, cx: &CallContext, request: DeleteState) -> Result<()> {
        let request = self.request(cx, convert::delete_state(request));
        let mut client = self.client.clone();
        self.wait(cx, "deleting state", client.delete_state(request)).await.map(drop)
    }

    async fn delete_states(&self, _: &CallContext, _: DeleteStates) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn transact_state(&self, _: &CallContext, _: TransactState) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn query_state(&self, _: &CallContext, _: QueryState) -> Result<QueryReply> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Pubsub for Sidecar {
    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()> {
        let request = self.request(cx, convert::publish(request));
        let mut client = self.client.clone();
        self.wait(cx, "publishing", client.publish_event(request)).await.map(drop)
    }

    async fn publish_bulk(&self, _: &CallContext, _: PublishBulk) -> Result<Vec<FailedEvent>> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Bindings for Sidecar {
    async fn invoke_binding(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply> {
        let request = self.request(cx, convert::invoke_binding(request));
        let mut client = self.client.clone();
        let reply = self.wait(cx, "invoking a binding", client.invoke_binding(request)).await?;
        Ok(BindingReply { data: reply.data, metadata: reply.metadata.into_iter().collect() })
    }
}

#[async_trait]
impl Secrets for Sidecar {
    async fn get_secret(&self, cx: &CallContext, request: GetSecret) -> Result<Secret> {
        let request = self.request(cx, convert::get_secret(request));
        let mut client = self.client.clone();
        let reply = self.wait(cx, "reading a secret", client.get_secret(request)).await?;
        Ok(Secret { values: reply.data.into_iter().collect() })
    }

    async fn get_secrets(
        &self,
        _: &CallContext,
        _: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>> {
        Err(Error::unimplemented("not yet"))
    }
}
