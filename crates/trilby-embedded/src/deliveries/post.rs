//! One delivery as an HTTP request, bounded in time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use trilby_dapr::{Inbound, Metadata, delivery, subscription};

use crate::Error;

/// What a receiver may take beyond its deadlines, to start and to answer.
const GRACE: Duration = Duration::from_secs(5);

/// Whoever takes deliveries, for a while each.
#[derive(Clone)]
pub(crate) struct Receiver {
    inbound: Arc<dyn Inbound>,
    /// The most that one delivery may take.
    within: Duration,
}

impl Receiver {
    /// A receiver that gives up at `deadline`.
    ///
    /// It may wait for one deadline until it has its turn and then run for another. The bound on a
    /// delivery lies above that: it keeps a subscription alive whose receiver hangs.
    pub(crate) fn new(inbound: Arc<dyn Inbound>, deadline: Duration) -> Self {
        Self { inbound, within: deadline.saturating_mul(2).saturating_add(GRACE) }
    }

    /// Delivers; the error says why there is no answer.
    pub(crate) async fn post(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        // A panic is a defect, but one event's: it must not end the subscription.
        let delivery = AssertUnwindSafe(self.inbound.deliver(request)).catch_unwind();
        match tokio::time::timeout(self.within, delivery).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err("the receiver panicked".to_owned()),
            Err(_) => Err(format!("there was no answer within {:?}", self.within)),
        }
    }
}

/// Where something is delivered.
pub(super) struct Target {
    receiver: Receiver,
    path: Uri,
}

impl Target {
    /// A target for what `component` brings.
    pub(super) fn new(
        inbound: &Arc<dyn Inbound>,
        component: &str,
        target: &subscription::Target,
    ) -> Result<Self, Error> {
        let subscription::Target { path, deadline } = target;
        let receiver = Receiver::new(Arc::clone(inbound), *deadline);
        match path.parse() {
            Ok(uri) if path.starts_with('/') => Ok(Self { receiver, path: uri }),
            _ => Err(Error::Open {
                component: component.to_owned(),
                message: format!(
                    "`{path}` is no path of a URL; it begins with `/`, and other characters than \
                     letters and digits are percent-encoded"
                ),
            }),
        }
    }

    /// Delivers; the error says why there is no answer.
    pub(super) async fn post(
        &self,
        content_type: &'static str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, String> {
        let request = delivery::post(self.path.clone(), headers, content_type, body);
        self.receiver.post(request).await
    }
}

/// Headers that metadata becomes. The most that any map of headers takes is a few times more: there
/// is always room for those that are set beside it.
const HEADERS_MAX: usize = 4096;

/// Metadata as headers, in the way of daprd: each name becomes a header, but those that concern
/// the connection or the body. What cannot be a header is left out, and so is, with a warning, what
/// is too much.
pub(super) fn headers(metadata: &Metadata) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in metadata {
        let name = name.to_ascii_lowercase();
        if is_left_out(&name) {
            continue;
        }
        let name = if name.starts_with("grpc-") { format!("dapr-{name}") } else { name };
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        else {
            continue;
        };
        if headers.len() >= HEADERS_MAX || headers.try_insert(name, value).is_err() {
            let entries = metadata.len();
            tracing::warn!(entries, "only {HEADERS_MAX} entries of metadata become headers");
            break;
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

    #[test]
    fn metadata_of_any_size_leaves_room_for_other_headers() {
        for count in [HEADERS_MAX, HEADERS_MAX + 1, 40_000] {
            let metadata = (0..count).map(|n| (format!("m{n:05}"), String::new())).collect();
            let mut headers = headers(&metadata);
            assert_eq!(headers.len(), HEADERS_MAX, "{count}");
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        }
    }
}
