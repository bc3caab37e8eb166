//! The two seams: what a guest may ask of Dapr, and what Dapr may bring to a guest.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use crate::actor::Actors;
use crate::configuration::Configuration;
use crate::conversation::Conversation;
use crate::crypto::Crypto;
use crate::invoke::{Invocation, ServiceReply};
use crate::jobs::Jobs;
use crate::lock::Locks;
use crate::messaging::{Bindings, Pubsub};
use crate::runtime::RuntimeApi;
use crate::secret::Secrets;
use crate::state::State;
use crate::stream::{self, ByteStream};

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
pub trait Blocks:
    State
    + Pubsub
    + Bindings
    + Invocation
    + Secrets
    + Configuration
    + Locks
    + Jobs
    + Crypto
    + Conversation
    + Actors
    + RuntimeApi
    + 'static
{
}

impl<T> Blocks for T where
    T: State
        + Pubsub
        + Bindings
        + Invocation
        + Secrets
        + Configuration
        + Locks
        + Jobs
        + Crypto
        + Conversation
        + Actors
        + RuntimeApi
        + 'static
{
}

/// Whoever receives deliveries: topic events, triggers of bindings, jobs and changes of
/// configuration, always as an HTTP request in the form of daprd's HTTP app channel.
///
/// The answer follows Dapr's contract: 2xx acknowledges (a JSON body `{"status": …}` refines it),
/// 404 drops, anything else asks for a retry.
#[async_trait]
pub trait Inbound: Send + Sync + 'static {
    /// Hands over one delivery and waits for its outcome. Bounded by the receiver's own limits.
    async fn deliver(&self, request: http::Request<Bytes>) -> http::Response<Bytes>;

    /// Hands over a request of another app, or of this one, as service invocation has it. Bounded
    /// by the receiver's own limits. A receiver that takes none says 501.
    async fn invoke(&self, _request: http::Request<ByteStream>) -> ServiceReply {
        ServiceReply {
            status: http::StatusCode::NOT_IMPLEMENTED,
            headers: http::HeaderMap::new(),
            body: stream::whole(Bytes::new()),
        }
    }
}
