//! What of a request's and an answer's headers passes.

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, HeaderValue, USER_AGENT};
use trilby_dapr::invoke::drop_hop_by_hop;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("Trilby/", env!("CARGO_PKG_VERSION")));

/// The headers that go out with a guest's request.
///
/// Dropped, as the HTTP libraries of guests set some of these by themselves:
/// - what is about a connection that the guest does not have (RFC 9110, section 7.6.1), and
///   `Expect`: the body is sent at once;
/// - `Host`: the URL's is sent, or a guest could reach other hosts of a shared server;
/// - `Content-Length`: the body's is sent, or what follows could pass for another request.
pub(crate) fn outgoing(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    drop_hop_by_hop(&mut headers);
    for name in [&HOST, &CONTENT_LENGTH, &http::header::EXPECT] {
        headers.remove(name);
    }
    headers.entry(USER_AGENT).or_insert(AGENT);
    headers
}

/// Drops what only the origin that it was written for may see.
pub(crate) fn drop_credentials(headers: &mut HeaderMap) {
    headers.remove(AUTHORIZATION);
    headers.remove(COOKIE);
}

/// Drops what is about a body that is not sent again.
pub(crate) fn drop_content(headers: &mut HeaderMap) {
    for name in ["content-encoding", "content-language", "content-location", "content-type"] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn names(headers: &HeaderMap) -> String {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names.join(" ")
    }

    fn headers(text: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = text
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn a_guest_rules_neither_connection_nor_framing() {
        let guest = headers(&[
            ("accept", "*/*"),
            ("authorization", "x"),
            ("connection", "close, X-Mine"),
            ("content-length", "5"),
            ("content-type", "text/plain"),
            ("expect", "100-continue"),
            ("host", "other.example"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "x"),
            ("proxy-connection", "x"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-mine", "1"),
            ("x-other", "1"),
        ]);
        let mut sent = outgoing(&guest);
        assert_eq!(names(&sent), "accept authorization content-type user-agent x-other");
        assert_eq!(sent[USER_AGENT], AGENT);
        drop_credentials(&mut sent);
        drop_content(&mut sent);
        assert_eq!(names(&sent), "accept user-agent x-other");
    }

    #[test]
    fn a_guest_may_name_itself() {
        assert_eq!(outgoing(&headers(&[("user-agent", "me/1")]))[USER_AGENT], "me/1");
    }
}
