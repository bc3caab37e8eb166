//! Where the sidecar is, as the environment says.

use std::collections::BTreeMap;
use std::fmt;

use http::Uri;
use tonic::metadata::{Ascii, MetadataValue};

/// Where daprd's gRPC API is, and the token it wants.
///
/// As in Dapr's SDKs, `DAPR_GRPC_ENDPOINT` wins over `DAPR_GRPC_PORT`, and `DAPR_API_TOKEN` is
/// optional. An endpoint is `host:port`, `http://host:port`, `dns:host:port`, `unix:path` or
/// `unix:///path`; the port is 50001 unless it is given.
#[derive(Clone)]
pub struct SidecarConfig {
    pub(crate) uri: String,
    pub(crate) token: Option<MetadataValue<Ascii>>,
}

/// Why the environment does not lead to a sidecar.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint is none that can be connected to.
    #[error(
        "{variable} is `{value}`, which is no endpoint; write host:port, http://host:port or \
         unix:/path/to.socket"
    )]
    Endpoint {
        /// The environment variable.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// The endpoint asks for TLS.
    #[error(
        "DAPR_GRPC_ENDPOINT is `{value}`: TLS to the sidecar is not offered; name a daprd on this \
         machine with http://host:port or unix:/path/to.socket"
    )]
    Tls {
        /// What the variable holds.
        value: String,
    },
    /// The port is none.
    #[error("DAPR_GRPC_PORT is `{value}`, which is not a port number")]
    Port {
        /// What the variable holds.
        value: String,
    },
    /// The token cannot stand in a header. Its value is not shown.
    #[error("DAPR_API_TOKEN has characters that a header cannot hold")]
    Token,
}

impl SidecarConfig {
    /// Reads the environment: `None` if it names no sidecar.
    ///
    /// # Errors
    ///
    /// When a variable is there but cannot be used.
    pub fn from_env(env: &BTreeMap<String, String>) -> Result<Option<Self>, ConfigError> {
        let variable = |name| env.get(name).map(|v| v.trim()).filter(|value| !value.is_empty());
        let uri = match (variable("DAPR_GRPC_ENDPOINT"), variable("DAPR_GRPC_PORT")) {
            (Some(endpoint), _) => endpoint_uri(endpoint)?,
            (None, Some(port)) => match port.parse::<u16>() {
                Ok(number) if number > 0 => format!("http://127.0.0.1:{number}"),
                _ => return Err(ConfigError::Port { value: port.to_owned() }),
            },
            (None, None) => return Ok(None),
        };
        let token = variable("DAPR_API_TOKEN")
            .map(|token| {
                let mut value: MetadataValue<Ascii> =
                    token.parse().map_err(|_| ConfigError::Token)?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        Ok(Some(Self { uri, token }))
    }
}

/// Hides the token.
impl fmt::Debug for SidecarConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SidecarConfig").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// The port of daprd's gRPC API unless it is told another.
const PORT_DEFAULT: u16 = 50001;

fn endpoint_uri(value: &str) -> Result<String, ConfigError> {
    let wrong = || ConfigError::Endpoint { variable: "DAPR_GRPC_ENDPOINT", value: value.into() };
    if let Some(path) = value.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return if path.is_empty() { Err(wrong()) } else { Ok(format!("unix:{path}")) };
    }
    let (address, query) = value.split_once('?').unwrap_or((value, ""));
    if address.starts_with("https:") || query.split('&').any(|pair| pair == "tls=true") {
        return Err(ConfigError::Tls { value: value.to_owned() });
    }
    let bare = ["http://", "dns:", "tcp://"].iter().find_map(|form| address.strip_prefix(form));
    let authority = bare.unwrap_or(address).trim_end_matches('/');
    let uri: Uri = format!("http://{authority}").parse().map_err(|_| wrong())?;
    let plain = uri.path() == "/" && uri.authority().is_some_and(|a| !a.as_str().contains('@'));
    let host = uri.host().filter(|host| !host.is_empty() && plain).ok_or_else(wrong)?;
    // `Uri` lets a port pass that is no number, and then says that there is none.
    let port = match authority.strip_prefix(host).map(|rest| rest.strip_prefix(':')) {
        Some(None) => PORT_DEFAULT,
        Some(Some(port)) => port.parse().ok().filter(|&port| port > 0).ok_or_else(wrong)?,
        None => return Err(wrong()),
    };
    Ok(format!("http://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<SidecarConfig>, ConfigError> {
        let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        SidecarConfig::from_env(&env.collect())
    }

    #[test]
    fn endpoints_are_read_as_the_sdks_read_them() {
        let cases = [
            ("localhost:4001", "http://localhost:4001"),
            ("http://localhost:4001/", "http://localhost:4001"),
            ("http://daprd", "http://daprd:50001"),
            ("dns:daprd:4001", "http://daprd:4001"),
            ("dns:daprd:4001?tls=false", "http://daprd:4001"),
            ("[::1]:4001", "http://[::1]:4001"),
            ("unix:/run/dapr.socket", "unix:/run/dapr.socket"),
            ("unix:///run/dapr.socket", "unix:/run/dapr.socket"),
            ("unix:run/dapr.socket", "unix:run/dapr.socket"),
        ];
        for (value, uri) in cases {
            let config = read(&[("DAPR_GRPC_ENDPOINT", value), ("DAPR_GRPC_PORT", "1")]);
            assert_eq!(config.expect(value).expect("named").uri, uri, "{value}");
        }
    }

    #[test]
    fn a_port_means_this_machine() {
        let config = read(&[("DAPR_GRPC_PORT", "50007")]).expect("valid").expect("named");
        assert_eq!(config.uri, "http://127.0.0.1:50007");
        assert!(read(&[]).expect("valid").is_none());
        assert!(read(&[("DAPR_GRPC_ENDPOINT", ""), ("DAPR_GRPC_PORT", "")]).unwrap().is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for value in ["unix:", "http://", "a b", "host:port", "host:0", "host:", "u@h:1", "h:1/x"] {
            let error = read(&[("DAPR_GRPC_ENDPOINT", value)]).expect_err(value);
            assert!(matches!(error, ConfigError::Endpoint { .. }), "{value}: {error}");
        }
        for value in ["https://dapr.example", "dns:dapr.example:443?tls=true"] {
            let error = read(&[("DAPR_GRPC_ENDPOINT", value)]).expect_err(value);
            assert!(matches!(error, ConfigError::Tls { .. }), "{value}");
        }
        for value in ["0", "x", "70000"] {
            let error = read(&[("DAPR_GRPC_PORT", value)]).expect_err(value);
            assert_eq!(error, ConfigError::Port { value: value.to_owned() });
        }
    }

    #[test]
    fn the_token_is_never_shown() {
        let env = [("DAPR_GRPC_PORT", "1"), ("DAPR_API_TOKEN", "hunter2")];
        let config = read(&env).expect("valid").expect("named");
        assert!(config.token.is_some());
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = read(&[("DAPR_GRPC_PORT", "1"), ("DAPR_API_TOKEN", "hunter\n2")]);
        assert_eq!(error.err(), Some(ConfigError::Token));
    }
}
