//! Publishing and output bindings over gRPC.

use async_trait::async_trait;
use trilby_dapr::messaging::{
    BindingReply, Bindings, BulkEvent, FailedEvent, InvokeBinding, Publish, PublishBulk, Pubsub,
};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::{CallContext, Result};

use crate::Sidecar;
use crate::metrics::Block;

#[async_trait]
impl Pubsub for Sidecar {
    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()> {
        let message = runtime::PublishEventRequest {
            pubsub_name: request.pubsub,
            topic: request.topic,
            data: request.data,
            data_content_type: request.content_type.unwrap_or_default(),
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.publish_event(request).await };
        self.link.wait(cx, Block::Pubsub, "publishing", call).await
    }

    async fn publish_bulk(
        &self,
        cx: &CallContext,
        request: PublishBulk,
    ) -> Result<Vec<FailedEvent>> {
        let message = runtime::BulkPublishRequest {
            pubsub_name: request.pubsub,
            topic: request.topic,
            entries: request.events.into_iter().map(entry).collect(),
            metadata: request.metadata.into_iter().collect(),
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.bulk_publish_event(request).await };
        let reply = self.link.wait(cx, Block::Pubsub, "publishing events", call).await?;
        let failed = reply.failed_entries.into_iter();
        Ok(failed.map(|entry| FailedEvent { id: entry.entry_id, error: entry.error }).collect())
    }
}

fn entry(event: BulkEvent) -> runtime::BulkPublishRequestEntry {
    runtime::BulkPublishRequestEntry {
        entry_id: event.id,
        event: event.data,
        content_type: event.content_type.unwrap_or_default(),
        metadata: event.metadata.into_iter().collect(),
    }
}

#[async_trait]
impl Bindings for Sidecar {
    async fn invoke_binding(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply> {
        let message = runtime::InvokeBindingRequest {
            name: request.binding,
            data: request.data,
            metadata: request.metadata.into_iter().collect(),
            operation: request.operation,
        };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = async move { client.invoke_binding(request).await };
        let reply = self.link.wait(cx, Block::Bindings, "invoking a binding", call).await?;
        Ok(BindingReply { data: reply.data, metadata: reply.metadata.into_iter().collect() })
    }
}
