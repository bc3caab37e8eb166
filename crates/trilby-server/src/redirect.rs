//! Local redirects: a guest has another path answer instead (RFC 3875 section 6.2.2).

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, header};

use crate::body::{RequestBody, request_body};

/// Local redirects that one request may lead through.
pub(crate) const LOCAL_REDIRECTS_MAX: usize = 10;

/// A request that a guest asks for, in place of the client's.
pub(crate) struct Redirect {
    pub(crate) request: Request<RequestBody>,
    /// The path that the client asked for.
    pub(crate) from: Arc<str>,
}

impl Redirect {
    /// The request for `to`, a path with or without a query: GET without a body, whatever the
    /// method was, as a client's own request after a redirect would be. `None` if `to` is no such
    /// path.
    pub(crate) fn new(head: Parts, from: Option<&Arc<str>>, to: &str) -> Option<Self> {
        let from = from.cloned().unwrap_or_else(|| Arc::from(head.uri.path()));
        let mut request = Request::new(request_body(Bytes::new()));
        *request.uri_mut() = to.parse().ok()?;
        if head.method == Method::HEAD {
            *request.method_mut() = Method::HEAD;
        }
        *request.version_mut() = head.version;
        let mut headers = head.headers;
        for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING] {
            headers.remove(name);
        }
        *request.headers_mut() = headers;
        Some(Self { request, from })
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body;

    use super::*;

    #[test]
    fn the_new_request_has_no_body_and_the_same_client() {
        for (method, expected) in [("POST", "GET"), ("HEAD", "HEAD"), ("GET", "GET")] {
            let request = Request::builder()
                .method(method)
                .uri("http://h.test/a?b")
                .header("content-type", "text/plain")
                .header("host", "h.test")
                .header("cookie", "c=1");
            let (head, ()) = request.body(()).expect("valid").into_parts();
            let redirect = Redirect::new(head, None, "/x?y=1").expect("a path");
            assert_eq!(&*redirect.from, "/a");
            let request = redirect.request;
            assert_eq!(request.method().as_str(), expected);
            assert_eq!(request.uri(), "/x?y=1");
            assert!(request.body().is_end_stream());
            assert_eq!(request.headers().get("host").map(|h| h.as_bytes()), Some(&b"h.test"[..]));
            assert!(request.headers().contains_key("cookie"));
            assert!(!request.headers().contains_key("content-type"));
        }
    }
}
