//! One delivery as an HTTP request, bounded in time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use trilby_dapr::{Inbound, Metadata};

use crate::Error;

/// What a receiver may take beyond its deadlines, to start and to answer.
const GRACE: Duration = Duration::from_secs(5);

/// Where something is delivered.
pub(super) struct Target {
    inbound: Arc<dyn Inbound>,
    path: Uri,
    /// The most that one delivery may take.
    within: Duration,
}

impl Target {
    /// A target for what `component` brings, whose receiver gives up at `deadline`.
    ///
    /// A receiver may wait for one deadline until it has its turn and then run for another. The
    /// bound on a delivery lies above that: it keeps a subscription alive whose receiver hangs.
    pub(super) fn new(
        inbound: Arc<dyn Inbound>,
        component: &str,
        path: &str,
        deadline: Duration,
    ) -> Result<Self, Error> {
        let within = deadline.saturating_mul(2).saturating_add(GRACE);
        match path.parse() {
            Ok(uri) if path.starts_with('/') => Ok(Self { inbound, path: uri, within }),
            _ => Err(Error::Open {
                component: component.to_owned(),
                message: format!(
                    "`{path}` is no path of a URL; it begins with `/`, and other characters than \
                     letters and digits are percent-encoded"
                ),
            }),
        }
    }

    /// A request to the target.
    pub(super) fn request(
        &self,
        content_type: &'static str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Request<Bytes> {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = headers;
        request
    }

    /// Delivers; the error says why there is no answer.
    pub(super) async fn post(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        // A panic is a defect, but one event's: it must not end the subscription.
        let delivery = AssertUnwindSafe(self.inbound.deliver(request)).catch_unwind();
        match tokio::time::timeout(self.within, delivery).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err("the receiver panicked".to_owned()),
            Err(_) => Err(format!("there was no answer within {:?}", self.within)),
        }
    }
}

/// Metadata as headers, in the way of daprd: each name becomes a header, but those that concern
/// the connection or the body. What cannot be a header is left out.
pub(super) fn headers(metadata: &Metadata) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in metadata {
        let name = name.to_ascii_lowercase();
        if is_left_out(&name) {
            continue;
        }
        let name = if name.starts_with("grpc-") { format!("dapr-{name}") } else { name };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

fn is_left_out(name: &str) -> bool {
    let of_the_connection = [
        "connection",
        "destination-app-id",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let set_otherwise = ["content-length", "content-type", "traceparent", "tracestate"];
    name.ends_with("-bin") || of_the_connection.contains(&name) || set_otherwise.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_headers() {
        let metadata = [
            ("rawPayload", "true"),
            ("cloudevent.type", "x"),
            ("grpc-timeout", "1"),
            ("Content-Type", "text/html"),
            ("Content-Length", "5"),
            ("Host", "elsewhere"),
            ("Transfer-Encoding", "chunked"),
            ("x-bin", "1"),
            ("not a name", "1"),
            ("newline", "a\r\nb: c"),
            ("umlaut", "ü"),
        ];
        let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let headers = headers(&metadata);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cloudevent.type", "dapr-grpc-timeout", "rawpayload", "umlaut"]);
    }
}
