//! Dapr's API over the embedded runtime, for other processes.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use tokio::sync::Notify;
use trilby_dapr::Inbound;
use trilby_dapr_api::{AllowAll, Api, Backend, EmbeddedFeeds, Listen};
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
        feeds: Arc::new(EmbeddedFeeds::new(Arc::clone(runtime))),
        app: Arc::downgrade(inbound) as Weak<dyn Inbound>,
        apps: app.apps.keys().cloned().collect(),
        access: Arc::new(AllowAll),
        token,
        shutdown: Arc::new(move || shutdown.notify_one()),
        message_bytes_max: MESSAGE_BYTES_MAX,
    };
    Api::open(backend, &listen).await.map(Some).map_err(|error| Failure::Other(error.into()))
}
