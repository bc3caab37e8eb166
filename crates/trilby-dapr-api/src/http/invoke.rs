//! Service invocation over HTTP, with bodies as they come.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyDataStream, StreamBody};
use hyper::body::Incoming;
use tonic::body::Body;
use trilby_dapr::invoke::{InvokeService, ServiceReply, drop_hop_by_hop};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{Code, Error};

use super::asked::{self, Answered, Asked, OrTell as _};
use crate::api::Shared;
use crate::fault::{self, About, Block};

/// The header that names the app.
const APP_ID: &str = "dapr-app-id";

/// What paths of service invocation begin with.
const PREFIX: &str = "/v1.0/invoke/";

pub(super) async fn call(shared: Arc<Shared>, asked: Asked) -> Answered {
    let Some((app, path)) = target(asked.head.uri.path(), asked.headers()) else {
        let text = "failed getting app id either from the URL path or the header dapr-app-id";
        return Ok(fault::basic(StatusCode::NOT_FOUND, "ERR_DIRECT_INVOKE", text));
    };
    let about = About::new(Block::Invoke, &app);
    let mut headers = asked.head.headers;
    headers.remove(APP_ID);
    let request = InvokeService {
        app,
        path,
        method: asked.head.method,
        query: asked.head.uri.query().map(str::to_owned),
        headers,
    };
    let reply =
        shared.backend.blocks.invoke_service(&asked.cx, request, incoming(asked.body)).await;
    let ServiceReply { status, mut headers, body } = reply.or_tell(&shared, &about)?;
    drop_hop_by_hop(&mut headers);
    let mut response = Response::new(outgoing(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The app and the path that a request is for. daprd looks at the header first, then at the user name
/// of basic authentication, and then at the path.
fn target(path: &str, headers: &HeaderMap) -> Option<(String, String)> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let whole = || path.trim_start_matches('/').to_owned();
    if let Some(app) = text(APP_ID).filter(|app| !app.is_empty()) {
        return Some((app.to_owned(), whole()));
    }
    if let Some(app) = text(header::AUTHORIZATION.as_str()).and_then(user) {
        return Some((app, whole()));
    }
    let rest = path.strip_prefix(PREFIX)?;
    let (app, path) = rest.split_once("/method/").or_else(|| {
        let app = rest.strip_suffix("/method")?;
        Some((app, ""))
    })?;
    let app = asked::unescape(app).filter(|app| !app.is_empty())?;
    Some((app, path.trim_start_matches('/').to_owned()))
}

/// The app of `Basic base64(dapr-app-id:APP)`.
fn user(authorization: &str) -> Option<String> {
    let pair = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (name, app) = pair.split_once(':')?;
    let is_meant = name.eq_ignore_ascii_case(APP_ID) && !app.is_empty() && !app.contains(':');
    is_meant.then(|| app.to_owned())
}

/// A request's body in pieces.
pub(super) fn incoming(body: Incoming) -> ByteStream {
    BodyDataStream::new(body)
        .map_err(|error| {
            Error::new(Code::Cancelled, format!("the request's body broke off: {error}"))
        })
        .try_filter(|piece| std::future::ready(!piece.is_empty()))
        .boxed()
}

/// Pieces as an answer's body.
pub(super) fn outgoing(pieces: ByteStream) -> Body {
    Body::new(StreamBody::new(pieces.map_ok(Frame::<Bytes>::data)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_app_is_found_where_daprd_finds_it() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (path, header, expected) in [
            ("/v1.0/invoke/a1/method/x/y", None, Some(("a1", "x/y"))),
            ("/v1.0/invoke/a1/method/", None, Some(("a1", ""))),
            ("/v1.0/invoke/a1/method", None, Some(("a1", ""))),
            ("/v1.0/invoke/a%201/method/x%2Fy", None, Some(("a 1", "x%2Fy"))),
            ("/v1.0/invoke/http://h:1/method/x", None, Some(("http://h:1", "x"))),
            ("/v1.0/invoke//method/x", None, None),
            ("/v1.0/invoke/a1", None, None),
            ("/x/y", None, None),
            ("/x/y", Some((APP_ID, "a1".to_owned())), Some(("a1", "x/y"))),
            (
                "/v1.0/invoke/a1/method/x",
                Some((APP_ID, "a2".to_owned())),
                Some(("a2", "v1.0/invoke/a1/method/x")),
            ),
            ("/x", Some(("authorization", basic("dapr-app-id:a3"))), Some(("a3", "x"))),
            ("/x", Some(("authorization", basic("someone:secret"))), None),
            ("/x", Some(("authorization", "Bearer t".to_owned())), None),
        ] {
            let headers = header.map(|(name, value)| {
                (name.parse().unwrap(), HeaderValue::try_from(value).unwrap())
            });
            let found = target(path, &headers.into_iter().collect());
            let expected = expected.map(|(app, path)| (app.to_owned(), path.to_owned()));
            assert_eq!(found, expected, "{path}");
        }
    }
}
