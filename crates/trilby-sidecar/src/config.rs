//! Where the sidecar is, as the environment says.

use std::collections::BTreeMap;
use std::fmt;

use http::HeaderValue;

use crate::address::Address;

/// Where daprd's APIs are, the token they want, and how large a message may be.
///
/// As in Dapr's SDKs, `DAPR_GRPC_ENDPOINT` wins over `DAPR_GRPC_PORT`, `DAPR_HTTP_ENDPOINT` over
/// `DAPR_HTTP_PORT`, and `DAPR_API_TOKEN` is optional. An endpoint is `host:port`,
/// `http://host:port`, `https://host:port`, `dns:host:port`, `unix:path` or `unix:///path`; the gRPC
/// port is 50001 unless it is given. Without a word on the HTTP API it is on port 3500 of the same
/// host.
///
/// `TRILBY_DAPR_MAX_MESSAGE` (such as `16Mi`) raises what may be sent, for a daprd that was started
/// with a larger `--max-body-size` than its default of 4 MiB.
#[derive(Clone)]
pub struct SidecarConfig {
    pub(crate) grpc: Address,
    pub(crate) http: Address,
    pub(crate) token: Option<HeaderValue>,
    /// Bytes of one request over gRPC.
    pub(crate) sent_bytes_max: usize,
    /// Bytes of one answer, over gRPC or in memory over HTTP.
    pub(crate) answer_bytes_max: usize,
}

/// Why the environment does not lead to a sidecar.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint is none that can be connected to.
    #[error(
        "{variable} is `{value}`, which is no endpoint; write host:port, http://host:port, \
         https://host:port or unix:/path/to.socket"
    )]
    Endpoint {
        /// The environment variable.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// TLS cannot be set up.
    #[error("TLS to the Dapr sidecar at {address} cannot be set up: {problem}")]
    Tls {
        /// Where the sidecar is.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// The port is none.
    #[error("{variable} is `{value}`, which is not a port number")]
    Port {
        /// The environment variable.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// The token cannot stand in a header. Its value is not shown.
    #[error("DAPR_API_TOKEN has characters that a header cannot hold")]
    Token,
    /// The size is none.
    #[error(
        "TRILBY_DAPR_MAX_MESSAGE is `{value}`, which is no size from 64Ki to 1Gi; write it like \
         daprd's --max-body-size, such as 16Mi"
    )]
    Size {
        /// What the variable holds.
        value: String,
    },
}

impl SidecarConfig {
    /// Reads the environment: `None` if it names no gRPC API of a sidecar.
    ///
    /// # Errors
    ///
    /// When a variable is there but cannot be used.
    pub fn from_env(env: &BTreeMap<String, String>) -> Result<Option<Self>, ConfigError> {
        let grpc = address(env, "DAPR_GRPC_ENDPOINT", "DAPR_GRPC_PORT", GRPC_PORT_DEFAULT)?;
        let Some(grpc) = grpc else { return Ok(None) };
        let http = address(env, "DAPR_HTTP_ENDPOINT", "DAPR_HTTP_PORT", URL_PORT_DEFAULT)?;
        let http = http.unwrap_or_else(|| grpc.http_sibling());
        let token = variable(env, "DAPR_API_TOKEN").map(token).transpose()?;
        let sent_bytes_max = match variable(env, "TRILBY_DAPR_MAX_MESSAGE") {
            None => SENT_BYTES_DEFAULT,
            Some(text) => {
                let size = size(text).filter(|size| SIZES.contains(size));
                size.ok_or_else(|| ConfigError::Size { value: text.to_owned() })?
            }
        };
        let answer_bytes_max = sent_bytes_max.max(ANSWER_BYTES_DEFAULT);
        Ok(Some(Self { grpc, http, token, sent_bytes_max, answer_bytes_max }))
    }
}

/// Hides the token.
impl fmt::Debug for SidecarConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SidecarConfig")
            .field("grpc", &self.grpc)
            .field("http", &self.http)
            .field("sent_bytes_max", &self.sent_bytes_max)
            .field("answer_bytes_max", &self.answer_bytes_max)
            .finish_non_exhaustive()
    }
}

/// daprd's own default, and something for what stands around the data.
const SENT_BYTES_DEFAULT: usize = (4 << 20) + (64 << 10);

/// An answer is bounded by daprd's `--max-body-size` in the first place.
const ANSWER_BYTES_DEFAULT: usize = 64 << 20;

const SIZES: std::ops::RangeInclusive<usize> = (64 << 10)..=(1 << 30);

