//! The request's head as environment variables (RFC 3875 section 4.1).

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Method, Version, header};
use percent_encoding::percent_decode_str;

use crate::authority::{Authority, url_host};
use crate::{Client, header_variables, pattern, trace};

/// The name and the value of an environment variable.
pub type Variable = (Cow<'static, str>, String);

const SOFTWARE: &str = concat!("Trilby/", env!("CARGO_PKG_VERSION"));
/// Variables that do not come from `HTTP_*` headers, at most.
const FIXED_MAX: usize = 24;

/// What is known of a request before its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestMeta<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as the client sent it, without the query.
    pub path: &'a str,
    /// What follows the first `?`.
    pub query: Option<&'a str>,
    /// The version of HTTP.
    pub version: Version,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// Who sent it.
    pub client: &'a Client<'a>,
    /// The port that the request came in by.
    pub local_port: u16,
    /// What is known of the body.
    pub body: BodyLength,
    /// The start of `path` that identifies the guest.
    pub script_name: &'a str,
    /// The rest of `path`.
    pub path_info: &'a str,
    /// The parameters of the path by the names in the route's pattern, not decoded.
    pub params: &'a [(&'a str, &'a str)],
    /// The path that the client asked for, not decoded, when a local redirect has led from there
    /// to `path`.
    pub redirected_from: Option<&'a str>,
    /// Whether the guest gets the `Authorization` header.
    pub authorization: bool,
    /// The route as the manifest writes it.
    pub matched_route: &'a str,
    /// What the server's log calls the request.
    pub request_id: &'a str,
    /// The `Host` header or HTTP/2's `:authority`; the client's own host comes before it.
    pub host: Option<&'a str>,
    /// The server's name if the client gave none, or none that is a host.
    pub default_server_name: &'a str,
}

/// What is known of a request's body before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// So many bytes.
    Known(u64),
    /// There is one, but its length shows only at its end.
    Unknown,
}

/// Why a request cannot be told to a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// The path has `%00`; a variable would end there.
    #[error("the path has a NUL byte, which an environment variable cannot hold")]
    NulInPath,
}

/// The environment of a guest that answers this request. No name occurs twice.
///
/// Besides RFC 3875's variables there are WAGI's `X_MATCHED_ROUTE`, `X_RAW_PATH_INFO` and
/// `X_FULL_URL`, the customary `REQUEST_URI`, `REMOTE_PORT` and `HTTPS`, and `REQUEST_ID`,
/// `TRACEPARENT` and `TRACESTATE`. Each parameter of the path has a `PATH_PARAM_*`, with its name
/// in upper case and `_` for `-`. A request that was redirected locally has `REDIRECT_URL`, as with
/// Apache: the path that the client asked for. Left out are:
///
/// - `HTTP_AUTHORIZATION`, unless it is wanted;
/// - `REMOTE_PORT`, when a proxy does not tell it;
/// - `CONTENT_LENGTH` without a body, as section 4.1.2 asks, and also for a body whose length is
///   not known yet; standard input ends with the body either way;
/// - `PATH_TRANSLATED`, since paths have no counterpart in a file system;
/// - `AUTH_TYPE` and `REMOTE_USER`, since the server authenticates nobody.
///
/// # Errors
/// The decoded path has a NUL byte, or one of its parameters has.
pub fn environment(meta: &RequestMeta<'_>) -> Result<Vec<Variable>, EnvError> {
    let count = FIXED_MAX + meta.params.len() + meta.headers.keys_len();
    let mut variables = Vec::with_capacity(count);
    path(meta, &mut variables)?;
    server(meta, &mut variables);
    request(meta, &mut variables);
    client(meta, &mut variables);
    tracing(meta, &mut variables);
    header_variables::append(meta.headers, meta.authorization, &mut variables);
    if let Some(host) = meta.host
        && !meta.headers.contains_key(header::HOST)
    {
        set(&mut variables, "HTTP_HOST", host);
    }
    Ok(variables)
}

fn set(variables: &mut Vec<Variable>, name: &'static str, value: impl Into<String>) {
    variables.push((Cow::Borrowed(name), value.into()));
}

