//! A registry in the test's own process, which counts what it is asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::{Digest, Reference};

/// What the registry wants to see.
#[derive(Clone, Debug, Default)]
pub(crate) enum Auth {
    #[default]
    None,
    /// This value of `Authorization`.
    Basic(String),
    /// A token of `/token`, which gives it for this value of `Authorization` or, to a POST, for
    /// this refresh token.
    Bearer { authorization: Option<String>, refresh_token: Option<String> },
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) auth: Auth,
    /// By `REPOSITORY/TAG` and `REPOSITORY/DIGEST`.
    pub(crate) manifests: HashMap<String, Bytes>,
    pub(crate) blobs: HashMap<String, Bytes>,
    /// Answers everything with this status.
    pub(crate) status: Option<StatusCode>,
    /// Takes manifests' requests and never answers them.
    pub(crate) stalls: bool,
    /// Blobs' requests are answered when this has a permit.
    pub(crate) blob_gate: Option<Arc<Semaphore>>,
    /// The token that it gives.
    pub(crate) token: String,
    /// `METHOD PATH` of each request.
    pub(crate) requests: Vec<String>,
}

pub(crate) struct FakeRegistry {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    tasks: JoinSet<()>,
}

/// One layer of an artifact.
pub(crate) type Layer<'a> = (&'a str, &'a [u8]);

impl FakeRegistry {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1").await
    }

    pub(crate) async fn start_at(ip: &str) -> Self {
        Self::listen(ip, None).await
    }

    pub(crate) async fn start_tls(ip: &str, tls: tokio_rustls::TlsAcceptor) -> Self {
        Self::listen(ip, Some(tls)).await
    }

    async fn listen(ip: &str, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { token: "the-token".to_owned(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, tls, Arc::clone(&state)));
        Self { address, state, tasks }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The requests since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Puts an artifact under a tag, and gives the digest of its manifest.
    pub(crate) fn push(&self, tag: &str, layers: &[Layer<'_>]) -> Digest {
        let mut state = self.state();
        let descriptors = layers.iter().map(|(media_type, content)| {
            let digest = Digest::of(content);
            state.blobs.insert(digest.to_string(), Bytes::copy_from_slice(content));
            let size = content.len();
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
        });
        let layers = descriptors.collect::<Vec<_>>().join(",");
        drop(state);
        self.push_manifest(tag, &format!(r#"{{"schemaVersion":2,"layers":[{layers}]}}"#))
    }

    pub(crate) fn push_manifest(&self, tag: &str, manifest: &str) -> Digest {
        let mut state = self.state();
        let digest = Digest::of(manifest.as_bytes());
        for name in [tag, &digest.to_string()] {
            state.manifests.insert(format!("acme/hello/{name}"), manifest.to_owned().into());
        }
        digest
    }

    pub(crate) fn reference(&self, tag: &str) -> Reference {
        Reference::parse(&format!("//{}/acme/hello:{tag}", self.address)).unwrap()
    }

    pub(crate) fn pinned(&self, digest: &Digest) -> Reference {
        Reference::parse(&format!("//{}/acme/hello@{digest}", self.address)).unwrap()
    }

    /// Stops, and returns once the port is closed.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    state: Arc<Mutex<State>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, tls) = (Arc::clone(&state), tls.clone());
        connections.spawn(async move {
            match tls {
                None => serve(stream, state).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, state).await;
                    }
                }
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<Mutex<State>>,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(request, &state).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // The client may go at any time.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = head.uri.path();
    let (stalls, gate) = {
        let mut state = state.lock().unwrap();
        state.requests.push(format!("{} {path}", head.method));
        (state.stalls && path.contains("/manifests/"), state.blob_gate.clone())
    };
    if stalls {
        std::future::pending::<()>().await;
    }
    if let Some(gate) = gate.filter(|_| path.contains("/blobs/")) {
        let _permit = gate.acquire().await.unwrap();
    }
    let state = state.lock().unwrap();
    if let Some(status) = state.status {
        return reply(status, Bytes::new());
    }
    let header = |name| head.headers.get(name).map(|value| value.to_str().unwrap());
    let authorization = header(AUTHORIZATION);
    if path == "/token" {
        return token(&state, &head.method, authorization, &body);
    }
    let host = header(http::header::HOST).unwrap();
    let (wanted, challenge) = match &state.auth {
        Auth::None => (None, String::new()),
        Auth::Basic(value) => (Some(value.clone()), "Basic realm=\"x\"".to_owned()),
        Auth::Bearer { .. } => (
            Some(format!("Bearer {}", state.token)),
            format!("Bearer realm=\"http://{host}/token\",service=\"fake\""),
        ),
    };
    if wanted.is_some() && wanted.as_deref() != authorization {
        let mut response = reply(StatusCode::UNAUTHORIZED, Bytes::new());
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        return response;
    }
    content(&state, path)
}

fn token(
    state: &State,
    method: &Method,
    authorization: Option<&str>,
    body: &[u8],
) -> Response<Full<Bytes>> {
    let Auth::Bearer { authorization: wanted, refresh_token } = &state.auth else {
        return reply(StatusCode::NOT_FOUND, Bytes::new());
    };
    let body = String::from_utf8_lossy(body);
    let (field, right) = match (method, refresh_token) {
        (&Method::POST, Some(token)) => {
            let grant = body.contains("grant_type=refresh_token") && body.contains("service=fake");
            ("access_token", grant && body.contains(&format!("refresh_token={token}&")))
        }
        (&Method::GET, None) => ("token", wanted.as_deref() == authorization),
        _ => ("", false),
    };
    if !right {
        return reply(StatusCode::UNAUTHORIZED, Bytes::new());
    }
    let answer = serde_json::json!({ field: state.token });
    reply(StatusCode::OK, answer.to_string().into())
}

fn content(state: &State, path: &str) -> Response<Full<Bytes>> {
    if path == "/v2/" {
        return reply(StatusCode::OK, Bytes::new());
    }
    let content = path.strip_prefix("/v2/").and_then(|path| {
        if let Some((repository, name)) = path.split_once("/manifests/") {
            return state.manifests.get(&format!("{repository}/{name}"));
        }
        state.blobs.get(path.split_once("/blobs/")?.1)
    });
    match content {
        Some(content) => reply(StatusCode::OK, content.clone()),
        None => {
            let error = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}"#;
            reply(StatusCode::NOT_FOUND, Bytes::from_static(error.as_bytes()))
        }
    }
}

fn reply(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
