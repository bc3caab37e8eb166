//! Conversations with large language models.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CallContext, Result};

/// Conversation components.
#[async_trait]
pub trait Conversation: Send + Sync {
    /// Sends a conversation, and gives the answer. Both are the JSON of Dapr's HTTP API
    /// (`/v1.0-alpha2/conversation/NAME/converse`).
    async fn converse(&self, cx: &CallContext, request: Converse) -> Result<Bytes>;
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Converse {
    /// The component's name.
    pub component: String,
    /// The request's JSON.
    pub request: Bytes,
}
