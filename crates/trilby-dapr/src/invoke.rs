//! Service invocation: requests to other apps, and to this one.

use async_trait::async_trait;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::stream::ByteStream;
use crate::{CallContext, Result};

/// Calls of other apps.
#[async_trait]
pub trait Invocation: Send + Sync {
    /// Sends a request to an app. Whatever the app answers is a reply; an error means that there
    /// was no answer (Dapr's `ERR_DIRECT_INVOKE`).
    ///
    /// The deadline of `cx` is for the reply's head. The bodies are bounded by whoever holds them.
    async fn invoke_service(
        &self,
        cx: &CallContext,
        request: InvokeService,
        body: ByteStream,
    ) -> Result<ServiceReply>;
}

/// The header by which a Trilby knows an invocation that one of its own guests made through daprd:
/// daprd names the caller only where that is another app. Such a request is never a delivery,
/// whatever its path is.
pub const INVOCATION_HEADER: &str = "trilby-invocation";

/// Drops what is about one connection only (RFC 9110, section 7.6.1): what `Connection` names, and
/// what is so without being named.
pub fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let listed = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let listed: Vec<HeaderName> = listed
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let own = headers.keys().filter(|name| is_hop_by_hop(name)).cloned();
    for name in own.chain(listed).collect::<Vec<_>>() {
        headers.remove(name);
    }
}

/// Whether a header is about one connection only, whatever `Connection` names.
#[must_use]
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    const NAMES: [&str; 7] = [
        "connection",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name.as_str()) || name.as_str().starts_with("proxy-")
}

/// A request to an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeService {
    /// The app's id.
    pub app: String,
    /// The path, percent-encoded, without a leading `/`: Dapr's "method".
    pub path: String,
    /// The verb.
    pub method: Method,
    /// The query string, without `?`.
    pub query: Option<String>,
    /// Headers of the request; never those of a connection.
    pub headers: HeaderMap,
}

/// What an app answered.
pub struct ServiceReply {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of the connection.
    pub headers: HeaderMap,
    /// The body, as it comes.
    pub body: ByteStream,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_a_connection_is_dropped() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-One,, not a name"),
            ("x-one", "1"),
            ("http2-settings", "x"),
            ("keep-alive", "5"),
            ("proxy-authenticate", "x"),
            ("proxy-authorization", "x"),
            ("proxy-connection", "x"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
            ("content-length", "3"),
            ("x-two", "2"),
        ] {
            headers.append(name, value.parse().expect("a value"));
        }
        headers.append("connection", "x-three".parse().expect("a value"));
        headers.append("x-three", "3".parse().expect("a value"));
        drop_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "content-length", "x-two"]);
    }
}
