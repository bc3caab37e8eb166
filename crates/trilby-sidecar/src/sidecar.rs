//! Dapr's building blocks from a sidecar.

use std::sync::Arc;
use std::time::Duration;

use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::subscription::{ConfigurationWatch, Subscription};
use trilby_dapr::{CallContext, Inbound, Result};

use crate::health::Health;
use crate::http_api::HttpApi;
use crate::link::Link;
use crate::metrics::Block;
use crate::{ConfigError, SidecarConfig, SidecarMetrics, Streams};

/// How long the sidecar is asked for its own state.
const METADATA_WAIT: Duration = Duration::from_secs(5);

/// Dapr's building blocks from a sidecar.
///
/// One HTTP/2 connection carries all calls over gRPC; service invocation has connections of its own.
/// They are made at the first call, so that a sidecar may come later than this process.
pub struct Sidecar {
    config: Arc<SidecarConfig>,
    pub(crate) link: Link,
    pub(crate) http: HttpApi,
    health: Health,
}

impl Sidecar {
    /// Prepares the connections, without making them. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address cannot be one, or wants TLS and there are no root certificates.
    pub fn new(config: SidecarConfig) -> std::result::Result<Self, ConfigError> {
        let config = Arc::new(config);
        let link = Link::new(Arc::clone(&config))?;
        let http = HttpApi::new(&config, Arc::clone(link.counters()))?;
        Ok(Self { config, link, http, health: Health::default() })
    }

    /// Where the sidecar's gRPC API is: `host:port`, or the socket as `unix:path`.
    #[must_use]
    pub fn address(&self) -> String {
        self.config.grpc.to_string()
    }

    /// What the link to the sidecar has done so far.
    #[must_use]
    pub fn metrics(&self) -> SidecarMetrics {
        self.link.counters().snapshot()
    }

    /// Whether the last thing that is known of the sidecar is good: it was reached, or it said that
    /// it is ready. Asks nobody.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.link.is_up() || self.health.was_ready()
    }

    /// Whether the sidecar can take calls (`/v1.0/healthz/outbound`), which it can before the app
    /// does. The answer may be a second old when it is good, and 200 ms when it is not. One question
    /// at a time goes to the sidecar; who cannot have an answer within the time gets `false`.
    pub async fn is_outbound_ready(&self, within: Duration) -> bool {
        let is_ready = self.health.is_ready(&self.http, within).await;
        if is_ready {
            // Who waits for this answer must not meet the memory of a time before it.
            self.link.end_backoff();
        }
        is_ready
    }

    /// The port on which the sidecar calls the app; 0 if it has none, and events come only over the
    /// streams of [`subscribe`](Self::subscribe).
    ///
    /// # Errors
    ///
    /// When the sidecar does not answer within five seconds.
    pub async fn app_channel_port(&self) -> Result<i32> {
        let cx = CallContext::within(METADATA_WAIT);
        let request = self.link.request(&cx, runtime::GetMetadataRequest {})?;
        let mut client = self.link.client();
        let call = async move { client.get_metadata(request).await };
        let reply = self.link.wait(&cx, Block::Runtime, "reading metadata", call).await?;
        Ok(reply.app_connection_properties.map_or(0, |app| app.port))
    }

    /// Delivers events and changes of configuration over streams that this process opens: no app
    /// port is needed. Each subscription and each watch has its stream, which is opened again
    /// whenever it breaks. Must be called on a tokio runtime.
    #[must_use = "dropped, the streams end at once"]
    pub fn subscribe(
        &self,
        inbound: Arc<dyn Inbound>,
        subscriptions: Vec<Subscription>,
        watches: Vec<ConfigurationWatch>,
    ) -> Streams {
        Streams::open(&self.link, &inbound, subscriptions, watches)
    }
}
