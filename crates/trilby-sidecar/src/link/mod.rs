//! The one HTTP/2 connection to daprd that carries all calls over gRPC.

mod connector;
mod socket;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::timeout_at;
use tokio_util::task::AbortOnDropHandle;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status};
use trilby_dapr::proto::runtime::v1::dapr_client::DaprClient;
use trilby_dapr::wire::raw::Raw;
use trilby_dapr::{CallContext, Code, Error, Result};

pub(crate) use connector::{CONNECT_TIMEOUT, Connector};

use crate::metrics::{Block, Counters, InFlight};
use crate::{ConfigError, SidecarConfig, status};

/// How often an HTTP/2 ping asks whether daprd is still there, so that a connection that died
/// silently is replaced.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Bytes of a stream that may wait for their reader.
const STREAM_WINDOW: u32 = 256 << 10;

/// Bytes of all streams that may wait: for so many readers as there can be, so that those who do not
/// read cannot fill it and stall the others.
const CONNECTION_WINDOW: u32 = 1 << 30;

/// daprd puts errors, of which some quote a component at length, into headers.
const HEADER_BYTES_MAX: u32 = 64 << 10;

/// The connection, made at the first call and again when it is lost.
#[derive(Clone)]
pub(crate) struct Link {
    config: Arc<SidecarConfig>,
    channel: Channel,
    connector: Connector,
    counters: Arc<Counters>,
}

impl Link {
    pub(crate) fn new(config: Arc<SidecarConfig>) -> std::result::Result<Self, ConfigError> {
        let base = config.grpc.base();
        let problem = |problem: &dyn std::fmt::Display| ConfigError::Tls {
            address: config.grpc.to_string(),
            problem: problem.to_string(),
        };
        let mut endpoint = Endpoint::from_shared(base.clone()).map_err(|_| {
            ConfigError::Endpoint { variable: "DAPR_GRPC_ENDPOINT", value: base.clone() }
        })?;
        if base.starts_with("https:") {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint.tls_config(tls).map_err(|error| problem(&error))?;
        }
        let counters = Arc::new(Counters::default());
        let connector = Connector::new(config.grpc.clone(), Some(Arc::clone(&counters)));
        let channel = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_with_connector_lazy(connector.clone());
        Ok(Self { config, channel, connector, counters })
    }

    pub(crate) fn client(&self) -> DaprClient<Channel> {
        let client = DaprClient::new(self.channel.clone());
        client.max_decoding_message_size(self.config.answer_bytes_max)
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Whether a connection was made, and the last attempt did not fail.
    pub(crate) fn is_up(&self) -> bool {
        self.counters.connects.load(Relaxed) > 0 && !self.connector.is_in_trouble()
    }

    /// The sidecar was seen to be there: the next call need not wait until it is tried again.
    pub(crate) fn end_backoff(&self) {
        self.connector.end_backoff();
    }

    /// A message with what every call carries, if it is not too large for daprd.
    pub(crate) fn request<T: Message>(&self, cx: &CallContext, message: T) -> Result<Request<T>> {
        self.check_size(message.encoded_len())?;
        let mut request = self.stream(cx.traceparent.as_deref(), message);
        // daprd gives up, too, when nobody waits any more.
        request.set_timeout(rounded_up(cx.remaining()));
        Ok(request)
    }

    /// The same for a message, or a stream of them, that no deadline bounds.
    pub(crate) fn stream<T>(&self, traceparent: Option<&str>, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        let token = self.config.token.as_ref().and_then(|token| {
            let mut token: MetadataValue<Ascii> = token.to_str().ok()?.parse().ok()?;
            token.set_sensitive(true);
            Some(token)
        });
        if let Some(token) = token {
            metadata.insert("dapr-api-token", token);
        }
        if let Some(traceparent) = traceparent.and_then(|text| text.parse().ok()) {
            metadata.insert("traceparent", traceparent);
        }
        request
    }

    fn check_size(&self, bytes: usize) -> Result<()> {
        let bytes_max = self.config.sent_bytes_max;
        if bytes <= bytes_max {
            return Ok(());
        }
        let message = format!(
            "the request has {bytes} bytes, and at most {bytes_max} are sent to the Dapr sidecar; for \
             more, raise daprd's --max-body-size and TRILBY_DAPR_MAX_MESSAGE alike"
        );
        Err(Error::new(Code::ResourceExhausted, message).with_reason("TRILBY_MESSAGE_TOO_LARGE"))
    }

    /// Waits for a call until its deadline.
    ///
    /// The call is a task of its own: it is woken for each of its parts (its turn, its head, its
    /// message, its end), and only the last of these is worth waking the guest that waits for it.
    pub(crate) async fn wait<T: Send + 'static>(
        &self,
        cx: &CallContext,
        block: Block,
        what: &str,
        rpc: impl Future<Output = std::result::Result<Response<T>, Status>> + Send + 'static,
    ) -> Result<T> {
        let call = InFlight::begin(&self.counters, block);
        let (connector, deadline) = (self.connector.clone(), cx.deadline);
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            connector.until_next_try(deadline).await;
            rpc.await
        }));
        let rpc =
            async { task.await.unwrap_or_else(|error| Err(Status::from_error(error.into()))) };
        let result = match timeout_at(deadline, rpc).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            // Both sides know the deadline; whichever notices first gives the same error.
            Ok(Err(_)) if cx.remaining().is_zero() => Err(Error::deadline(what)),
            Ok(Err(status)) => Err(self.error(&status)),
            Err(_) => Err(Error::deadline(what)),
        };
        call.end(&result);
        result
    }

    pub(crate) fn error(&self, status: &Status) -> Error {
        status::error(status, &self.config.grpc)
    }

    /// Calls a unary rpc whose messages are given, and given back, as they are on the wire.
    pub(crate) async fn raw(
        &self,
        cx: &CallContext,
        path: PathAndQuery,
        mut request: Request<bytes::Bytes>,
    ) -> Result<bytes::Bytes> {
        self.check_size(request.get_ref().len())?;
        request.set_timeout(rounded_up(cx.remaining()));
        let mut grpc =
            Grpc::new(self.channel.clone()).max_decoding_message_size(self.config.answer_bytes_max);
        let rpc = async move {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            grpc.unary(request, path, Raw).await
        };
        self.wait(cx, Block::Runtime, "calling the Dapr sidecar", rpc).await
    }
}

/// A time to tell daprd. Few different ones, so that HTTP/2's header compression knows them; whoever
/// waits keeps to the exact time.
fn rounded_up(time: Duration) -> Duration {
    const STEP_MS: u128 = 100;
    let steps = time.as_millis() / STEP_MS + 1;
    Duration::from_millis(u64::try_from(steps * STEP_MS).unwrap_or(u64::MAX))
}
