//! Publish/subscribe and bindings: what a guest sends out.

use bytes::Bytes;

use crate::Metadata;

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
