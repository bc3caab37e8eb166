//! Dapr's API over the embedded runtime, for other processes.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, mpsc};
use trilby_dapr::configuration::ConfigurationItem;
use trilby_dapr::subscription::Subscription;
use trilby_dapr::{Code, Error, Inbound};
use trilby_dapr_api::{AllowAll, Api, Backend, Feed, Feeds, Listen};
use trilby_embedded::{Deliveries, Runtime};
use trilby_manifest::App;

use crate::cli::ApiOptions;
use crate::dapr::{self, Dapr};
use crate::failure::Failure;

/// daprd's default for a message.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// Where the API is to be served, if anywhere.
pub(crate) fn listen(options: &ApiOptions) -> Option<Listen> {
    let address = |port: u16| SocketAddr::new(options.dapr_listen_address, port);
    let listen = Listen {
        grpc: options.dapr_grpc_port.map(address),
        http: options.dapr_http_port.map(address),
        socket_dir: options.dapr_unix_socket.clone(),
    };
    let is_asked_for =
        listen.grpc.is_some() || listen.http.is_some() || listen.socket_dir.is_some();
    is_asked_for.then_some(listen)
}

/// Serves the API, if it is asked for. `shutdown` is notified when a caller asks for the end.
pub(crate) async fn open(
    app: &App,
    dapr: &Dapr,
    options: &ApiOptions,
    inbound: &Arc<dyn Inbound>,
    shutdown: Arc<Notify>,
) -> Result<Option<Api>, Failure> {
    let Some(listen) = listen(options) else { return Ok(None) };
    let Dapr::Embedded(runtime, _) = dapr else {
        return Err(Failure::configuration(
            "Dapr's API is served over the embedded runtime only, and the environment names a Dapr \
             sidecar, which serves it itself; unset DAPR_GRPC_PORT and DAPR_GRPC_ENDPOINT, or leave \
             out the --dapr-* flags",
        ));
    };
    let token = std::env::var("DAPR_API_TOKEN").ok().filter(|token| !token.is_empty());
    if token.is_none() && !options.dapr_listen_address.is_loopback() {
        tracing::warn!(
            "whoever reaches {} can use the app's state, secrets and all else of Dapr's API; set \
             DAPR_API_TOKEN to let only those in who send it",
            options.dapr_listen_address
        );
    }
    let env = dapr::environment();
    let namespace = env.get("NAMESPACE").filter(|namespace| !namespace.is_empty());
    let backend = Backend {
        app_id: dapr::app_id(app, &env),
        namespace: namespace.cloned().unwrap_or_else(|| "default".to_owned()),
        blocks: dapr.blocks(),
        feeds: Arc::new(EmbeddedFeeds(Arc::clone(runtime))),
        app: Arc::downgrade(inbound) as Weak<dyn Inbound>,
        access: Arc::new(AllowAll),
        token,
        shutdown: Arc::new(move || shutdown.notify_one()),
        message_bytes_max: MESSAGE_BYTES_MAX,
    };
    Api::open(backend, &listen).await.map(Some).map_err(|error| Failure::Other(error.into()))
}

/// Events and changes of the embedded runtime.
struct EmbeddedFeeds(Arc<Runtime>);

#[async_trait]
impl Feeds for EmbeddedFeeds {
    fn subscribe(
        &self,
        subscription: Subscription,
        inbound: Arc<dyn Inbound>,
    ) -> trilby_dapr::Result<Box<dyn Feed>> {
        let pubsub = subscription.pubsub.clone();
        let started = self.0.start(inbound, vec![subscription], Vec::new(), None);
        let deliveries = started.map_err(|error| refused(&pubsub, &error))?;
        Ok(Box::new(EmbeddedFeed(Some(deliveries))))
    }

    fn watch(
        &self,
        store: &str,
        key: Option<String>,
    ) -> trilby_dapr::Result<mpsc::Receiver<(String, ConfigurationItem)>> {
        self.0.watch_configuration(store, key).map_err(|error| {
            Error::new(Code::InvalidArgument, error.to_string())
                .with_reason("ERR_CONFIGURATION_SUBSCRIBE")
        })
    }
}

/// A subscription that cannot be, in daprd's words.
fn refused(pubsub: &str, error: &trilby_embedded::Error) -> Error {
    match error {
        trilby_embedded::Error::Missing { .. } => {
            Error::new(Code::InvalidArgument, format!("pubsub {pubsub} is not found"))
                .with_reason("DAPR_PUBSUB_NOT_FOUND")
        }
        error => Error::new(
            Code::Unknown,
            format!("failed to create subscription for {pubsub}: {error}"),
        ),
    }
}

/// One subscription of a stream.
struct EmbeddedFeed(Option<Deliveries>);

#[async_trait]
impl Feed for EmbeddedFeed {
    async fn finish(mut self: Box<Self>, within: Duration) {
        if let Some(deliveries) = self.0.take() {
            deliveries.retire(within).await;
        }
    }
}

/// The topic is without it from now on: no event waits for nobody.
impl Drop for EmbeddedFeed {
    fn drop(&mut self) {
        if let Some(deliveries) = self.0.take() {
            deliveries.abandon();
        }
    }
}
