//! The request of an operation, and what a guest is told of the answer.

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use trilby_dapr::Metadata;
use trilby_dapr::messaging::InvokeBinding;

use super::options::Options;
use crate::component;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What belongs to the connection: a guest that could set these could write requests of its own.
const NOT_OF_THE_GUEST: [HeaderName; 4] = [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// The request for an operation, as daprd makes it.
pub(super) fn request(
    options: &Options,
    binding: &str,
    invoke: InvokeBinding,
    traceparent: Option<&str>,
) -> Result<Request<Full<Bytes>>, String> {
    let method = method(binding, &invoke.operation)?;
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
    let mut headers = HeaderMap::new();
    if has_body {
        headers.insert(CONTENT_TYPE, JSON);
    }
    headers.insert(ACCEPT, JSON);
    // A server's answer to TRACE is the request, with the secret in it.
    if let Some((name, value)) = &options.token
        && method != Method::TRACE
    {
        headers.insert(name.clone(), value.clone());
    }
    // Names with a capital first letter are headers.
    for (name, value) in &invoke.metadata {
        if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            continue;
        }
        let wrong = || format!("the metadata `{}` cannot be a header", name.escape_debug());
        let header: HeaderName = name.parse().map_err(|_| wrong())?;
        if !NOT_OF_THE_GUEST.contains(&header) {
            headers.insert(header, value.parse().map_err(|_| wrong())?);
        }
    }
    let traceparent = traceparent.or_else(|| {
        invoke.metadata.get("traceparent").map(String::as_str).filter(|text| !text.is_empty())
    });
    if let Some(traceparent) = traceparent.and_then(|text| text.parse().ok()) {
        headers.insert(TRACEPARENT, traceparent);
    }
    let body = if has_body { invoke.data } else { Bytes::new() };
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    let uri = uri(options, invoke.metadata.get("path").map_or("", String::as_str));
    *request.uri_mut() =
        uri.parse().map_err(|_| "`path` cannot be the path of a URL; percent-encode it")?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// A flag in the metadata of a request, if it is there.
pub(super) fn flag(metadata: &Metadata, name: &str) -> Option<bool> {
    metadata.get(name).filter(|text| !text.is_empty()).map(|text| component::is_true(text))
}

/// As in daprd: `statusCode`, `status`, and every header, with several values of one in one text.
pub(super) fn metadata(head: &Response<()>) -> Metadata {
    let status = head.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut metadata = Metadata::from([
        ("statusCode".to_owned(), status.as_u16().to_string()),
        ("status".to_owned(), format!("{} {reason}", status.as_u16())),
    ]);
    for name in head.headers().keys().filter(|name| **name != TRANSFER_ENCODING) {
        let values = head.headers().get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| match std::str::from_utf8(value.as_bytes()) {
                Ok(text) => text.to_owned(),
                Err(_) => value.as_bytes().escape_ascii().to_string(),
            })
            .collect();
        metadata.insert(canonical(name.as_str()), values.join(", "));
    }
    metadata
}

fn uri(options: &Options, path: &str) -> String {
    if path.is_empty() {
        return options.url.clone();
    }
    let (base, path) = (options.url.trim_end_matches('/'), path.trim_start_matches('/'));
    format!("{base}/{path}")
}

fn method(binding: &str, operation: &str) -> Result<Method, String> {
    Ok(match operation {
        "create" | "post" => Method::POST,
        "get" => Method::GET,
        "head" => Method::HEAD,
        "put" => Method::PUT,
        "patch" => Method::PATCH,
        "delete" => Method::DELETE,
        "options" => Method::OPTIONS,
        "trace" => Method::TRACE,
        _ => {
            return Err(format!(
                "binding {binding} does not support operation {operation}. supported \
                 operations:create get head post put patch delete options trace"
            ));
        }
    })
}

/// A header's name as Go writes it: `content-type` is `Content-Type`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}
