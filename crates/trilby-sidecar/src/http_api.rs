//! daprd's HTTP API, for what streams both ways and for what is JSON in the first place.

mod error;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout_at;
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{CallContext, Code, Error, Result};

pub(crate) use error::failure;

use crate::address::Address;
use crate::link::Connector;
use crate::metrics::{Block, Counters, InFlight};
use crate::{ConfigError, SidecarConfig, status};

/// Connections that wait for the next request.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// How long a connection waits for the next request. Well below what daprd allows, so that a request
/// seldom meets a connection that daprd is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// A client of daprd's HTTP API.
pub(crate) struct HttpApi {
    client: Client<HttpsConnector<Connector>, RequestBody>,
    connector: Connector,
    address: Address,
    token: Option<HeaderValue>,
    answer_bytes_max: usize,
    counters: Arc<Counters>,
}

impl HttpApi {
    pub(crate) fn new(
        config: &SidecarConfig,
        counters: Arc<Counters>,
    ) -> std::result::Result<Self, ConfigError> {
        let address = config.http.clone();
        let builder = HttpsConnectorBuilder::new();
        let builder = if matches!(address, Address::Tcp { tls: true, .. }) {
            builder.with_native_roots().map_err(|error| ConfigError::Tls {
                address: address.to_string(),
                problem: error.to_string(),
            })?
        } else {
            // Nothing is trusted where nothing is encrypted.
            builder.with_tls_config(no_tls(&address)?)
        };
        let connector = Connector::new(address.clone(), None);
        let tls = builder.https_or_http().enable_http1().wrap_connector(connector.clone());
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_timer(TokioTimer::new())
            .build(tls);
        let (token, answer_bytes_max) = (config.token.clone(), config.answer_bytes_max);
        Ok(Self { client, connector, address, token, answer_bytes_max, counters })
    }

    pub(crate) fn in_flight(&self, block: Block) -> InFlight {
        InFlight::begin(&self.counters, block)
    }

    /// A request with what every call carries.
    pub(crate) fn request(
        &self,
        cx: &CallContext,
        method: Method,
        path: &str,
        body: RequestBody,
    ) -> Result<Request<RequestBody>> {
        let uri: Uri = format!("{}{path}", self.address.base()).parse().map_err(|_| {
            Error::invalid(format!("`{path}` cannot be the path of a URL; percent-encode it"))
        })?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        self.mark(cx, request.headers_mut());
        Ok(request)
    }

    /// Sets our own token and trace, whatever was there.
    pub(crate) fn mark(&self, cx: &CallContext, headers: &mut HeaderMap) {
        if let Some(token) = &self.token {
            headers.insert("dapr-api-token", token.clone());
        }
        if let Some(traceparent) = cx.traceparent.as_deref().and_then(|text| text.parse().ok()) {
            headers.insert("traceparent", traceparent);
        }
    }

    /// Sends a request, and waits for the head of the answer until the deadline.
    pub(crate) async fn send(
        &self,
        cx: &CallContext,
        what: &str,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>> {
        self.connector.until_next_try(cx.deadline).await;
        match timeout_at(cx.deadline, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(status::unreachable(&self.address, status::innermost(&error))),
            Err(_) => Err(Error::deadline(what)),
        }
    }

    /// Sends a request, and gives the answer's body if its status is a good one.
    pub(crate) async fn json(
        &self,
        cx: &CallContext,
        block: Block,
        what: &str,
        request: Request<RequestBody>,
    ) -> Result<Bytes> {
        let call = self.in_flight(block);
        let result = async {
            let (head, body) = self.send(cx, what, request).await?.into_parts();
            let body = self.body(cx, what, body).await?;
            if head.status.is_success() {
                Ok(body)
            } else {
                Err(failure(head.status, &body).error())
            }
        };
        let result = result.await;
        call.end(&result);
        result
    }

    async fn body(&self, cx: &CallContext, what: &str, body: Incoming) -> Result<Bytes> {
        let whole = Limited::new(body, self.answer_bytes_max).collect();
        match timeout_at(cx.deadline, whole).await {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                let message = format!(
                    "the answer is larger than {} bytes; TRILBY_DAPR_MAX_MESSAGE raises the limit",
                    self.answer_bytes_max
                );
                let error = Error::new(Code::ResourceExhausted, message);
                Err(error.with_reason("TRILBY_MESSAGE_TOO_LARGE"))
            }
            Ok(Err(error)) => Err(status::unreachable(&self.address, status::innermost(&*error))),
            Err(_) => Err(Error::deadline(what)),
        }
    }

    /// A body that came as an answer, as it comes.
    pub(crate) fn streamed(&self, body: Incoming, fault: Fault) -> ByteStream {
        let address = self.address.clone();
        let pieces = body.into_data_stream().map(move |piece| {
            piece.map_err(|error| {
                let broken = || status::unreachable(&address, status::innermost(&error));
                fault.take().unwrap_or_else(broken)
            })
        });
        pieces.filter(|piece| future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty))).boxed()
    }

    pub(crate) async fn is_outbound_ready(&self) -> bool {
        let cx = CallContext::within(Duration::from_secs(2));
        let path = "/v1.0/healthz/outbound";
        let Ok(request) = self.request(&cx, Method::GET, path, empty()) else { return false };
        let answer = self.send(&cx, "asking for the sidecar's health", request).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::NO_CONTENT)
    }
}

fn no_tls(address: &Address) -> std::result::Result<rustls::ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Tls {
            address: address.to_string(),
            problem: error.to_string(),
        })?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

/// Why a body that was to be sent ended too early, for who waits for the answer.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<Error>>>);

impl Fault {
    pub(crate) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

pub(crate) fn empty() -> RequestBody {
    whole(Bytes::new())
}

pub(crate) fn whole(body: Bytes) -> RequestBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// A body of unknown length. One that is there already, as `trilby_dapr::stream::whole` makes it, is
/// sent with its length: daprd can then try again, and not every app knows chunks.
pub(crate) async fn sent(mut body: ByteStream) -> (RequestBody, Fault) {
    let fault = Fault::default();
    if matches!(body.size_hint(), (_, Some(0 | 1))) {
        return match body.next().await {
            None => (empty(), fault),
            Some(Ok(bytes)) => (whole(bytes), fault),
            Some(Err(error)) => {
                let told = stream::once(future::ready(Err(broken(&fault, error))));
                (StreamBody::new(told).boxed_unsync(), fault)
            }
        };
    }
    let told = fault.clone();
    let frames = body.map(move |piece| match piece {
        Ok(bytes) => Ok(Frame::data(bytes)),
        Err(error) => Err(broken(&told, error)),
    });
    (StreamBody::new(frames).boxed_unsync(), fault)
}

fn broken(fault: &Fault, error: Error) -> io::Error {
    let text = error.message.clone();
    fault.set(error);
    io::Error::other(text)
}
