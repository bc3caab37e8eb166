//! What of a message's metadata is a header.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;
use trilby_dapr::invoke::{drop_hop_by_hop, is_hop_by_hop};

/// Headers that daprd passes to a gRPC app with `dapr-` before their names, because gRPC knows
/// them: those of them that a guest may want.
const PREFIXED: [&str; 17] = [
    "accept",
    "accept-charset",
    "accept-language",
    "accept-ranges",
    "cache-control",
    "cookie",
    "date",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "origin",
    "pragma",
    "referer",
    "via",
    "warning",
];

/// The headers of a message: its metadata, but for what belongs to gRPC, to the connection, or to
/// the body that it is not any more.
pub(crate) fn of_metadata(metadata: MetadataMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let given = metadata.into_headers();
    for (name, value) in given.iter().filter(|(name, _)| is_plain(name)) {
        headers.append(name, value.clone());
    }
    headers
}

/// The same for service invocation, where daprd hides the caller's headers from gRPC.
pub(crate) fn of_invocation(metadata: MetadataMap) -> HeaderMap {
    let mut headers = of_metadata(metadata);
    for name in PREFIXED {
        if let Some(value) = headers.remove(format!("dapr-{name}")) {
            headers.entry(HeaderName::from_static(name)).or_insert(value);
        }
    }
    headers
}

/// Adds what a binding's metadata says, in the way of daprd over HTTP. What cannot be a header is
/// left out.
pub(crate) fn add(headers: &mut HeaderMap, metadata: HashMap<String, String>) {
    for (name, value) in metadata {
        let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value))
            && is_plain(&name)
        {
            headers.insert(name, value);
        }
    }
}

/// The metadata of an answer: its headers, with the same exceptions.
pub(crate) fn metadata(mut headers: HeaderMap) -> MetadataMap {
    drop_hop_by_hop(&mut headers);
    let mut plain = HeaderMap::new();
    let values = headers.iter().filter(|(name, value)| is_plain(name) && is_ascii(value));
    for (name, value) in values {
        plain.append(name, value.clone());
    }
    MetadataMap::from_headers(plain)
}

fn is_plain(name: &HeaderName) -> bool {
    let own = ["content-type", "content-length", "host", "user-agent", "dapr-api-token", "date"];
    let text = name.as_str();
    // gRPC's own names, and values in base64, which no header has.
    let is_grpcs = text.starts_with("grpc-") || text.ends_with("-bin");
    let is_of_connection = is_hop_by_hop(name);
    !(is_grpcs || is_of_connection || own.contains(&text))
}

/// gRPC allows no others in a value.
fn is_ascii(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            (HeaderName::from_static(name), value)
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn what_is_about_the_connection_goes() {
        let mut headers = map(&[
            ("connection", "close, x-secret ,"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("http2-settings", "x"),
            ("x-secret", "1"),
            ("x-kept", "1"),
        ]);
        drop_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("x-kept", "1")]));
    }

    #[test]
    fn metadata_becomes_headers() {
        let given = [
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("user-agent", "grpc-go"),
            ("grpc-timeout", "1S"),
            ("grpc-trace-bin", "AA"),
            ("dapr-api-token", "secret"),
            ("dapr-accept", "text/html"),
            ("traceparent", "00-x"),
            ("x-own", "1"),
        ];
        let metadata = || MetadataMap::from_headers(map(&given));
        let kept = [("dapr-accept", "text/html"), ("traceparent", "00-x"), ("x-own", "1")];
        assert_eq!(of_metadata(metadata()), map(&kept));
        let kept = [("accept", "text/html"), ("traceparent", "00-x"), ("x-own", "1")];
        assert_eq!(of_invocation(metadata()), map(&kept));
    }

    #[test]
    fn a_bindings_metadata_becomes_headers() {
        let given = [
            ("Key", "v"),
            ("a b", "no name"),
            ("x", "no\nvalue"),
            ("Content-Length", "9"),
            ("dapr-api-token", "forged"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut headers = HeaderMap::new();
        add(&mut headers, HashMap::from(given));
        assert_eq!(headers, map(&[("key", "v")]));
    }

    #[test]
    fn an_answers_headers_become_metadata() {
        let headers = map(&[
            ("content-type", "text/plain"),
            ("content-length", "1"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("x-bin", "not base64"),
            ("grpc-status", "0"),
            ("x-name", "ü"),
            ("x-kept", "1"),
        ]);
        assert_eq!(metadata(headers).into_headers(), map(&[("x-kept", "1")]));
    }
}
