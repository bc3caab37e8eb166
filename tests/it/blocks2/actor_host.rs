//! An app that hosts actors, to be the app of a daprd: Dapr's side of actors over HTTP.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use trilby_testkit::until;

/// The app. It hosts the type `Probe`, and ends with this.
pub(super) struct ActorHost {
    pub(super) port: u16,
    calls: Calls,
    task: JoinHandle<()>,
}

/// What daprd has asked of an actor: the path below `/actors/`, and the body.
type Calls = Arc<Mutex<Vec<(String, String)>>>;

impl ActorHost {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let calls = Calls::default();
        let kept = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                connections.spawn(async move {
                    let answer = service_fn(move |request| answer(request, Arc::clone(&kept)));
                    let server = auto::Builder::new(TokioExecutor::new());
                    // daprd goes away when it likes.
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Ok(Self { port, calls, task })
    }

    /// Waits for a call of this path, and gives its body.
    pub(super) async fn called(&self, path: &str) -> Result<String> {
        let find = || {
            let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.iter().find(|(called, _)| called == path).map(|(_, body)| body.clone())
        };
        let called = until(path, || std::future::ready(find())).await;
        called.with_context(|| format!("{:?}", self.calls))
    }

    /// How often a path was called.
    pub(super) fn times(&self, path: &str) -> usize {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|(called, _)| called == path).count()
    }
}

impl Drop for ActorHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    calls: Calls,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let path = head.uri.path().to_owned();
    let (status, text) = match path.strip_prefix("/actors/") {
        Some(call) => {
            calls
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((call.to_owned(), body.clone()));
            match call.rsplit('/').next() {
                Some("fail") => (500, "the actor fails".to_owned()),
                _ if head.method == Method::DELETE => (200, String::new()),
                _ => (200, format!("{call} got {body}")),
            }
        }
        None if path == "/dapr/config" => (200, r#"{"entities":["Probe"]}"#.to_owned()),
        None if path == "/healthz" => (200, String::new()),
        None => (404, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}
