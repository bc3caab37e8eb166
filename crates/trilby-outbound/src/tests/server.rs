//! A server whose paths behave as tests need it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A server on 127.0.0.1; it ends with this.
pub(super) struct Server {
    pub(super) port: u16,
    /// As PEM; empty without TLS.
    pub(super) certificate: String,
    accepts: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::listen(None).await
    }

    /// One with a certificate for `localhost`, and the roots that trust it.
    pub(super) async fn with_tls() -> (Self, RootCertStore) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let key = own.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut server = Self::listen(Some(Arc::new(tls).into())).await;
        server.certificate = own.cert.pem();
        (server, roots)
    }

    async fn listen(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepts);
        let meeting = Arc::new(Barrier::new(2));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                connections.spawn(connection(stream, tls.clone(), Arc::clone(&meeting)));
            }
        });
        Self { port, certificate: String::new(), accepts, task }
    }

    /// Connections that were opened.
    pub(super) fn accepts(&self) -> usize {
        self.accepts.load(Ordering::SeqCst)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, meeting: Arc<Barrier>) {
    match tls {
        None => serve(stream, meeting).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, meeting).await;
            }
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: S, meeting: Arc<Barrier>) {
    let service = service_fn(|request| {
        let meeting = Arc::clone(&meeting);
        async move { Ok::<_, Infallible>(answer(request, &meeting).await) }
    });
    let builder = Builder::new(TokioExecutor::new());
    // A client that leaves in the middle is what some tests are about.
    drop(builder.serve_connection(TokioIo::new(io), service).await);
}

async fn answer(request: Request<Incoming>, meeting: &Barrier) -> Response<Parts> {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/echo" => Response::new(Parts::sized(echo(request).await)),
        "/meet" => {
            meeting.wait().await;
            Response::new(Parts::sized("met".to_owned()))
        }
        "/never" => std::future::pending().await,
        "/half" => Response::new(Parts { parts: ["half"].into(), sized: false, ends: false }),
        "/sized" => Response::new(Parts::sized("0123456789".to_owned())),
        "/chunked" => {
            let parts = ["01234", "56789"].into();
            Response::new(Parts { parts, sized: false, ends: true })
        }
        "/long-head" => {
            let answer = Response::builder().header("x-long", "x".repeat(300_000));
            answer.body(Parts::sized(String::new())).unwrap()
        }
        "/circle" => redirect("302", "/circle"),
        _ => {
            // `/to/STATUS/URL`
            let (status, url) = path.trim_start_matches("/to/").split_once('/').unwrap();
            redirect(status, url)
        }
    }
}

fn redirect(status: &str, url: &str) -> Response<Parts> {
    let answer = Response::builder().status(status).header("location", url);
    answer.body(Parts::sized(String::new())).unwrap()
}

/// The request as text: its line, its headers in alphabetical order, its body.
async fn echo(request: Request<Incoming>) -> String {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort_unstable();
    let headers = headers.join("\n");
    format!("{} {:?}\n{headers}\n\n{}", head.method, head.version, String::from_utf8_lossy(&body))
}

/// A body of parts, with or without its length told.
pub(super) struct Parts {
    parts: VecDeque<&'static str>,
    sized: bool,
    ends: bool,
}

impl Parts {
    fn sized(text: String) -> Self {
        Self { parts: [&*text.leak()].into(), sized: true, ends: true }
    }
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.parts.pop_front() {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(part.as_bytes()))))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let bytes: usize = self.parts.iter().map(|part| part.len()).sum();
        match self.sized {
            true => http_body::SizeHint::with_exact(bytes.try_into().unwrap()),
            false => http_body::SizeHint::default(),
        }
    }
}