/// The port of daprd's gRPC API unless it is told another.
const GRPC_PORT_DEFAULT: u16 = 50001;

/// The HTTP endpoint is a URL, whose port is this one unless it is given.
const URL_PORT_DEFAULT: u16 = 80;

fn variable<'a>(env: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn address(
    env: &BTreeMap<String, String>,
    endpoint: &'static str,
    port: &'static str,
    port_default: u16,
) -> Result<Option<Address>, ConfigError> {
    if let Some(value) = variable(env, endpoint) {
        let wrong = || ConfigError::Endpoint { variable: endpoint, value: value.to_owned() };
        return Address::parse(value, port_default).map(Some).ok_or_else(wrong);
    }
    let Some(value) = variable(env, port) else { return Ok(None) };
    match value.parse::<u16>() {
        Ok(number) if number > 0 => Ok(Some(Address::local(number))),
        _ => Err(ConfigError::Port { variable: port, value: value.to_owned() }),
    }
}

fn token(text: &str) -> Result<HeaderValue, ConfigError> {
    let mut value: HeaderValue = text.parse().map_err(|_| ConfigError::Token)?;
    if value.to_str().is_err() {
        return Err(ConfigError::Token);
    }
    value.set_sensitive(true);
    Ok(value)
}

/// Bytes, as Kubernetes writes them: `4194304`, `64Ki`, `16Mi`, `1Gi`.
fn size(text: &str) -> Option<usize> {
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit.trim_end_matches('B') {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<SidecarConfig>, ConfigError> {
        let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        SidecarConfig::from_env(&env.collect())
    }

    #[test]
    fn a_port_means_this_machine_and_an_endpoint_wins() {
        let config = read(&[("DAPR_GRPC_PORT", "50007")]).expect("valid").expect("named");
        assert_eq!(config.grpc.to_string(), "127.0.0.1:50007");
        assert_eq!(config.http.to_string(), "127.0.0.1:3500");
        let both = [
            ("DAPR_GRPC_ENDPOINT", "daprd:1"),
            ("DAPR_GRPC_PORT", "2"),
            ("DAPR_HTTP_ENDPOINT", "http://daprd:3"),
            ("DAPR_HTTP_PORT", "4"),
        ];
        let config = read(&both).expect("valid").expect("named");
        assert_eq!(
            (config.grpc.to_string(), config.http.to_string()),
            ("daprd:1".into(), "daprd:3".into())
        );
        let env = [("DAPR_GRPC_PORT", "1"), ("DAPR_HTTP_ENDPOINT", "http://daprd")];
        assert_eq!(read(&env).expect("valid").expect("named").http.to_string(), "daprd:80");
        assert!(read(&[]).expect("valid").is_none());
        assert!(read(&[("DAPR_HTTP_PORT", "3500")]).expect("valid").is_none());
        assert!(read(&[("DAPR_GRPC_ENDPOINT", ""), ("DAPR_GRPC_PORT", "")]).unwrap().is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let error = read(&[("DAPR_GRPC_ENDPOINT", "a b")]).expect_err("no endpoint");
        assert!(error.to_string().starts_with("DAPR_GRPC_ENDPOINT is `a b`"), "{error}");
        for value in ["0", "x", "70000"] {
            let error =
                read(&[("DAPR_GRPC_PORT", "1"), ("DAPR_HTTP_PORT", value)]).expect_err(value);
            let expected =
                ConfigError::Port { variable: "DAPR_HTTP_PORT", value: value.to_owned() };
            assert_eq!(error, expected);
        }
        for value in ["x", "1", "4M", "2Gi", "-1", "99999999999999999999Gi"] {
            let error = read(&[("DAPR_GRPC_PORT", "1"), ("TRILBY_DAPR_MAX_MESSAGE", value)]);
            assert_eq!(error.err(), Some(ConfigError::Size { value: value.to_owned() }));
        }
    }

    #[test]
    fn sizes_are_those_of_daprd() {
        let table = [
            ("", SENT_BYTES_DEFAULT, ANSWER_BYTES_DEFAULT),
            ("1048576", 1 << 20, ANSWER_BYTES_DEFAULT),
            ("16Mi", 16 << 20, ANSWER_BYTES_DEFAULT),
            ("128MiB", 128 << 20, 128 << 20),
        ];
        for (text, sent, answer) in table {
            let env = [("DAPR_GRPC_PORT", "1"), ("TRILBY_DAPR_MAX_MESSAGE", text)];
            let config = read(&env).expect("valid").expect("named");
            assert_eq!((config.sent_bytes_max, config.answer_bytes_max), (sent, answer), "{text}");
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
