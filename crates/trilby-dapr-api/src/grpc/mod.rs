//! The gRPC API: from a request of HTTP/2 to an rpc and back.

mod actors;
mod configuration;
mod conversation;
mod crypto;
mod invoke;
mod jobs;
mod lock;
mod messaging;
mod metadata;
mod rpcs;
mod secrets;
mod service;
mod state;
mod topics;

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use trilby_dapr::CallContext;
use trilby_dapr::proto::runtime::v1::dapr_server::DaprServer;

pub(crate) use self::lock::told as lock_told;
pub(crate) use self::state::suspicious;

use self::rpcs::Rpc;
use self::service::Rpcs;
use crate::Protocol;
use crate::api::Shared;
use crate::caller::{self, Peer};

/// What all of the service's paths begin with.
const SERVICE: &str = "/dapr.proto.runtime.v1.Dapr/";

/// Answers a request.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Body> {
    match checked(&shared, &request) {
        Ok(rpc) => call(shared, rpc, request, peer).await,
        Err(status) => status.into_http(),
    }
}

/// The rpc that is asked for, if the caller may have it.
fn checked(shared: &Shared, request: &Request<Incoming>) -> Result<&'static Rpc, Status> {
    let backend = &shared.backend;
    if !caller::is_authentic(backend.token.as_deref(), request.headers()) {
        let detail = match request.headers().contains_key(caller::TOKEN) {
            true => "authentication error: api token mismatch",
            false => "missing api token in request metadata",
        };
        return Err(of_http(Code::Unauthenticated, 401, "Unauthorized", detail));
    }
    let path = request.uri().path();
    const ELSEWHERE: &str =
        "cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata";
    const UNKNOWN: &str =
        "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found";
    let Some(name) = path.strip_prefix(SERVICE) else {
        return Err(proxied(request.headers(), ELSEWHERE));
    };
    let Some(rpc) = rpcs::find(name) else { return Err(proxied(request.headers(), UNKNOWN)) };
    if !backend.access.allow(rpc.group, rpc.version, Protocol::Grpc) {
        let detail = "requested endpoint is not available";
        return Err(of_http(Code::Unimplemented, 501, "Not Implemented", detail));
    }
    if rpc.group == "subtlecrypto" {
        return Err(Status::unimplemented("this API is currently not implemented"));
    }
    Ok(rpc)
}

/// daprd hands an rpc that it does not know to the app that the metadata names; `unnamed` is what it
/// says if they name none.
fn proxied(headers: &HeaderMap, unnamed: &str) -> Status {
    let named =
        ["dapr-callee-app-id", "dapr-app-id"].iter().any(|name| headers.contains_key(*name));
    if named {
        return Status::unimplemented(
            "the embedded runtime does not pass gRPC calls on to other apps; use the HTTP API, or \
             run with a Dapr sidecar",
        );
    }
    Status::unknown(unnamed)
}

/// An error in the form that daprd has for those with a status of HTTP.
fn of_http(code: Code, status: u16, text: &str, detail: &str) -> Status {
    let metadata = [
        ("http.code".to_owned(), status.to_string()),
        ("http.error_message".to_owned(), detail.to_owned()),
    ];
    let details = ErrorDetails::with_error_info(text, "dapr.io", metadata);
    Status::with_error_details(code, text, details)
}

async fn call(
    shared: Arc<Shared>,
    rpc: &'static Rpc,
    mut request: Request<Incoming>,
    peer: Peer,
) -> Response<Body> {
    // Held until a call is answered. A stream gives its own back when it ends.
    let place = if rpc.is_stream {
        let place = Arc::clone(&shared.streams).try_acquire_owned();
        let Ok(place) = place else {
            return Status::resource_exhausted("too many streams are open").into_http();
        };
        request.extensions_mut().insert(Arc::new(place));
        None
    } else {
        Arc::clone(&shared.calls).acquire_owned().await.ok()
    };
    if let Ok(uri) = format!("{SERVICE}{}", rpc.served_by).parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request.headers_mut().remove(caller::TOKEN);
    request.extensions_mut().insert(peer);
    let cx = caller::context(request.headers());
    request.extensions_mut().insert(cx);
    let bytes_max = shared.backend.message_bytes_max;
    let mut server = DaprServer::new(Rpcs(shared)).max_decoding_message_size(bytes_max);
    let answered: Result<_, Infallible> = server.call(request).await;
    drop(place);
    let Ok(mut response) = answered;
    tell_too_large(response.headers_mut(), bytes_max);
    response
}

/// gRPC's own library for Go, and so daprd, says RESOURCE_EXHAUSTED where this one for Rust says
/// OUT_OF_RANGE.
fn tell_too_large(headers: &mut HeaderMap, bytes_max: usize) {
    let (code, text) = (Status::GRPC_STATUS, Status::GRPC_MESSAGE);
    let is_out_of_range = headers.get(&code).is_some_and(|value| value == "11");
    let message = headers.get(&text).and_then(|value| value.to_str().ok());
    let Some(found) = message.and_then(too_large).filter(|_| is_out_of_range) else { return };
    let message =
        format!("grpc:%20received%20message%20larger%20than%20max%20({found}%20vs.%20{bytes_max})");
    headers.insert(code, HeaderValue::from_static("8"));
    if let Ok(message) = message.parse() {
        headers.insert(text, message);
    }
}

/// How large a message is that was refused.
fn too_large(message: &str) -> Option<u64> {
    let text = percent_encoding::percent_decode_str(message).decode_utf8().ok()?;
    let rest = text.strip_prefix("Error, decoded message length too large: found ")?;
    rest.split(' ').next()?.parse().ok()
}

/// A request's context and message.
fn opened<T>(request: tonic::Request<T>) -> (CallContext, T) {
    let (_, mut extensions, message) = request.into_parts();
    // It is always there: `call` puts it there.
    let cx = extensions.remove::<CallContext>();
    (cx.unwrap_or_else(|| caller::context(&HeaderMap::new())), message)
}
