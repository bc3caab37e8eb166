//! The runtime itself: what it is made of, and any rpc that has no function of its own.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CallContext, Metadata, Result};

/// The runtime's own calls.
#[async_trait]
pub trait RuntimeApi: Send + Sync {
    /// The JSON of Dapr's HTTP API (`/v1.0/metadata`).
    async fn get_metadata(&self, cx: &CallContext) -> Result<Bytes>;

    /// Adds to the `extended` metadata.
    async fn set_metadata(&self, cx: &CallContext, key: String, value: String) -> Result<()>;

    /// Calls a unary rpc of `dapr.proto.runtime.v1.Dapr` with a message as it is on the wire.
    async fn call(&self, cx: &CallContext, request: Call) -> Result<Bytes>;
}

/// An rpc with its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The rpc's name, such as `ListActorReminders`.
    pub rpc: String,
    /// The request in protobuf.
    pub request: Bytes,
    /// gRPC metadata.
    pub metadata: Metadata,
}
