//! Publish/subscribe and bindings: what a guest sends out.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CallContext, Metadata, Result};

/// Publish/subscribe, the publishing half.
#[async_trait]
pub trait Pubsub: Send + Sync {
    /// Publishes one event to a topic.
    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()>;

    /// Publishes several events to a topic, and gives those that were not.
    async fn publish_bulk(
        &self,
        cx: &CallContext,
        request: PublishBulk,
    ) -> Result<Vec<FailedEvent>>;
}

/// Output bindings.
#[async_trait]
pub trait Bindings: Send + Sync {
    /// Invokes an operation of an output binding.
    async fn invoke_binding(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply>;
}

/// Publishes one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// The component's name.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// The event's data.
    pub data: Bytes,
    /// The media type of the data; Dapr takes `text/plain` when there is none.
    pub content_type: Option<String>,
    /// Such as `ttlInSeconds`, `rawPayload` and `cloudevent.type`.
    pub metadata: Metadata,
}

/// Publishes several events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishBulk {
    /// The component's name.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// The events.
    pub events: Vec<BulkEvent>,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// One event of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkEvent {
    /// What tells it from the others of the call.
    pub id: String,
    /// The event's data.
    pub data: Bytes,
    /// The media type of the data.
    pub content_type: Option<String>,
    /// As in [`Publish::metadata`].
    pub metadata: Metadata,
}

/// An event that was not published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedEvent {
    /// Its id in the call.
    pub id: String,
    /// Why.
    pub error: String,
}

/// Invokes an output binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeBinding {
    /// The component's name.
    pub binding: String,
    /// One of the operations that the component offers, such as `create`.
    pub operation: String,
    /// What the operation works on.
    pub data: Bytes,
    /// What the operation needs to know, such as `fileName`.
    pub metadata: Metadata,
}

/// What an output binding answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingReply {
    /// The answer's data.
    pub data: Bytes,
    /// What the component says beside it.
    pub metadata: Metadata,
}
