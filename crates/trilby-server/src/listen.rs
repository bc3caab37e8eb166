//! Connections: accepted, served, and drained at the end.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use trilby_manifest::ProcessLimits;

use crate::service::Peer;
use crate::{Service, Tls, linger};

/// How long a new connection, accepted just before the end, may take to bring its first request.
const LAST_REQUEST_TIMEOUT: Duration = Duration::from_millis(250);

/// How often an HTTP/2 client without requests is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long after an error of `accept` (such as too many open files) it is tried again.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// What a manifest allows at most for a request's head. Each route has its own bound below this.
const HEAD_BYTES_MAX: usize = 256 << 10;

/// The same for HTTP/2, which counts 32 bytes more for each header (RFC 9113 section 6.5.2).
const HEADER_LIST_BYTES_MAX: u32 = 320 << 10;

/// What hyper reads ahead of a body, besides.
const BODY_BUFFER_BYTES: usize = 400 << 10;

/// How connections are served.
pub struct ListenSettings {
    /// The bounds of the process.
    pub limits: ProcessLimits,
    /// Certificate and key; `None` serves plain HTTP.
    pub tls: Option<Arc<Tls>>,
}

/// How often the log is told that no more connections are taken.
const TELL_FULL_INTERVAL: Duration = Duration::from_secs(60);

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
    (settings, drain): (ListenSettings, Drain),
    stop: impl Future<Output = ()>,
) -> usize {
    let server = Server::new(service, settings);
    tokio::select! {
        () = stop => {}
        () = server.accept(&listener) => {}
        () = server.watch_tls() => {}
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
    limits: ProcessLimits,
    tls: Option<Arc<Tls>>,
    /// From now on connections end as soon as they have nothing to do.
    closing: CancellationToken,
    connections: Arc<Semaphore>,
    /// When the log was last told that there are no more.
    told_full: Mutex<Option<Instant>>,
    tasks: TaskTracker,
}

impl Server {
    fn new(service: Arc<Service>, settings: ListenSettings) -> Self {
        let ListenSettings { limits, tls } = settings;
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_timeout)
            .max_buf_size(HEAD_BYTES_MAX + BODY_BUFFER_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .max_header_list_size(HEADER_LIST_BYTES_MAX);
        Self {
            service,
            http,
            closing: CancellationToken::new(),
            connections: Arc::new(Semaphore::new(limits.connections_max)),
            told_full: Mutex::new(None),
            limits,
            tls,
            tasks: TaskTracker::new(),
        }
    }

    /// Keeps the certificate new, for ever.
    async fn watch_tls(&self) {
        match &self.tls {
            Some(tls) => Arc::clone(tls).watch().await,
            None => std::future::pending().await,
        }
    }

    /// Accepts for ever.
    async fn accept(&self, listener: &TcpListener) {
        loop {
            if self.connections.available_permits() == 0 {
                self.tell_full();
            }
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

    /// Tells the log that clients wait, once in a while.
    fn tell_full(&self) {
        let mut told = self.told_full.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TELL_FULL_INTERVAL) {
            *told = Some(Instant::now());
            tracing::warn!(
                connections = self.limits.connections_max,
                "all connections are taken (`connections` of `[limits]`); more wait"
            );
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

    fn serve(&self, stream: TcpStream, remote: std::net::SocketAddr, place: OwnedSemaphorePermit) {
        let Ok(local) = stream.local_addr() else { return };
        // Without this, Nagle's algorithm holds back small chunks of a streamed answer.
        let _ = stream.set_nodelay(true);
        let peer = Peer { remote, local, tls: self.tls.is_some() };
        let service = Arc::clone(&self.service);
        let (http, limits, closing) =
            (self.http.clone(), self.limits.clone(), self.closing.clone());
        let Some(tls) = self.tls.clone() else {
            let connection = connection(&http, stream, service, (peer, limits, closing));
            self.tasks.spawn(ended(connection, place));
            return;
        };
        // In the connection's own task: a client that stalls in its handshake holds up nobody.
        self.tasks.spawn(async move {
            let late = async {
                closing.cancelled().await;
                sleep(LAST_REQUEST_TIMEOUT).await;
            };
            let shaken = tokio::select! {
                biased;
                shaken = timeout(limits.head_timeout, tls.accept(stream)) => shaken,
                () = late => return,
            };
            match shaken {
                Ok(Ok(stream)) => {
                    let connection = connection(&http, stream, service, (peer, limits, closing));
                    ended(connection, place).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            }
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

/// Serves a stream as HTTP.
fn connection<S>(
    http: &auto::Builder<TokioExecutor>,
    stream: S,
    service: Arc<Service>,
    (peer, limits, closing): (Peer, ProcessLimits, CancellationToken),
) -> impl Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + use<S>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (begun, begins) = watch::channel(false);
    let answer = service_fn(move |request: Request<Incoming>| {
        begun.send_if_modified(|begun| !std::mem::replace(begun, true));
        let service = Arc::clone(&service);
        async move {
            let (request, rest) = linger::request(request);
            let response = service.handle(request, peer).await;
            rest.read().await;
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_timeout));
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), answer).into_owned();
    run(connection, begins, (limits.head_timeout, closing))
}

/// Whether a write took too long: reads have no timeout of this kind.
fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let error = cause.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
    })
}

/// Waits for the end of a connection, which then gives its place back.
async fn ended(
    connection: impl Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>,
    place: OwnedSemaphorePermit,
) {
    match connection.await {
        Ok(()) => {}
        Err(error) if is_timeout(&*error) => {
            tracing::info!("a client was cut off: it took nothing of its answer (`write-timeout`)");
        }
        Err(error) => tracing::debug!(error = %error, "connection ended"),
    }
    drop(place);
}

/// Serves a connection to its end. A client that sends nothing is not waited for.
///
/// When the server is closing, a request that lies in the socket already must still be seen:
/// therefore the connection comes first in each choice, and a new one is given a moment.
async fn run<C: GracefulConnection>(
    connection: C,
    mut begins: watch::Receiver<bool>,
    (head_timeout, closing): (Duration, CancellationToken),
) -> Result<(), C::Error> {
    let mut connection = pin!(connection);
    let late = async {
        closing.cancelled().await;
        sleep(LAST_REQUEST_TIMEOUT).await;
    };
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        begun = timeout(head_timeout, begins.wait_for(|&begun| begun)) => {
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
