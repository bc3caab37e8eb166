//! A server with TLS, its certificates, and a client that trusts them.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trilby_testkit::{Launch, Process};

use crate::wat;

/// The module is `wat`'s: one that shows its environment, and one that waits for its body.
pub(crate) const ROUTES: &str = r#"
version = 1
limits.deadline = "1h"
[[route]]
path = "/show/..."
module = "show.wat"
[[route]]
path = "/gate"
module = "gate.wat"
"#;

/// A server of an application in a folder of its own.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) port: u16,
    pub(crate) files: Files,
}

/// The folder with the certificate and its key.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.path().join("tls.crt")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("tls.key")
    }

    /// Puts a new certificate of `localhost`, made by itself, and its key in the place of the old,
    /// each file as a whole.
    pub(crate) fn renew(&self) -> Result<CertificateDer<'static>> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        self.replace(&self.certificate(), &made.cert.pem())?;
        self.replace(&self.key(), &made.signing_key.serialize_pem())?;
        Ok(made.cert.der().clone())
    }

    /// Puts another file in the place of one.
    pub(crate) fn replace(&self, path: &std::path::Path, text: &str) -> Result<()> {
        let new = self.0.path().join("new");
        std::fs::write(&new, text)?;
        Ok(std::fs::rename(new, path)?)
    }
}

impl Server {
    /// Serves `manifest`, with the modules of `wat` beside it, and a new certificate.
    pub(crate) async fn start(manifest: &str) -> Result<(Self, CertificateDer<'static>)> {
        let files = Files::new()?;
        let certificate = files.renew()?;
        let launch: Launch = wat::write(&files.0, "trilby.toml", manifest, |launch| launch)?;
        let (path, key) = (files.certificate(), files.key());
        let mut command = launch.command()?;
        command.arg("--tls-cert").arg(path).arg("--tls-key").arg(key);
        let mut process = Process::start("trilby", &mut command)?;
        let line = process.line("serving   https://").await?;
        let port = line.rsplit(':').next().context("no port")?.trim().parse()?;
        Ok((Self { process, port, files }, certificate))
    }

    /// A connection without TLS.
    pub(crate) async fn tcp(&self) -> Result<TcpStream> {
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?)
    }

    /// A connection that trusts this certificate alone, and offers these protocols.
    pub(crate) async fn connect(
        &self,
        certificate: &CertificateDer<'static>,
        protocols: &[&str],
    ) -> Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await?);
        stream.await.context("no handshake")
    }

    /// A connection of hyper's, which speaks what the handshake agrees on.
    pub(crate) async fn client(
        &self,
        certificate: &CertificateDer<'static>,
        protocol: &str,
    ) -> Result<Client> {
        let stream = self.connect(certificate, &[protocol]).await?;
        anyhow::ensure!(stream.get_ref().1.alpn_protocol() == Some(protocol.as_bytes()));
        Ok(Client { sender: Sender::new(stream, protocol).await?, port: self.port })
    }
}

/// One connection to `localhost`.
pub(crate) struct Client {
    sender: Sender,
    port: u16,
}

enum Sender {
    Http1(hyper::client::conn::http1::SendRequest<Pieces>),
    Http2(hyper::client::conn::http2::SendRequest<Pieces>),
}

impl Sender {
    async fn new(stream: TlsStream<TcpStream>, protocol: &str) -> Result<Self> {
        let io = TokioIo::new(stream);
        if protocol == "h2" {
            let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            let (sender, connection) = builder.handshake(io).await?;
            tokio::spawn(connection);
            return Ok(Self::Http2(sender));
        }
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        Ok(Self::Http1(sender))
    }
}

impl Client {
    /// A request whose body is sent piece by piece: it ends when the sender is dropped.
    pub(crate) fn post(
        &mut self,
        path: &str,
    ) -> Result<(mpsc::Sender<Bytes>, impl Future<Output = Result<Response<Incoming>>> + use<>)>
    {
        let (pieces, body) = mpsc::channel(1);
        let host = format!("localhost:{}", self.port);
        let request = match &self.sender {
            Sender::Http1(_) => Request::post(path).header("host", host),
            Sender::Http2(_) => Request::post(format!("https://{host}{path}")),
        };
        let request = request.body(Pieces(body))?;
        let sent: Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>> =
            match &mut self.sender {
                Sender::Http1(sender) => Box::pin(sender.send_request(request)),
                Sender::Http2(sender) => Box::pin(sender.send_request(request)),
            };
        Ok((pieces, async move { sent.await.context("no answer") }))
    }

    /// Sends a request without a body; the answer must be 200, and is its body.
    pub(crate) async fn text(&mut self, path: &str) -> Result<String> {
        let (pieces, sent) = self.post(path)?;
        drop(pieces);
        text(sent.await?).await
    }
}

/// The body of an answer, which must be 200.
pub(crate) async fn text(response: Response<Incoming>) -> Result<String> {
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.context("the answer broke off")?;
    Ok(String::from_utf8(body.to_bytes().to_vec())?)
}

/// A body as it comes.
pub(crate) struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
