//! `dapr_invoke_v1`: requests to other apps.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use trilby_dapr::Error;
use trilby_dapr::invoke::{InvokeService, ServiceReply};
use trilby_dapr::stream::whole;
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Call, Imports, Opened};
use crate::options::{HEADER, Options, bad_value};
use crate::stream::{Head, Headers, Stream};
use crate::{Host, path, shown};

const OPTIONS: &[&str] = &["verb", "query", "content-type", HEADER];

/// Headers that belong to the connection (RFC 9110, section 7.6.1, and what HTTP/1.1 adds), to the
/// body's transport, or to the host.
const REFUSED: [&str; 15] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "host",
    "content-length",
    "expect",
    "traceparent",
    "tracestate",
];

/// What begins so is between Dapr and its peers: the app's id, tokens, the gRPC transport.
const REFUSED_PREFIXES: [&str; 2] = ["dapr-", "grpc-"];

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_invoke_v1");
    imports.add("call", OPTIONS, call)?;
    imports.add("open", OPTIONS, open)
}

async fn call(ask: Ask, call: BodyCall<2>) -> Result<Answer, Error> {
    let request = request(&ask, call.names, call.options)?;
    let reply = ask.blocks.invoke_service(&ask.cx, request, whole(call.body)).await?;
    let Head { headers, body } = head(reply);
    Ok(Answer::streamed(headers, Stream::begun(body)))
}

async fn open(ask: Ask, call: Call<2>) -> Result<Opened, Error> {
    let request = request(&ask, call.names, call.options)?;
    let app = request.app.clone();
    Ok(ask.open(&app, async move |ask: Ask, body| {
        ask.blocks.invoke_service(&ask.cx, request, body).await.map(head)
    }))
}

fn head(reply: ServiceReply) -> Head {
    let mut headers = Headers::with_capacity(reply.headers.len() + 1);
    headers.push(("status".to_owned(), reply.status.as_u16().to_string()));
    headers.extend(reply.headers.iter().map(|(name, value)| {
        (format!("header.{name}"), String::from_utf8_lossy(value.as_bytes()).into_owned())
    }));
    Head { headers, body: reply.body }
}

fn request(ask: &Ask, names: [String; 2], mut options: Options) -> Result<InvokeService, Error> {
    let [app, method] = names;
    let verb = verb(options.take("verb"))?;
    let query = query(options.take("query"))?;
    let headers = headers(options)?;
    let path = path::check(&method)?;
    ask.access.invoke(&app, path)?;
    Ok(InvokeService { app, path: path.to_owned(), method: verb, query, headers })
}

fn verb(given: Option<String>) -> Result<Method, Error> {
    let Some(given) = given else { return Ok(Method::POST) };
    let refusal = || bad_value("verb", &given, "an HTTP method, in capitals, other than `CONNECT`");
    // Methods are case-sensitive, and nobody means one in small letters.
    if given.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(refusal());
    }
    Method::from_bytes(given.as_bytes())
        .ok()
        .filter(|method| *method != Method::CONNECT)
        .ok_or_else(refusal)
}

fn query(given: Option<String>) -> Result<Option<String>, Error> {
    let Some(query) = given.filter(|query| !query.is_empty()) else { return Ok(None) };
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"#<>\"\\^`{|}".contains(&byte);
    if query.bytes().all(is_allowed) {
        return Ok(Some(query));
    }
    let takes = "a query string, percent-encoded and without `#`";
    Err(bad_value("query", &query, takes))
}

fn headers(mut options: Options) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in std::mem::take(&mut options.headers) {
        add(&mut headers, &name, &value)?;
    }
    if let Some(content_type) = options.take("content-type") {
        if headers.contains_key(header::CONTENT_TYPE) {
            let message = "the options `content-type` and `header.content-type` are the same";
            return Err(Error::invalid(message));
        }
        add(&mut headers, "content-type", &content_type)?;
    }
    Ok(headers)
}

fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Error> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    let parsed = parsed
        .ok_or_else(|| Error::invalid(format!("`{}` is not a header's name", shown(name))))?;
    let is_refused = REFUSED.contains(&parsed.as_str())
        || REFUSED_PREFIXES.iter().any(|prefix| parsed.as_str().starts_with(prefix));
    if is_refused {
        return Err(Error::invalid(format!("the header `{parsed}` is for the host to set")));
    }
    // Bytes beyond ASCII are allowed by HTTP, if not loved (RFC 9110, section 5.5).
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        Error::invalid(format!("the value of the header `{parsed}` has control characters"))
    })?;
    headers.append(parsed, value);
    Ok(())
}

#[cfg(test)]
mod tests;
