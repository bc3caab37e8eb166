//! Answers of the HTTP API.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use tonic::body::Body;
use trilby_dapr::Metadata;

/// Bytes of a media type.
pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(body)));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// JSON.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    bytes(status, "application/json", body.into())
}

/// Text, with a newline after it, as Go writes it.
pub(crate) fn text(status: StatusCode, text: &str) -> Response<Body> {
    bytes(status, "text/plain; charset=utf-8", format!("{text}\n").into())
}

/// Nothing: done.
pub(crate) fn empty() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Adds metadata as headers, as far as they can be such.
pub(crate) fn add_metadata(response: &mut Response<Body>, metadata: &Metadata) {
    for (name, value) in metadata {
        let name = HeaderName::try_from(format!("metadata.{name}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}
