//! A registry of OCI artifacts in the test's own process, which remembers what it was asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What WAGI calls a module.
pub(crate) const MODULE_TYPE: &str = "application/vnd.wasm.content.layer.v1+wasm";

/// The registry. It is gone, with its connections, when it is dropped.
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    content: Arc<Mutex<Content>>,
    accepting: JoinSet<()>,
}

#[derive(Default)]
pub(crate) struct Content {
    /// By path: manifests under each tag and their digest, blobs under theirs.
    pub(crate) by_path: HashMap<String, Bytes>,
    /// The value of `Authorization` that is wanted.
    pub(crate) authorization: Option<&'static str>,
    /// The paths that were asked for.
    pub(crate) asked: Vec<String>,
}

impl Registry {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let content = Arc::new(Mutex::new(Content::default()));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&content)));
        Ok(Self { address, content, accepting })
    }

    pub(crate) fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a module there as `hello:TAG`; gives the digest of its manifest, without `sha256:`.
    pub(crate) fn push(&self, tag: &str, media_type: &str, module: &str) -> String {
        let (layer, size) = (sha256(module.as_bytes()), module.len());
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "layers": [
                { "mediaType": media_type, "digest": format!("sha256:{layer}"), "size": size }
            ],
        });
        let manifest = Bytes::from(manifest.to_string());
        let digest = sha256(&manifest);
        let mut content = self.content();
        for name in [tag, &format!("sha256:{digest}")] {
            content.by_path.insert(format!("/v2/hello/manifests/{name}"), manifest.clone());
        }
        let blob = Bytes::from(module.to_owned());
        content.by_path.insert(format!("/v2/hello/blobs/sha256:{layer}"), blob);
        digest
    }

    /// What was asked for since the last call.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.content().asked)
    }

    /// Ends it; its port is closed then.
    pub(crate) async fn stop(mut self) {
        self.accepting.shutdown().await;
    }
}

/// SHA-256 in small hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn accept(listener: TcpListener, content: Arc<Mutex<Content>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let content = Arc::clone(&content);
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let response = respond(&request, &content);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // The client may go at any time.
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn respond(request: &Request<Incoming>, content: &Mutex<Content>) -> Response<Full<Bytes>> {
    let mut content = content.lock().unwrap_or_else(PoisonError::into_inner);
    let path = request.uri().path();
    content.asked.push(path.to_owned());
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let mut response = Response::new(Full::default());
    if content.authorization.is_some() && content.authorization != given {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = http::HeaderValue::from_static("Basic realm=\"registry\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    } else if let Some(found) = content.by_path.get(path) {
        *response.body_mut() = Full::new(found.clone());
    } else if path != "/v2/" {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
