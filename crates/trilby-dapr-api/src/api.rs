//! The API while it is served.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use trilby_dapr::Code;

use crate::apps::Apps;
use crate::backend::Backend;
use crate::fault::Teller;
use crate::listen::{Handler, Server, socket};
use crate::watches::Watches;
use crate::{Error, grpc, http};

/// Calls that are worked on at once, streams left out. More wait.
const CALLS_MAX: usize = 1024;

/// Streams that are open at once. More are refused.
const STREAMS_MAX: usize = 1024;

/// Where the API is served. Port 0 is a free one.
#[derive(Clone, Debug, Default)]
pub struct Listen {
    /// The gRPC API over TCP.
    pub grpc: Option<SocketAddr>,
    /// The HTTP API over TCP.
    pub http: Option<SocketAddr>,
    /// A folder for Unix sockets of both, named as daprd names them.
    pub socket_dir: Option<PathBuf>,
}

/// Where it is served in fact.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The gRPC API over TCP.
    pub grpc: Option<SocketAddr>,
    /// The HTTP API over TCP.
    pub http: Option<SocketAddr>,
    /// The sockets of the gRPC API and of the HTTP API.
    pub sockets: Option<(PathBuf, PathBuf)>,
}

/// What every call can reach.
pub(crate) struct Shared {
    pub(crate) backend: Backend,
    /// Places for calls.
    pub(crate) calls: Arc<Semaphore>,
    /// Places for streams.
    pub(crate) streams: Arc<Semaphore>,
    /// Subscriptions to configuration.
    pub(crate) watches: Watches,
    /// Streams end, for the process does.
    pub(crate) draining: CancellationToken,
}

impl Shared {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            backend,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            watches: Watches::default(),
            draining: CancellationToken::new(),
        }
    }

    /// Ends the process gracefully, if the caller may do that: it has shown a token, or is on this
    /// machine.
    pub(crate) fn shut_down(&self, is_local: bool) -> trilby_dapr::Result<()> {
        if self.backend.token.is_none() && !is_local {
            let text = "a shutdown from another machine needs a token; set DAPR_API_TOKEN";
            return Err(trilby_dapr::Error::new(Code::PermissionDenied, text));
        }
        tracing::info!("a shutdown was asked for over Dapr's API");
        (self.backend.shutdown)();
        Ok(())
    }

    pub(crate) fn teller(&self) -> Teller<'_> {
        Teller { app_id: &self.backend.app_id, namespace: &self.backend.namespace }
    }
}

/// The API, served until [`finish`](Self::finish).
pub struct Api {
    shared: Arc<Shared>,
    server: Server,
    apps: Apps,
    addresses: Addresses,
}

impl Api {
    /// Listens, and serves from now on. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When an address or a socket cannot be listened on.
    pub async fn open(backend: Backend, listen: &Listen) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(backend));
        let mut server = Server::default();
        let mut addresses = Addresses::default();
        let (rpcs, routes) = (rpcs(&shared), routes(&shared));
        if let Some(address) = listen.grpc {
            addresses.grpc = Some(server.listen_tcp(address, &rpcs).await?);
        }
        if let Some(address) = listen.http {
            addresses.http = Some(server.listen_tcp(address, &routes).await?);
        }
        if let Some(folder) = &listen.socket_dir {
            let app_id = &shared.backend.app_id;
            let grpc = socket::path(folder, app_id, "grpc");
            let http = socket::path(folder, app_id, "http");
            server.listen_unix(&grpc, &rpcs)?;
            server.listen_unix(&http, &routes)?;
            addresses.sockets = Some((grpc, http));
        }
        let apps = Apps::start(&shared.backend, &shared.draining);
        Ok(Self { shared, server, apps, addresses })
    }

    /// Where it is served.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Begins the end: streams are told, and get no new events.
    pub fn begin_drain(&self) {
        self.shared.draining.cancel();
    }

    /// Stops accepting, waits for the calls in flight within the bound, and says how many
    /// connections were cut off because it passed.
    pub async fn finish(self, within: Duration) -> usize {
        self.begin_drain();
        let (cut_off, ended) =
            tokio::join!(self.server.finish(within), timeout(within, self.apps.ended()));
        if ended.is_err() {
            tracing::warn!("events for other apps were dropped: the time to drain has passed");
        }
        cut_off
    }
}

fn rpcs(shared: &Arc<Shared>) -> Handler {
    let shared = Arc::clone(shared);
    Arc::new(move |request, peer| {
        let shared = Arc::clone(&shared);
        async move { grpc::answer(shared, request, peer).await }.boxed()
    })
}

fn routes(shared: &Arc<Shared>) -> Handler {
    let shared = Arc::clone(shared);
    Arc::new(move |request, peer| {
        let shared = Arc::clone(&shared);
        async move { http::answer(shared, request, peer).await }.boxed()
    })
}
