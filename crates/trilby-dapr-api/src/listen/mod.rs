//! Listeners and their connections.

mod connection;
pub(crate) mod socket;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;

use crate::Error;
use crate::caller::Peer;

/// Connections at once, over all listeners. More wait in the system's queue.
const CONNECTIONS_MAX: usize = 1024;

/// How long after an error of `accept` (such as too many open files) it is tried again.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Answers one request.
pub(crate) type Handler =
    Arc<dyn Fn(Request<Incoming>, Peer) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// All listeners of the API.
pub(crate) struct Server {
    /// From now on connections end as soon as they have nothing to do.
    closing: CancellationToken,
    places: Arc<Semaphore>,
    acceptors: TaskTracker,
    connections: TaskTracker,
    sockets: Vec<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            closing: CancellationToken::new(),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            acceptors: TaskTracker::new(),
            connections: TaskTracker::new(),
            sockets: Vec::new(),
        }
    }
}

impl Server {
    /// Serves on an address, and says which it is.
    pub(crate) async fn listen_tcp(
        &self,
        address: SocketAddr,
        handler: &Handler,
    ) -> Result<SocketAddr, Error> {
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let peer = Peer { is_local: local.ip().is_loopback() };
        let accept = Accept::new(self, handler, peer);
        self.acceptors.spawn(accept.run(listener));
        Ok(local)
    }

    /// Serves on a Unix socket that only this user may open.
    pub(crate) fn listen_unix(&mut self, path: &Path, handler: &Handler) -> Result<(), Error> {
        let listener = socket::bind(path)?;
        self.sockets.push(path.to_owned());
        let accept = Accept::new(self, handler, Peer { is_local: true });
        self.acceptors.spawn(accept.run(listener));
        Ok(())
    }

    /// Ends it all within a bound, and says how many connections were cut off.
    pub(crate) async fn finish(self, within: Duration) -> usize {
        self.closing.cancel();
        self.acceptors.close();
        self.acceptors.wait().await;
        for path in &self.sockets {
            // It may be gone already.
            let _ = std::fs::remove_file(path);
        }
        self.connections.close();
        match timeout(within, self.connections.wait()).await {
            Ok(()) => 0,
            Err(_) => self.connections.len(),
        }
    }
}

/// What brings connections.
trait Listener: Send + Sync + 'static {
    /// What they run over.
    type Stream: connection::Stream;

    /// The next one.
    fn next(&self) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> std::io::Result<TcpStream> {
        let (stream, _) = self.accept().await?;
        // Without this, Nagle's algorithm holds back small messages of a stream.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> std::io::Result<UnixStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

/// What accepts on one listener.
struct Accept {
    closing: CancellationToken,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    handler: Handler,
    peer: Peer,
}

impl Accept {
    fn new(server: &Server, handler: &Handler, peer: Peer) -> Self {
        Self {
            closing: server.closing.clone(),
            places: Arc::clone(&server.places),
            connections: server.connections.clone(),
            handler: Arc::clone(handler),
            peer,
        }
    }

    async fn run(self, listener: impl Listener) {
        loop {
            let accepted = async {
                let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
                Some((listener.next().await, place))
            };
            let accepted = self.closing.run_until_cancelled(accepted).await.flatten();
            let Some((stream, place)) = accepted else { return };
            match stream {
                Ok(stream) => {
                    let (handler, peer) = (Arc::clone(&self.handler), self.peer);
                    let served = connection::serve(stream, handler, peer, self.closing.clone());
                    self.connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to Dapr's API");
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}
