//! A sidecar that is reached over TLS, as Dapr's hosted APIs are.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::ServerConfig;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use trilby_testkit::{Backend, Launch, Options, repository};

use crate::probe::{self, get, set};

/// Ends TLS in front of a port of this machine. Stops when dropped.
struct Front {
    port: u16,
    certificate: String,
    task: JoinHandle<()>,
}

impl Front {
    /// A front with a certificate of its own for `localhost`.
    async fn of(port_behind: u16) -> Result<Self> {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = own.signing_key.serialize_der();
        let key = key.try_into().map_err(|reason: &str| anyhow::anyhow!(reason))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    let mut front = acceptor.accept(stream).await?;
                    let mut back = TcpStream::connect(("127.0.0.1", port_behind)).await?;
                    copy_bidirectional(&mut front, &mut back).await
                });
            }
        });
        Ok(Self { port, certificate: own.cert.pem(), task })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_sidecar_behind_tls_is_used_if_its_certificate_is_trusted() -> Result<()> {
    let backend = Backend::DaprdMemory;
    if backend.is_left_out() {
        return Ok(());
    }
    let world = probe::world_with(backend, Options::default()).await?;
    let daprd = world.daprd_options.as_ref().context("no sidecar")?;
    let front = Front::of(daprd.grpc_port).await?;
    let folder = tempfile::tempdir()?;
    let (roots, none) = (folder.path().join("roots.pem"), folder.path().join("none"));
    std::fs::write(&roots, &front.certificate)?;
    std::fs::create_dir(&none)?;
    let app = repository().join("tests/guests/probe");
    let start = async |roots: String| {
        Launch::new(app.clone(), folder.path())
            .env("APP_ID", &world.app_id)
            .env("DAPR_GRPC_ENDPOINT", format!("https://localhost:{}", front.port))
            .env("DAPR_HTTP_PORT", daprd.http_port.to_string())
            .env("SSL_CERT_FILE", roots)
            .env("SSL_CERT_DIR", none.display().to_string())
            .start()
            .await
    };
    let trilby = start(roots.display().to_string()).await?;
    assert_eq!(set(&trilby.http, "over-tls", "", "here").await?.result, 0);
    // The same state is seen without TLS: it was this daprd.
    assert_eq!(get(&world.trilby.http, "over-tls").await?.body, "here");

    // A certificate that nobody vouches for is no sidecar.
    let other = Front::of(daprd.grpc_port).await?;
    std::fs::write(&roots, &other.certificate)?;
    let trilby = start(roots.display().to_string()).await?;
    let report = get(&trilby.http, "over-tls").await?;
    assert_eq!(report.result, -14, "{report:?}");
    assert_eq!(report.header("reason"), Some("TRILBY_SIDECAR_UNREACHABLE"));
    Ok(())
}
