//! The two seams: what a guest may ask of Dapr, and what Dapr may bring to a guest.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use crate::Result;
use crate::messaging::{BindingReply, InvokeBinding, Publish};
use crate::secret::{GetSecret, Secret};
use crate::state::{DeleteState, GetState, SaveState, StateValue};

/// What every call carries besides its request.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// When the caller stops waiting. An implementation gives up by then with
    /// [`Code::DeadlineExceeded`](crate::Code::DeadlineExceeded).
    pub deadline: Instant,
    /// W3C trace context of the request that makes this call, to be handed on.
    pub traceparent: Option<Arc<str>>,
}

impl CallContext {
    /// A context without a trace, whose deadline is `timeout` from now.
    #[must_use]
    pub fn within(timeout: Duration) -> Self {
        Self { deadline: Instant::now() + timeout, traceparent: None }
    }

    /// The time left before the deadline; zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Dapr's building blocks, as a guest may use them.
///
/// Implemented over a Dapr sidecar and by the embedded runtime; both answer alike, errors
/// included. Every method can be cancelled by dropping its future: the call then may or may not
/// have taken effect. No method blocks the thread.
#[async_trait]
pub trait Blocks: Send + Sync + 'static {
    /// Reads one key. A missing key is an empty value without an etag, as in Dapr.
    async fn get_state(&self, cx: &CallContext, request: GetState) -> Result<StateValue>;

    /// Writes one or more keys. More than one is not atomic: good items are applied even when
    /// another fails (Dapr's `SaveState`).
    async fn save_state(&self, cx: &CallContext, request: SaveState) -> Result<()>;

    /// Deletes one key. Deleting a missing key succeeds, unless an etag is given.
    async fn delete_state(&self, cx: &CallContext, request: DeleteState) -> Result<()>;

    /// Publishes one event to a topic.
    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()>;

    /// Invokes an operation of an output binding.
    async fn invoke_binding(
        &self,
        cx: &CallContext,
        request: InvokeBinding,
    ) -> Result<BindingReply>;

    /// Reads one secret, which may have several named values.
    async fn get_secret(&self, cx: &CallContext, request: GetSecret) -> Result<Secret>;
}

/// Whoever receives deliveries: topic events and binding triggers, always as an HTTP request in
/// the form of daprd's HTTP app channel.
///
/// The answer follows Dapr's contract: 2xx acknowledges (a JSON body `{"status": …}` refines it),
/// 404 drops, anything else asks for a retry.
#[async_trait]
pub trait Inbound: Send + Sync + 'static {
    /// Hands over one delivery and waits for its outcome. Bounded by the receiver's own limits.
    async fn deliver(&self, request: http::Request<Bytes>) -> http::Response<Bytes>;
}
