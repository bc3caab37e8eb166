//! Connections: accepted, served, and drained at the end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::Peer;
use crate::{Service, linger};

/// Connections open at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;

/// How long a client may take to send its request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a new connection, accepted just before the end, may take to bring its first request.
const LAST_REQUEST_TIMEOUT: Duration = Duration::from_millis(250);

/// How often an HTTP/2 client without requests is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long a client may take no byte of an answer that waits for it. Its guest may have ended long
/// before, so that no other bound holds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

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
    server.accept_waiting(listener);
    server.finish(drain.within).await
}

struct Server {
    service: Arc<Service>,
    http: auto::Builder<TokioExecutor>,
    /// From now on connections end as soon as they have nothing to do.
    closing: CancellationToken,
    connections: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Server {
    fn new(service: Arc<Service>) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        http.http2().timer(TokioTimer::new()).keep_alive_interval(PING_INTERVAL);
        Self {
            service,
            http,
            closing: CancellationToken::new(),
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
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    /// Accepts those that already wait in the kernel's queue, and no others: closing the listener
    /// would reset them.
    fn accept_waiting(&self, listener: TcpListener) {
        // The system is asked itself: the runtime knows only what it was last told.
        let Ok(listener) = listener.into_std() else { return };
        while let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() {
            let Ok((stream, remote)) = listener.accept() else { return };
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.serve(stream, remote, place);
            }
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
        let (begun, begins) = watch::channel(false);
        let answer = service_fn(move |request: Request<Incoming>| {
            begun.send_if_modified(|begun| !std::mem::replace(begun, true));
            let service = Arc::clone(&service);
            async move {
                let request = linger::request(request);
                Ok::<_, std::convert::Infallible>(service.handle(request, peer).await)
            }
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = self.http.serve_connection(stream, answer).into_owned();
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            if let Err(error) = run(connection, begins, closing).await {
                tracing::debug!(error = %error, "connection ended");
            }
            drop(place);
        });
    }

    async fn finish(self, within: Duration) -> usize {
        self.tasks.close();
        self.closing.cancel();
        let closed = async {
            self.tasks.wait().await;
        };
        match timeout(within, closed).await {
            Ok(()) => 0,
            Err(_) => self.tasks.len(),
        }
    }
}

/// Serves a connection to its end. A client that sends nothing is not waited for.
///
/// When the server is closing, a request that lies in the socket already must still be seen:
/// therefore the connection comes first in each choice, and a new one is given a moment.
async fn run<C: GracefulConnection>(
    connection: C,
    mut begins: watch::Receiver<bool>,
    closing: CancellationToken,
) -> Result<(), C::Error> {
    let mut connection = pin!(connection);
    let late = async {
        closing.cancelled().await;
        sleep(LAST_REQUEST_TIMEOUT).await;
    };
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        begun = timeout(HEAD_TIMEOUT, begins.wait_for(|&begun| begun)) => {
            if begun.is_err() {
                return Ok(());
            }
        }
        () = late => {}
    }
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = closing.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
