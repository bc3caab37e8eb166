//! The HTTP API.

mod actors;
mod asked;
mod bindings;
mod configuration;
mod conversation;
mod crypto;
mod health;
mod invoke;
mod jobs;
mod lock;
mod metadata;
mod path;
mod publish;
pub(crate) mod reply;
mod routes;
mod secrets;
mod state;

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tonic::body::Body;

use self::asked::{Asked, Refusal};
use self::routes::Found;
use crate::Protocol;
use crate::api::Shared;
use crate::caller::{self, Peer};

/// Answers a request.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Body> {
    let token = shared.backend.token.as_deref();
    if !is_health(&request) && !caller::is_authentic(token, request.headers()) {
        return reply::text(StatusCode::UNAUTHORIZED, "invalid api token");
    }
    let (mut head, body) = request.into_parts();
    head.headers.remove(caller::TOKEN);
    let cx = caller::context(&head.headers);
    let place = Arc::clone(&shared.calls).acquire_owned().await;
    let path = path::clean(head.uri.path());
    let found = routes::find(&head.method, &path);
    let is_allowed = |group: &str, version: &str| {
        group == "healthz" || shared.backend.access.allow(group, version, Protocol::Http)
    };
    let answer = match found {
        Found::Route(route, params) if is_allowed(route.group, route.version) => {
            let asked = Asked { head, cx, peer, params, body };
            (route.handler)(Arc::clone(&shared), asked).await
        }
        Found::BadParam(text) => reply::text(StatusCode::BAD_REQUEST, &text),
        // Whatever else comes may be for an app that a header names.
        _ => {
            let asked = Asked { head, cx, peer, params: Vec::new(), body };
            invoke::call(shared, asked).await.unwrap_or_else(Refusal::told)
        }
    };
    drop(place);
    answer
}

/// Whether this only asks for health, which needs no token.
fn is_health(request: &Request<Incoming>) -> bool {
    let path = request.uri().path().trim_matches('/');
    request.method() == Method::GET && matches!(path, "v1.0/healthz" | "v1.0/healthz/outbound")
}
