//! Connections: accepted, served, and drained at the end.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::body::BrokenOff;
use crate::service::Peer;
use crate::{RequestBody, Service};

/// Connections open at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;

/// How long a client may take to send its request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long after an error of `accept` (such as too many open files) it is tried again.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// How a shutdown goes.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    /// How long new connections are still served after the signal, while `/readyz` says no.
    pub settle: Duration,
    /// How long requests in flight may take to finish after that.
    pub within: Duration,
}

/// Serves until `stop` resolves, then drains. Returns how many connections had to be cut off.
///
/// The order is that of a pod's end: not ready, keep serving a moment, stop accepting, finish
/// what is in flight, within a bound.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    drain: Drain,
    stop: impl Future<Output = ()>,
) -> usize {
    let server = Server::new(service);
    tokio::select! {
        () = stop => {}
        () = server.accept(&listener) => {}
    }
    server.service.start_draining();
    // Whoever was told of this server a moment ago may still be connecting.
    let _ = timeout(drain.settle, server.accept(&listener)).await;
    server.accept_waiting(&listener).await;
    drop(listener);
    server.finish(drain.within).await
}

struct Server {
    service: Arc<Service>,
    http: auto::Builder<TokioExecutor>,
    graceful: GracefulShutdown,
    connections: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Server {
    fn new(service: Arc<Service>) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        http.http2().timer(TokioTimer::new());
        Self {
            service,
            http,
            graceful: GracefulShutdown::new(),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            tasks: TaskTracker::new(),
        }
    }

    /// Accepts for ever.
    async fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok(place) = Arc::clone(&self.connections).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, remote)) => self.serve(stream, remote, place),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    /// Accepts those that already wait in the kernel's queue, and no others: closing the listener
    /// would reset them.
    async fn accept_waiting(&self, listener: &TcpListener) {
        let next = || timeout(Duration::ZERO, listener.accept());
        while let Ok(Ok((stream, remote))) = next().await {
            let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() else { return };
            self.serve(stream, remote, place);
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        remote: std::net::SocketAddr,
        place: tokio::sync::OwnedSemaphorePermit,
    ) {
        let Ok(local) = stream.local_addr() else { return };
        // Without this, Nagle's algorithm holds back small chunks of a streamed answer.
        let _ = stream.set_nodelay(true);
        let peer = Peer { remote, local };
        let service = Arc::clone(&self.service);
        let answer = service_fn(move |request: Request<Incoming>| {
            let service = Arc::clone(&service);
            async move {
                let request = request.map(incoming);
                Ok::<_, std::convert::Infallible>(service.handle(request, peer).await)
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), answer).into_owned();
        let connection = self.graceful.watch(connection);
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "connection ended");
            }
            drop(place);
        });
    }

    async fn finish(self, within: Duration) -> usize {
        self.tasks.close();
        let closed = async {
            self.graceful.shutdown().await;
            self.tasks.wait().await;
        };
        match timeout(within, closed).await {
            Ok(()) => 0,
            Err(_) => self.tasks.len(),
        }
    }
}

fn incoming(body: Incoming) -> RequestBody {
    body.map_err(BrokenOff).boxed_unsync()
}
