//! The request's head as environment variables (RFC 3875 section 4.1).

use std::borrow::Cow;
use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, Method, Version, header};
use percent_encoding::percent_decode_str;

use crate::authority::{Authority, url_host};
use crate::{header_variables, trace};

/// The name and the value of an environment variable.
pub type Variable = (Cow<'static, str>, String);

const SOFTWARE: &str = concat!("Trilby/", env!("CARGO_PKG_VERSION"));
/// Variables that do not come from `HTTP_*` headers, at most.
const FIXED_MAX: usize = 26;

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
    /// The client's end of the connection.
    pub remote: SocketAddr,
    /// The port that the request came in by.
    pub local_port: u16,
    /// Whether it came over TLS.
    pub https: bool,
    /// What is known of the body.
    pub body: BodyLength,
    /// The start of `path` that identifies the guest.
    pub script_name: &'a str,
    /// The rest of `path`.
    pub path_info: &'a str,
    /// The route as the manifest writes it.
    pub matched_route: &'a str,
    /// What the server's log calls the request.
    pub request_id: &'a str,
    /// The `Host` header or HTTP/2's `:authority`.
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
/// `TRACEPARENT` and `TRACESTATE`. Left out are:
///
/// - `CONTENT_LENGTH` without a body, as section 4.1.2 asks, and also for a body whose length is
///   not known yet; standard input ends with the body either way;
/// - `PATH_TRANSLATED`, since paths have no counterpart in a file system;
/// - `AUTH_TYPE` and `REMOTE_USER`, since the server authenticates nobody.
///
/// # Errors
/// The decoded path has a NUL byte.
pub fn environment(meta: &RequestMeta<'_>) -> Result<Vec<Variable>, EnvError> {
    let mut variables = Vec::with_capacity(FIXED_MAX + meta.headers.keys_len());
    path(meta, &mut variables)?;
    request(meta, &mut variables);
    connection(meta, &mut variables);
    tracing(meta, &mut variables);
    header_variables::append(meta.headers, &mut variables);
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
    let mut uri = String::with_capacity(meta.path.len() + 1 + meta.query.map_or(0, str::len));
    uri.push_str(meta.path);
    if let Some(query) = meta.query {
        uri.push('?');
        uri.push_str(query);
    }
    let (name, url) = server(meta, &uri);
    set(variables, "SERVER_NAME", name);
    set(variables, "X_FULL_URL", url);
    set(variables, "REQUEST_URI", uri);
    Ok(())
}

fn decoded(encoded: &str) -> Result<String, EnvError> {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    if text.contains('\0') {
        return Err(EnvError::NulInPath);
    }
    Ok(text.into_owned())
}

/// The server's name, and the whole URL with the port that the client wrote.
fn server(meta: &RequestMeta<'_>, uri: &str) -> (String, String) {
    let scheme = if meta.https { "https://" } else { "http://" };
    if let Some(authority) = meta.host.and_then(Authority::parse) {
        return (authority.name.to_owned(), [scheme, authority.text, uri].concat());
    }
    let name = url_host(meta.default_server_name);
    let url = match (meta.https, meta.local_port) {
        // The port is the scheme's, or there is none because the request came over no socket.
        (false, 80) | (true, 443) | (_, 0) => [scheme, &name, uri].concat(),
        (_, port) => format!("{scheme}{name}:{port}{uri}"),
    };
    (name, url)
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

fn connection(meta: &RequestMeta<'_>, variables: &mut Vec<Variable>) {
    // A listener for both families sees IPv4 clients in IPv6 form.
    let address = meta.remote.ip().to_canonical().to_string();
    set(variables, "REMOTE_HOST", address.as_str());
    set(variables, "REMOTE_ADDR", address);
    set(variables, "REMOTE_PORT", meta.remote.port().to_string());
    set(variables, "SERVER_PORT", meta.local_port.to_string());
    if meta.https {
        set(variables, "HTTPS", "on");
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
