//! State over gRPC.

mod convert;

use async_trait::async_trait;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::state::{
    BulkStateItem, DeleteState, DeleteStates, GetState, GetStates, QueryReply, QueryState,
    SaveState, State, StateValue, TransactState,
};
use trilby_dapr::{CallContext, Result};

use crate::metrics::Block;
use crate::{Sidecar, conflict};

#[async_trait]
impl State for Sidecar {
    async fn get_state(&self, cx: &CallContext, request: GetState) -> Result<StateValue> {
        let request = self.link.request(cx, convert::get(request))?;
        let mut client = self.link.client();
        let call = async move { client.get_state(request).await };
        let reply = self.link.wait(cx, Block::State, "reading state", call).await?;
        Ok(StateValue {
            data: reply.data,
            etag: convert::given(reply.etag),
            metadata: reply.metadata.into_iter().collect(),
        })
    }

    async fn get_states(&self, cx: &CallContext, request: GetStates) -> Result<Vec<BulkStateItem>> {
        let message = runtime::GetBulkStateRequest {
            store_name: request.store,
            keys: request.keys,
            parallelism: request.parallelism.into(),
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.get_bulk_state(request).await };
        let reply = self.link.wait(cx, Block::State, "reading states", call).await?;
        Ok(reply.items.into_iter().map(convert::read).collect())
    }

    async fn save_state(&self, cx: &CallContext, request: SaveState) -> Result<()> {
        let guarded = request.items.iter().any(conflict::is_first_write_without_etag);
        let request = self.link.request(cx, convert::save(request))?;
        let mut client = self.link.client();
        let call = async move { client.save_state(request).await };
        let saved = self.link.wait(cx, Block::State, "writing state", call).await;
        if guarded { saved.map_err(conflict::recognised) } else { saved }
    }

    async fn delete_state(&self, cx: &CallContext, request: DeleteState) -> Result<()> {
        let request = self.link.request(cx, convert::delete(request))?;
        let mut client = self.link.client();
        let call = async move { client.delete_state(request).await };
        self.link.wait(cx, Block::State, "deleting state", call).await
    }

    async fn delete_states(&self, cx: &CallContext, request: DeleteStates) -> Result<()> {
        let message = runtime::DeleteBulkStateRequest {
            store_name: request.store,
            states: request.keys.into_iter().map(convert::key).collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.delete_bulk_state(request).await };
        self.link.wait(cx, Block::State, "deleting states", call).await
    }

    async fn transact_state(&self, cx: &CallContext, request: TransactState) -> Result<()> {
        let request = self.link.request(cx, convert::transact(request))?;
        let mut client = self.link.client();
        let call = async move { client.execute_state_transaction(request).await };
        let done = self.link.wait(cx, Block::State, "a state transaction", call).await;
        done.map_err(conflict::recognised_in_transaction)
    }

    async fn query_state(&self, cx: &CallContext, request: QueryState) -> Result<QueryReply> {
        let message = runtime::QueryStateRequest {
            store_name: request.store,
            query: request.query,
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.query_state_alpha1(request).await };
        let reply = self.link.wait(cx, Block::State, "querying state", call).await?;
        Ok(QueryReply {
            items: reply.results.into_iter().map(convert::found).collect(),
            token: convert::given(reply.token),
            metadata: reply.metadata.into_iter().collect(),
        })
    }
}
