//! Hosts to which a guest may send HTTP requests.

use std::fmt;
use std::net::IpAddr;

use crate::findings::shown;

/// A rule of a route's `allowed-hosts`: the scheme, host and port of URLs that a guest may call.
///
/// `https://api.example.com` is that host at the scheme's own port. `https://*.example.com`
/// is every name below `example.com`, but not `example.com` itself; `https://*` is every host;
/// `http://10.0.0.1:*` is every port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    text: String,
    scheme: Scheme,
    host: Host,
    port: Port,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Either,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    /// One or more labels before this name.
    Below(String),
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    Number(u16),
}

/// Why a text is no rule for allowed hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllowedHostError {
    /// Neither `http://` nor `https://` is in front.
    #[error(
        "`{}` does not begin with `https://` or `http://`: write it like `https://api.example.com`",
        shown(text)
    )]
    Scheme {
        /// The rule.
        text: String,
    },
    /// WAGI's word for everything, in a manifest that has a precise one.
    #[error("`{ALLOW_ALL}` is for `modules.toml` only: write `http://*:*` and `https://*:*`")]
    AllowAll,
    /// A user name or password. The text is left out of the message, for it holds a secret.
    #[error("an allowed host has no user name or password: write only `https://` and the host")]
    Credentials,
    /// Something follows the host and port.
    #[error("an allowed host has no path or query: write only `{}`", shown(origin))]
    Path {
        /// The rule without what follows the host and port.
        origin: String,
    },
    /// The host is neither a name nor an address.
    #[error(
        "`{}` is not a host: write a name (`api.example.com`, `*.example.com`), an address \
         (`10.0.0.1`, `[fd00::1]`), or `*` for any; a name with other letters takes its `xn--` \
         form",
        shown(host)
    )]
    Host {
        /// What stands where the host should.
        host: String,
    },
    /// The port is not a number.
    #[error("`{}` is not a port: write 1 to 65535, or `*` for any", shown(port))]
    Port {
        /// What stands where the port should.
        port: String,
    },
}

impl AllowedHost {
    /// Reads a rule of `trilby.toml`.
    ///
    /// # Errors
    /// When the text is not a scheme, a host and at most a port.
    pub fn parse(text: &str) -> Result<Self, AllowedHostError> {
        if text == ALLOW_ALL {
            return Err(AllowedHostError::AllowAll);
        }
        let (rule, tail) = Self::read(text)?;
        if !matches!(tail, "" | "/") {
            let origin = text.strip_suffix(tail).unwrap_or(text).to_owned();
            return Err(AllowedHostError::Path { origin });
        }
        Ok(rule)
    }

    /// Reads an item of `allowed_hosts` in WAGI's `modules.toml`. As there, a path or query is
    /// without effect, and `insecure:allow-all` stands for every host.
    ///
    /// # Errors
    /// As [`AllowedHost::parse`] does.
    pub fn parse_wagi(text: &str) -> Result<Self, AllowedHostError> {
        if text == ALLOW_ALL {
            let (scheme, host, port) = (Scheme::Either, Host::Any, Port::Any);
            return Ok(Self { text: text.to_owned(), scheme, host, port });
        }
        Self::read(text).map(|(rule, _)| rule)
    }

    /// The rule, and what follows its host and port.
    fn read(text: &str) -> Result<(Self, &str), AllowedHostError> {
        let (name, rest) = text.split_once("://").unwrap_or(("", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end).unwrap_or_default();
        if authority.contains('@') {
            return Err(AllowedHostError::Credentials);
        }
        let (scheme, port) = match name.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Https, 443),
            _ => return Err(AllowedHostError::Scheme { text: text.to_owned() }),
        };
        let (host, port) = match split_port(authority) {
            (host, None) => (host, Port::Number(port)),
            (host, Some("*")) => (host, Port::Any),
            (host, Some(port)) => (host, Port::Number(number(port)?)),
        };
        let host =
            Host::read(host).ok_or_else(|| AllowedHostError::Host { host: host.to_owned() })?;
        Ok((Self { text: text.to_owned(), scheme, host, port }, tail))
    }

    /// Whether this is WAGI's `insecure:allow-all`: both schemes, every host and every port.
    /// Addresses of private networks are refused even so.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.scheme == Scheme::Either && self.host == Host::Any && self.port == Port::Any
    }

    /// Whether the rule is for this scheme, host and port.
    ///
    /// The host is as in a URL: an IPv6 address may be in brackets. Case, and the dot that may
    /// end a DNS name, make no difference.
    #[must_use]
    pub fn allows(&self, https: bool, host: &str, port: u16) -> bool {
        let scheme = match self.scheme {
            Scheme::Http => !https,
            Scheme::Https => https,
            Scheme::Either => true,
        };
        let ports = match self.port {
            Port::Any => true,
            Port::Number(number) => number == port,
        };
        scheme && ports && self.host.is(host)
    }

    /// Whether the rule's host is this very address, or is `localhost` and the address is one
    /// of the machine itself. Only such a rule opens a private address.
    #[must_use]
    pub fn names_address(&self, ip: IpAddr) -> bool {
        match &self.host {
            Host::Address(address) => *address == ip,
            Host::Name(name) => name == "localhost" && ip.is_loopback(),
            Host::Any | Host::Below(_) => false,
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some(below) = text.strip_prefix("*.") {
            return dns_name(below).map(Self::Below);
        }
        address(text).map(Self::Address).or_else(|| dns_name(text).map(Self::Name))
    }

    fn is(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            Self::Any => true,
            Self::Address(own) => {
                let host =
                    host.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')).unwrap_or(host);
                host.parse() == Ok(*own)
            }
            Self::Name(name) => host.eq_ignore_ascii_case(name),
            Self::Below(name) => {
                let host = host.to_ascii_lowercase();
                let before =
                    host.strip_suffix(name.as_str()).and_then(|rest| rest.strip_suffix('.'));
                before.is_some_and(|labels| labels.split('.').all(|label| !label.is_empty()))
            }
        }
    }
}

const ALLOW_ALL: &str = "insecure:allow-all";

/// The host, and the port after its colon. The colons of an IPv6 address are within brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn number(text: &str) -> Result<u16, AllowedHostError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number != 0);
    number.ok_or_else(|| AllowedHostError::Port { port: text.to_owned() })
}

/// An IPv4 address, or an IPv6 address in brackets.
fn address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().map(IpAddr::V4),
    }
}

/// A name of RFC 1123, in lower case and without its last dot. Underscores are let through: the
/// names of containers and services have them.
///
/// A last label of digits makes no name: resolvers read `127.1` and `0x7f000001` as addresses.
fn dns_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len())
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").unwrap_or(last);
    let numeric = match digits.len() < last.len() {
        true => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        false => digits.bytes().all(|byte| byte.is_ascii_digit()),
    };
    (name.len() <= 253 && name.split('.').all(is_label) && !numeric).then_some(name)
}

#[cfg(test)]
mod tests;
