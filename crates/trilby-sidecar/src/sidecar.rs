//! The connection to daprd, and a call over it.

use std::time::Duration;

use tokio::time::timeout_at;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use trilby_dapr::proto::runtime::v1::dapr_client::DaprClient;
use trilby_dapr::{CallContext, Error, Result};

use crate::{ConfigError, SidecarConfig, status};

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
    pub(crate) client: DaprClient<Channel>,
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

    pub(crate) fn request<T>(&self, cx: &CallContext, message: T) -> Request<T> {
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

    pub(crate) async fn wait<T>(
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
