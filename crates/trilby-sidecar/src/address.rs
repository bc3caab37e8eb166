//! Where an API of daprd is.

use std::fmt;
use std::path::PathBuf;

use http::Uri;

/// A place that can be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A host's port, in the clear or with TLS.
    Tcp { tls: bool, host: String, port: u16 },
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// A port of this machine.
    pub(crate) fn local(port: u16) -> Self {
        Self::Tcp { tls: false, host: "127.0.0.1".to_owned(), port }
    }

    /// Reads `host:port`, `http://host:port`, `https://host:port`, `dns:host:port`, `unix:path` or
    /// `unix:///path`, also with `?tls=true`, as Dapr's SDKs do.
    pub(crate) fn parse(value: &str, port_default: u16) -> Option<Self> {
        if let Some(path) = value.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return (!path.is_empty()).then(|| Self::Unix(path.into()));
        }
        let (address, query) = value.split_once('?').unwrap_or((value, ""));
        let secure = address.strip_prefix("https://");
        let tls = secure.is_some() || query.split('&').any(|pair| pair == "tls=true");
        let bare = ["http://", "dns:", "tcp://"].iter().find_map(|form| address.strip_prefix(form));
        let authority = secure.or(bare).unwrap_or(address).trim_end_matches('/');
        let uri: Uri = format!("http://{authority}").parse().ok()?;
        let plain = uri.path() == "/" && uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        let host = uri.host().filter(|host| !host.is_empty() && plain)?;
        // `Uri` lets a port pass that is no number, and then says that there is none.
        let port = match authority.strip_prefix(host)?.strip_prefix(':') {
            None if secure.is_some() => HTTPS_PORT,
            None => port_default,
            Some(port) => port.parse().ok().filter(|&port| port > 0)?,
        };
        Some(Self::Tcp { tls, host: host.to_owned(), port })
    }

    /// Where daprd's HTTP API is when only its gRPC API is named: the default port of the same host,
    /// or the other socket of the same folder.
    pub(crate) fn http_sibling(&self) -> Self {
        match self {
            Self::Tcp { tls, host, .. } => {
                let port = if *tls { HTTPS_PORT } else { HTTP_PORT_DEFAULT };
                Self::Tcp { tls: *tls, host: host.clone(), port }
            }
            Self::Unix(path) => {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                match name.strip_suffix("-grpc.socket") {
                    Some(app) => Self::Unix(path.with_file_name(format!("{app}-http.socket"))),
                    None => Self::local(HTTP_PORT_DEFAULT),
                }
            }
        }
    }

    /// What stands before the path in the URL of a request to it.
    pub(crate) fn base(&self) -> String {
        match self {
            Self::Tcp { tls, host, port } => {
                let scheme = if *tls { "https" } else { "http" };
                format!("{scheme}://{host}:{port}")
            }
            // A request over a Unix socket has a name of a host all the same.
            Self::Unix(_) => "http://localhost".to_owned(),
        }
    }
}

/// The port of daprd's HTTP API unless it is told another.
const HTTP_PORT_DEFAULT: u16 = 3500;

const HTTPS_PORT: u16 = 443;

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { tls, host, port } => {
                let scheme = if *tls { "https://" } else { "" };
                write!(f, "{scheme}{host}:{port}")
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_sdks_read_them() {
        let table = [
            ("localhost:4001", "localhost:4001", "http://localhost:4001"),
            ("http://localhost:4001/", "localhost:4001", "http://localhost:4001"),
            ("http://daprd", "daprd:50001", "http://daprd:50001"),
            ("dns:daprd:4001", "daprd:4001", "http://daprd:4001"),
            ("dns:daprd:4001?tls=false", "daprd:4001", "http://daprd:4001"),
            ("dns:daprd:4001?tls=true", "https://daprd:4001", "https://daprd:4001"),
            ("https://daprd", "https://daprd:443", "https://daprd:443"),
            ("[::1]:4001", "[::1]:4001", "http://[::1]:4001"),
            ("unix:/run/dapr.socket", "unix:/run/dapr.socket", "http://localhost"),
            ("unix:///run/dapr.socket", "unix:/run/dapr.socket", "http://localhost"),
            ("unix:run/dapr.socket", "unix:run/dapr.socket", "http://localhost"),
        ];
        for (value, shown, base) in table {
            let address = Address::parse(value, 50001).expect(value);
            assert_eq!((address.to_string().as_str(), address.base().as_str()), (shown, base));
        }
        for value in ["unix:", "http://", "a b", "host:port", "host:0", "host:", "u@h:1", "h:1/x"] {
            assert_eq!(Address::parse(value, 1), None, "{value}");
        }
    }

    #[test]
    fn the_http_api_is_beside_the_other() {
        let table = [
            ("daprd:50001", "daprd:3500"),
            ("https://daprd:8443", "https://daprd:443"),
            ("unix:/s/dapr-a-grpc.socket", "unix:/s/dapr-a-http.socket"),
            ("unix:/s/other", "127.0.0.1:3500"),
        ];
        for (grpc, http) in table {
            let sibling = Address::parse(grpc, 1).expect(grpc).http_sibling();
            assert_eq!(sibling.to_string(), http);
        }
    }
}