fn path(meta: &RequestMeta<'_>, variables: &mut Vec<Variable>) -> Result<(), EnvError> {
    set(variables, "SCRIPT_NAME", decoded(meta.script_name)?);
    set(variables, "PATH_INFO", decoded(meta.path_info)?);
    set(variables, "X_RAW_PATH_INFO", meta.path_info);
    set(variables, "X_MATCHED_ROUTE", meta.matched_route);
    set(variables, "QUERY_STRING", meta.query.unwrap_or_default());
    for (name, value) in meta.params {
        let name = format!("PATH_PARAM_{}", pattern::variable_name(name));
        variables.push((Cow::Owned(name), decoded(value)?));
    }
    if let Some(first) = meta.redirected_from {
        set(variables, "REDIRECT_URL", decoded(first)?);
    }
    Ok(())
}

fn decoded(encoded: &str) -> Result<String, EnvError> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    if text.contains('\0') {
        return Err(EnvError::NulInPath);
    }
    Ok(text.into_owned())
}

/// Where the client asked: its own words, if they make a host.
fn server(meta: &RequestMeta<'_>, variables: &mut Vec<Variable>) {
    let mut uri = String::with_capacity(meta.path.len() + 1 + meta.query.map_or(0, str::len));
    uri.push_str(meta.path);
    if let Some(query) = meta.query {
        uri.push('?');
        uri.push_str(query);
    }
    let https = meta.client.https;
    let (scheme, scheme_port) = if https { ("https://", 443) } else { ("http://", 80) };
    let host = meta.client.host.as_deref().or(meta.host).and_then(Authority::parse);
    // Without a host the URL must lead here; 0 says that the request came over no socket.
    let (name, text, port) = match host {
        Some(host) if host.port().is_some() => (host.name.to_owned(), host.text, None),
        Some(host) => (host.name.to_owned(), host.text, meta.client.server_port),
        None => {
            let port = meta.client.server_port.unwrap_or(meta.local_port);
            (url_host(meta.default_server_name), "", Some(port).filter(|port| *port > 0))
        }
    };
    let url = match port.filter(|port| *port != scheme_port) {
        Some(port) => format!("{scheme}{name}:{port}{uri}"),
        None => [scheme, if text.is_empty() { &name } else { text }, &uri].concat(),
    };
    set(variables, "SERVER_NAME", name);
    set(variables, "X_FULL_URL", url);
    set(variables, "REQUEST_URI", uri);
    // RFC 3875 section 4.1.15: the port of the connection, whatever `Host` says; but a trusted
    // proxy knows the one that the client's connection has.
    let port = meta.client.server_port.unwrap_or(meta.local_port);
    set(variables, "SERVER_PORT", port.to_string());
    if https {
        set(variables, "HTTPS", "on");
    }
}

fn request(meta: &RequestMeta<'_>, variables: &mut Vec<Variable>) {
    let protocol = match meta.version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    };
    set(variables, "GATEWAY_INTERFACE", "CGI/1.1");
    set(variables, "SERVER_SOFTWARE", SOFTWARE);
    set(variables, "SERVER_PROTOCOL", protocol);
    set(variables, "REQUEST_METHOD", meta.method.as_str());
    set(variables, "REQUEST_ID", meta.request_id);
    if let BodyLength::Known(bytes @ 1..) = meta.body {
        set(variables, "CONTENT_LENGTH", bytes.to_string());
    }
    if let Some(value) = meta.headers.get(header::CONTENT_TYPE) {
        set(variables, "CONTENT_TYPE", header_variables::text(value));
    }
}

fn client(meta: &RequestMeta<'_>, variables: &mut Vec<Variable>) {
    let address = meta.client.addr.to_string();
    set(variables, "REMOTE_HOST", address.as_str());
    set(variables, "REMOTE_ADDR", address);
    if let Some(port) = meta.client.port {
        set(variables, "REMOTE_PORT", port.to_string());
    }
}

/// A `tracestate` means nothing without its `traceparent`.
fn tracing(meta: &RequestMeta<'_>, variables: &mut Vec<Variable>) {
    let Some(parent) = trace::traceparent(meta.headers) else { return };
    set(variables, "TRACEPARENT", parent);
    let state = HeaderName::from_static("tracestate");
    if meta.headers.contains_key(&state) {
        set(variables, "TRACESTATE", header_variables::joined(meta.headers, &state, ","));
    }
}

#[cfg(test)]
mod tests;
