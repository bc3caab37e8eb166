//! The URL of a request, in the one form in which it is checked, pooled and sent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::PathAndQuery;

use crate::Error;

/// A URL of HTTP. Its host is in lower case, without the dot that may end a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) https: bool,
    /// An IPv6 address is in brackets.
    pub(crate) host: String,
    /// The host, if it is an address.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) port: u16,
    path: PathAndQuery,
}

impl Destination {
    pub(crate) fn read(uri: &Uri) -> Result<Self, Error> {
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(invalid("it must begin with `http://` or `https://`")),
        };
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if authority.contains('@') {
            return Err(invalid("user name and password go into an `Authorization` header"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let number = match port {
            None | Some("") => Some(if https { 443 } else { 80 }),
            Some(port) => port.parse().ok().filter(|number| *number != 0),
        };
        let port = number.ok_or_else(|| invalid("its port must be from 1 to 65535"))?;
        let (host, ip) = read_host(host).ok_or_else(|| invalid("it needs a host"))?;
        let path = uri.path_and_query().filter(|path| path.as_str().starts_with(['/', '?']));
        let path = path.cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { https, host, ip, port, path })
    }

    /// The URL as the client takes it.
    pub(crate) fn uri(&self) -> Result<Uri, Error> {
        let scheme = if self.https { "https" } else { "http" };
        let origin = Origin(self).to_string();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let uri = Uri::builder().scheme(scheme).authority(authority.unwrap_or_default());
        uri.path_and_query(self.path.clone()).build().map_err(|_| invalid("it cannot be read"))
    }

    /// Scheme, host, and the port unless it is the scheme's own.
    pub(crate) fn origin(&self) -> String {
        Origin(self).to_string()
    }

    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }

    /// Where a `Location` leads from here (RFC 3986, section 5.2). Its fragment is dropped.
    pub(crate) fn join(&self, location: &[u8]) -> Result<Self, Error> {
        let location = ascii(location);
        let location = location.split('#').next().unwrap_or_default();
        let text = if has_scheme(location) {
            location.to_owned()
        } else if let Some(rest) = location.strip_prefix("//") {
            format!("{}://{rest}", if self.https { "https" } else { "http" })
        } else {
            let path = if location.is_empty() {
                self.path.as_str().to_owned()
            } else if location.starts_with('/') {
                without_dots(location)
            } else if location.starts_with('?') {
                format!("{}{location}", self.path.path())
            } else {
                let folder = self.path.path().rsplit_once('/').map_or("", |(folder, _)| folder);
                without_dots(&format!("{folder}/{location}"))
            };
            format!("{}{path}", Origin(self))
        };
        let uri = text.parse().map_err(|_| invalid("the answer redirects to what is no URL"))?;
        Self::read(&uri)
    }
}

struct Origin<'a>(&'a Destination);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination { https, host, port, .. } = self.0;
        match (https, port) {
            (true, 443) => write!(f, "https://{host}"),
            (false, 80) => write!(f, "http://{host}"),
            (true, port) => write!(f, "https://{host}:{port}"),
            (false, port) => write!(f, "http://{host}:{port}"),
        }
    }
}

fn invalid(reason: &'static str) -> Error {
    Error::InvalidUrl { reason }
}

fn read_host(text: &str) -> Option<(String, Option<IpAddr>)> {
    if let Some(v6) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let ip: Ipv6Addr = v6.parse().ok()?;
        return Some((format!("[{ip}]"), Some(ip.into())));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_host = (1..=253).contains(&name.len()) && name.bytes().all(inside);
    let ip = name.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    is_host.then_some((name, ip))
}

fn has_scheme(text: &str) -> bool {
    let end = text.find([':', '/', '?']).unwrap_or(text.len());
    text.get(end..).is_some_and(|rest| end > 0 && rest.starts_with(':'))
}

/// Servers put spaces and letters of other scripts into a `Location`: those are encoded.
fn ascii(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes.trim_ascii() {
        if byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A path without its `.` and `..`; a query stays as it is.
fn without_dots(path: &str) -> String {
    let (path, query) =
        path.split_at_checked(path.find('?').unwrap_or(path.len())).unwrap_or_default();
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
        if matches!(segment, "." | "..") && segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests;
