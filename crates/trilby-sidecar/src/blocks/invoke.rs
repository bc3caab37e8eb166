//! Service invocation over daprd's HTTP API, which takes every verb and streams both ways.

use async_trait::async_trait;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout_at;
use trilby_dapr::invoke::{
    INVOCATION_HEADER, Invocation, InvokeService, ServiceReply, drop_hop_by_hop,
};
use trilby_dapr::stream::{ByteStream, whole};
use trilby_dapr::{CallContext, Error, Result};

use crate::Sidecar;
use crate::http_api::{self, Fault, failure};
use crate::metrics::Block;

#[async_trait]
impl Invocation for Sidecar {
    async fn invoke_service(
        &self,
        cx: &CallContext,
        request: InvokeService,
        body: ByteStream,
    ) -> Result<ServiceReply> {
        check_headers(&request.headers)?;
        let app = segment("the app id", &request.app)?;
        let query = request.query.map_or_else(String::new, |query| format!("?{query}"));
        let path = format!("/v1.0/invoke/{app}/method/{}{query}", request.path);
        let (body, fault) = http_api::sent(body).await;
        let mut sent = self.http.request(cx, request.method, &path, body)?;
        *sent.headers_mut() = request.headers;
        drop_hop_by_hop(sent.headers_mut());
        sent.headers_mut().remove(header::HOST);
        sent.headers_mut().remove(header::CONTENT_LENGTH);
        if sent.body().size_hint().exact().is_none() {
            // Without it, a GET would be sent without its body.
            let chunked = HeaderValue::from_static("chunked");
            sent.headers_mut().insert(header::TRANSFER_ENCODING, chunked);
        }
        self.http.mark(cx, sent.headers_mut());
        sent.headers_mut().insert(INVOCATION_HEADER, HeaderValue::from_static("1"));
        let call = self.http.in_flight(Block::Invocation);
        let result = async {
            let answer = self.http.send(cx, "invoking an app", sent).await;
            let answer = answer.map_err(|error| fault.take().unwrap_or(error))?;
            self.reply(cx, answer, fault).await
        };
        let result = result.await;
        call.end(&result);
        result
    }
}

impl Sidecar {
    /// Tells the app's answer from daprd's own failure to get one.
    ///
    /// daprd marks neither, but its own has no header except those of [`OWN_HEADERS`], and a body
    /// whose `errorCode` is `ERR_DIRECT_INVOKE`.
    async fn reply(
        &self,
        cx: &CallContext,
        answer: Response<Incoming>,
        fault: Fault,
    ) -> Result<ServiceReply> {
        let (head, body) = answer.into_parts();
        let (status, mut headers) = (head.status, head.headers);
        let size = body.size_hint().exact();
        let is_short = size.is_some_and(|size| size > 0 && size <= OWN_BODY_BYTES_MAX);
        let may_be_own = (status.is_client_error() || status.is_server_error())
            && headers.keys().all(|name| OWN_HEADERS.contains(&name.as_str()));
        drop_hop_by_hop(&mut headers);
        if !(may_be_own && is_short) {
            return Ok(ServiceReply { status, headers, body: self.http.streamed(body, fault) });
        }
        let read = timeout_at(cx.deadline, read_short(body)).await;
        let body = match read.map_err(|_| Error::deadline("invoking an app"))? {
            Ok(body) => body,
            // The head is there, so it is an answer; who reads the body is told.
            Err(error) => {
                let body = Box::pin(stream::iter([Err(fault.take().unwrap_or(error))]));
                return Ok(ServiceReply { status, headers, body });
            }
        };
        let failure = failure(status, &body);
        let text = std::str::from_utf8(&body).unwrap_or_default();
        let is_token = status.as_u16() == 401 && text.trim() == "invalid api token";
        if failure.error_code == "ERR_DIRECT_INVOKE" || is_token {
            return Err(failure.error());
        }
        Ok(ServiceReply { status, headers, body: whole(body) })
    }
}

/// The headers of an answer of daprd itself.
const OWN_HEADERS: [&str; 7] = [
    "content-length",
    "content-type",
    "date",
    "traceparent",
    "tracestate",
    "x-content-type-options",
    "connection",
];

/// Bytes of such an answer.
const OWN_BODY_BYTES_MAX: u64 = 64 << 10;

async fn read_short(body: Incoming) -> Result<Bytes> {
    let body = Limited::new(body, 64 << 10).collect().await;
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(trilby_dapr::Code::Unavailable, format!("the answer broke off: {error}"))
    };
    body.map(http_body_util::Collected::to_bytes).map_err(broken)
}

/// A name as one segment of a path.
///
/// # Errors
///
/// When daprd would take it for something else: it splits the path after it was decoded.
pub(super) fn segment(what: &str, name: &str) -> Result<String> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(Error::invalid(format!("{what} is `{name}`, which is no name")));
    }
    Ok(utf8_percent_encode(name, NON_ALPHANUMERIC).to_string())
}

/// daprd looks for the app's id in headers before it looks at the path: these would lead to an app
/// that nobody granted.
fn check_headers(headers: &HeaderMap) -> Result<()> {
    if let Some(name) = headers.keys().find(|name| name.as_str().starts_with("dapr-")) {
        return Err(Error::invalid(format!("the header `{name}` belongs to Dapr")));
    }
    if headers.get_all(header::AUTHORIZATION).iter().any(|value| names_app(value.as_bytes())) {
        return Err(Error::invalid(
            "the header `authorization` has `dapr-app-id` for a user, which is how Dapr is told \
             another app",
        ));
    }
    Ok(())
}

/// Go's decoder takes what others refuse, so this one does, too.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether credentials are Dapr's other way to name an app.
fn names_app(credentials: &[u8]) -> bool {
    let Some((scheme, encoded)) = credentials.split_at_checked(6) else { return false };
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return false;
    }
    let encoded: Vec<u8> =
        encoded.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let Ok(decoded) = LENIENT.decode(encoded) else { return false };
    let user = decoded.split(|&byte| byte == b':').next().unwrap_or_default();
    user.eq_ignore_ascii_case(b"dapr-app-id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_names_another_app() {
        let with = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("accept", "a".parse().unwrap());
            headers.append(name, "other".parse().unwrap());
            headers.append(name, value.parse().unwrap());
            check_headers(&headers)
        };
        let refused = [
            ("dapr-app-id", "x"),
            ("dapr-api-token", "x"),
            ("authorization", "Basic ZGFwci1hcHAtaWQ6b3RoZXI="),
            ("authorization", "Basic REFQUi1BUFAtSUQ6b3RoZXI"),
            ("authorization", "Basic  ZGFwci1hcHAtaWQ6b3RoZXI="),
        ];
        for (name, value) in refused {
            let error = with(name, value).expect_err(value);
            assert_eq!(error.reason, "TRILBY_INVALID_ARGUMENT");
        }
        for value in ["Basic dXNlcjpwYXNz", "Bearer ZGFwci1hcHAtaWQ6b3RoZXI=", "Basic ?", "x"] {
            assert_eq!(with("authorization", value), Ok(()), "{value}");
        }
    }

    #[test]
    fn a_name_is_one_segment() {
        for (name, expected) in [("app", "app"), ("a-b c", "a%2Db%20c"), ("a?#%", "a%3F%23%25")] {
            assert_eq!(segment("it", name).expect(name), expected);
        }
        for name in ["", ".", "..", "a/method/b", "http://x"] {
            assert!(segment("it", name).is_err(), "{name}");
        }
    }
}
