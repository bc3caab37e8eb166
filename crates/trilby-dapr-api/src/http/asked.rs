//! One request of the HTTP API.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Deserializer;
use tokio::time::timeout_at;
use tonic::body::Body;
use trilby_dapr::{CallContext, Code, Error, Metadata};

use crate::api::Shared;
use crate::caller::Peer;
use crate::fault::{self, About};

/// The prefix of names in a query, of headers and of what else is metadata.
const METADATA: &str = "metadata.";

/// A request, with what its path says.
pub(crate) struct Asked {
    pub(crate) head: Parts,
    pub(crate) cx: CallContext,
    pub(crate) peer: Peer,
    /// The parts of the path that the route leaves open, decoded.
    pub(crate) params: Vec<String>,
    pub(crate) body: Incoming,
}

impl Asked {
    /// A part of the path that the route leaves open.
    pub(crate) fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header that is text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The values of a name in the query.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        pairs(self.head.uri.query())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .collect()
    }

    /// The first value of a name in the query.
    pub(crate) fn first(&self, name: &str) -> Option<String> {
        pairs(self.head.uri.query()).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// What the query says with the prefix `metadata.`. Of several values the first counts.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        for (name, value) in pairs(self.head.uri.query()) {
            if let Some(name) = name.strip_prefix(METADATA) {
                metadata.entry(name.to_owned()).or_insert(value);
            }
        }
        metadata
    }

    /// The whole body.
    pub(crate) async fn bytes(self, shared: &Shared) -> Result<Bytes, Error> {
        let body = Limited::new(self.body, shared.backend.message_bytes_max);
        match timeout_at(self.cx.deadline, body.collect()).await {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(fault::too_large()),
            Ok(Err(error)) => {
                let text = format!("failed to read request body: {error}");
                Err(Error::new(Code::InvalidArgument, text).with_reason("ERR_BODY_READ"))
            }
            Err(_) => Err(Error::deadline("reading the request's body")),
        }
    }
}

/// The first JSON value of a body, as Go's decoder reads it.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    match Deserializer::from_slice(body).into_iter::<T>().next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) if error.is_eof() => Err("unexpected EOF".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("EOF".to_owned()),
    }
}

/// The same, as daprd refuses it.
pub(crate) fn body_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    json(body).map_err(|why| malformed(&format!("failed deserializing HTTP body: {why}")))
}

/// A body that does not say what it must.
pub(crate) fn malformed(message: &str) -> Error {
    Error::new(Code::InvalidArgument, message).with_reason("ERR_MALFORMED_REQUEST")
}

/// What a handler gives.
pub(crate) type Answered = Result<Response<Body>, Refusal>;

/// The answer of a handler that did not come to its end.
pub(crate) struct Refusal(Box<Response<Body>>);

impl Refusal {
    pub(crate) fn told(self) -> Response<Body> {
        *self.0
    }
}

impl From<Response<Body>> for Refusal {
    fn from(response: Response<Body>) -> Self {
        Self(Box::new(response))
    }
}

/// A failure as the answer that tells it.
pub(crate) trait OrTell<T> {
    /// The value, or else the answer that tells the error, which is about `about`.
    fn or_tell(self, shared: &Shared, about: &About) -> Result<T, Refusal>;
}

impl<T> OrTell<T> for Result<T, Error> {
    fn or_tell(self, shared: &Shared, about: &About) -> Result<T, Refusal> {
        self.map_err(|error| shared.teller().response(&error, about).into())
    }
}

/// Names and values of a query. What is not encoded rightly is left out.
fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((unescape(name)?, unescape(value)?))
    })
}

/// A part of a URL without its encoding, in which `+` is a space: so daprd reads its paths too.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let bytes = spaced.as_bytes();
    let is_encoded = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut signs = spaced.match_indices('%');
    if !signs.all(|(at, _)| is_encoded(at)) {
        return None;
    }
    Some(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_come_apart() {
        let found: Vec<_> = pairs(Some("a=1&a=2&b&metadata.x=%2B+&&c=%zz")).collect();
        let expected = [("a", "1"), ("a", "2"), ("b", ""), ("metadata.x", "+ ")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(pairs(None).count(), 0);
    }

    #[test]
    fn only_what_is_encoded_rightly_is_decoded() {
        for (text, expected) in [
            ("a%20b+c", Some("a b c")),
            ("%C3%BC", Some("ü")),
            ("a||b", Some("a||b")),
            ("%", None),
            ("%2", None),
            ("%+1", None),
            ("%ff", None),
        ] {
            assert_eq!(unescape(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_first_value_of_a_body_counts() {
        assert_eq!(json::<Vec<u8>>(b"[1] more"), Ok(vec![1]));
        assert_eq!(json::<Vec<u8>>(b""), Err("EOF".to_owned()));
        assert_eq!(json::<Vec<u8>>(b"[1"), Err("unexpected EOF".to_owned()));
        assert!(json::<Vec<u8>>(b"{}").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = unescape(&text);
            let _ = pairs(Some(&text)).count();
        }
    }
}
