//! The connection to daprd, and a call over it.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout_at;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use trilby_dapr::messaging::{BindingReply, InvokeBinding, Publish};
use trilby_dapr::proto::runtime::v1::dapr_client::DaprClient;
use trilby_dapr::secret::{GetSecret, Secret};
use trilby_dapr::state::{DeleteState, GetState, SaveState, StateValue};
use trilby_dapr::{Blocks, CallContext, Error, Result};

use crate::{ConfigError, SidecarConfig, conflict, convert, status};

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often an HTTP/2 ping asks whether daprd is still there, so that a connection that died
/// silently is replaced.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Bytes of one answer. daprd's own bound is 4 MiB by default, and its `--max-body-size` raises it.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Dapr's building blocks from a sidecar.
///
/// One HTTP/2 connection carries all calls. It is made at the first call, so that a sidecar may
/// come later than this process.
pub struct Sidecar {
    config: SidecarConfig,
    client: DaprClient<Channel>,
}

impl Sidecar {
    /// Prepares the connection, without making it. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be one.
    pub fn new(config: SidecarConfig) -> std::result::Result<Self, ConfigError> {
        let endpoint = Endpoint::from_shared(config.uri.clone()).map_err(|_| {
            ConfigError::Endpoint { variable: "DAPR_GRPC_ENDPOINT", value: config.uri.clone() }
        })?;
        let channel = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(PING_INTERVAL)
            .tcp_nodelay(true)
            .connect_lazy();
        let client = DaprClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { config, client })
    }

    /// Where the sidecar is: `host:port`, or the socket as `unix:path`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.config.uri.strip_prefix("http://").unwrap_or(&self.config.uri)
    }

    fn request<T>(&self, cx: &CallContext, message: T) -> Request<T> {
        let mut request = Request::new(message);
        // daprd gives up, too, when nobody waits any more.
        request.set_timeout(cx.remaining());
        let metadata = request.metadata_mut();
        if let Some(token) = &self.config.token {
            metadata.insert("dapr-api-token", token.clone());
        }
        if let Some(traceparent) = cx.traceparent.as_deref().and_then(|text| text.parse().ok()) {
            metadata.insert("traceparent", traceparent);
        }
        request
    }

    async fn wait<T>(
        &self,
        cx: &CallContext,
        what: &str,
        rpc: impl Future<Output = std::result::Result<Response<T>, Status>> + Send,
    ) -> Result<T> {
        match timeout_at(cx.deadline, rpc).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            // Both sides know the deadline; whichever notices first gives the same error.
            Ok(Err(_)) if cx.remaining().is_zero() => Err(Error::deadline(what)),
            Ok(Err(status)) => Err(status::error(&status, self.address())),
            Err(_) => Err(Error::deadline(what)),
        }
    }
}

#[async_trait]
impl Blocks for Sidecar {
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

    async fn publish(&self, cx: &CallContext, request: Publish) -> Result<()> {
        let request = self.request(cx, convert::publish(request));
        let mut client = self.client.clone();
        self.wait(cx, "publishing", client.publish_event(request)).await.map(drop)
    }

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

    async fn get_secret(&self, cx: &CallContext, request: GetSecret) -> Result<Secret> {
        let request = self.request(cx, convert::get_secret(request));
        let mut client = self.client.clone();
        let reply = self.wait(cx, "reading a secret", client.get_secret(request)).await?;
        Ok(Secret { values: reply.data.into_iter().collect() })
    }
}
