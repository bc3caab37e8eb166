//! One connection, over HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::Handler;
use crate::caller::Peer;

/// How long a request's head may take to come.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// How long a client may take nothing of what is sent to it.
const WRITE_WITHIN: Duration = Duration::from_secs(60);

/// How often an HTTP/2 client without requests is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// The largest head of a request.
const HEAD_BYTES_MAX: u32 = 64 << 10;

/// What hyper reads ahead, besides.
const BUFFER_BYTES: usize = 464 << 10;

/// Requests at once over one HTTP/2 connection.
const REQUESTS_MAX: u32 = 256;

/// What a connection runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + 'static> Stream for T {}

/// Serves a connection to its end. Once `closing`, it takes no new requests.
pub(super) async fn serve<S: Stream>(
    stream: S,
    handler: Handler,
    peer: Peer,
    closing: CancellationToken,
) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(BUFFER_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .max_concurrent_streams(REQUESTS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX);
    let answer = service_fn(move |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler(request, peer).await) }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_WITHIN));
    let mut connection = pin!(http.serve_connection(TokioIo::new(Box::pin(stream)), answer));
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection to Dapr's API ended");
    }
}
