//! A server for guests to call. It speaks HTTP/1.1 by hand, so that it sees what is really sent,
//! and can answer what no library would.
//!
//! Paths: `/echo` answers the request itself, `/head` some headers, `/status/CODE` that status,
//! `/sized/COUNT` and `/chunked/COUNT` so many bytes, `/to/CODE/URL` a redirect, `/circle` one to
//! itself, `/close` `closed` with the end of the connection, `/early` two heads, `/gate` `through`
//! when the test says so, `/never` nothing, `/stall` less than it promised; `/half`, `/garbage` and
//! `/long` no answer at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use trilby_testkit::until;

/// A server on 127.0.0.1; it ends with this.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// Its own certificate as PEM; empty without TLS.
    pub(crate) certificate: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    gone: AtomicUsize,
    requests: Mutex<Vec<String>>,
    gate: watch::Sender<bool>,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        Self::listen(None, String::new()).await
    }

    /// One with a certificate for `localhost` that it has made itself.
    pub(crate) async fn with_tls() -> Result<Self> {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = own.signing_key.serialize_der();
        let key = key.try_into().map_err(|reason: &str| anyhow::anyhow!(reason))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)?;
        Self::listen(Some(Arc::new(tls).into()), own.cert.pem()).await
    }

    async fn listen(tls: Option<TlsAcceptor>, certificate: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let (tls, seen) = (tls.clone(), Arc::clone(&seen));
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, &seen).await,
                        Some(tls) => serve(tls.accept(stream).await?, &seen).await,
                    }
                });
            }
        });
        Ok(Self { port, certificate, shared, task })
    }

    /// The URL of a path, by the server's address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Connections that were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Requests that came so far, each as it was sent.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has_requests(&self, count: usize) -> Result<()> {
        let what = format!("{count} requests to the server");
        until(&what, || std::future::ready((self.requests().len() >= count).then_some(()))).await
    }

    /// Waits until a client has left that waited for an answer.
    pub(crate) async fn has_lost_a_client(&self) -> Result<()> {
        let gone = || self.shared.gone.load(Ordering::SeqCst) > 0;
        until("a client to leave the server", || std::future::ready(gone().then_some(()))).await
    }

    /// Lets all through that wait at `/gate`, and all that come later.
    pub(crate) fn open_gate(&self) {
        self.shared.gate.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(io: S, shared: &Shared) -> Result<()> {
    let mut io = BufReader::new(io);
    while let Some(request) = read(&mut io).await? {
        shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let path = request.split(' ').nth(1).context("no path")?;
        if path == "/stall" {
            io.write_all(HALF.as_bytes()).await?;
            io.flush().await?;
        }
        let opened = async {
            let mut gate = shared.gate.subscribe();
            match path {
                "/gate" => gate.wait_for(|open| *open).await.is_ok(),
                "/never" | "/stall" => std::future::pending().await,
                _ => true,
            }
        };
        tokio::select! {
            biased;
            _ = opened => {}
            // A client that waits sends nothing, so this is its end.
            _ = io.fill_buf() => {
                shared.gone.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
        }
        io.write_all(&answer(path, &request)).await?;
        io.flush().await?;
        if matches!(path, "/close" | "/half" | "/garbage" | "/long") {
            return Ok(io.shutdown().await?);
        }
    }
    Ok(())
}

/// The next request, with its body if it has a `Content-Length`; none at the end.
async fn read<S: AsyncRead + Unpin>(io: &mut BufReader<S>) -> Result<Option<String>> {
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let start = request.len();
        if io.read_line(&mut request).await? == 0 {
            return Ok(None);
        }
        let line = request.get(start..).unwrap_or_default().trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(("content-length", value)) = line.split_once(": ") {
            length = value.parse()?;
        }
    }
    let mut body = vec![0; length];
    io.read_exact(&mut body).await?;
    request.push_str(&body.escape_ascii().to_string());
    Ok(Some(request))
}

fn answer(path: &str, request: &str) -> Vec<u8> {
    let path = path.split('?').next().unwrap_or_default();
    let mut parts = path.splitn(4, '/').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    let bytes = |count: &str| "x".repeat(count.parse().unwrap_or(0));
    let text = match next() {
        "echo" => sized("200 OK", "", request),
        "head" => sized("200 OK", HEADERS, "body"),
        "status" => sized(next(), "", "body"),
        "sized" => sized("200 OK", "", &bytes(next())),
        "chunked" => chunked(&bytes(next())),
        "to" => sized(next(), &format!("Location: {}\r\n", next()), "a redirect"),
        "circle" => sized("302 Found", "Location: /circle\r\n", ""),
        "close" => sized("200 OK", "Connection: close\r\n", "closed"),
        "early" => {
            format!("HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n{}", sized("200 OK", "", "late"))
        }
        "gate" => sized("200 OK", "", "through"),
        "half" => HALF.to_owned(),
        "long" => sized("200 OK", &format!("X-Long: {}\r\n", bytes("300000")), "body"),
        _ => "no HTTP\r\n\r\n".to_owned(),
    };
    match text.split_once("\r\n\r\n") {
        Some((head, _)) if request.starts_with("HEAD ") => format!("{head}\r\n\r\n").into_bytes(),
        _ => text.into_bytes(),
    }
}

const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

/// Some that a guest is to see, and some that are about the connection only.
const HEADERS: &str = "X-Test: a value\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Test: second\r\n\
    Connection: keep-alive, X-Mine\r\nKeep-Alive: timeout=60\r\nX-Mine: 1\r\n\
    Proxy-Authenticate: Basic\r\n";

fn sized(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(body: &str) -> String {
    let mut text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let (first, second) = body.split_at_checked(body.len() / 2).unwrap_or_default();
    for chunk in [first, second] {
        text.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    text + "0\r\n\r\n"
}
