//! Who the client is, as far as trusted proxies say so.

mod element;
mod said;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, header};
use ipnet::IpNet;

use crate::authority::Authority;
use said::Said;

/// The client, and where it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// Its address; an IPv4 address is never in IPv6 form.
    pub addr: IpAddr,
    /// Its port; `None` if the proxy does not say.
    pub port: Option<u16>,
    /// Whether it came over TLS.
    pub https: bool,
    /// The authority that it asked for, as a proxy says, with its port if it has one; `None` if
    /// no proxy says, and then the request's own counts.
    pub host: Option<Cow<'a, str>>,
    /// The port that it asked at, as far as a proxy says; `None` if that is the server's own.
    pub server_port: Option<u16>,
}

impl Client<'static> {
    /// The client at the other end of the connection.
    #[must_use]
    pub fn direct(peer: SocketAddr, tls: bool) -> Self {
        Self {
            // A listener for both families sees IPv4 clients in IPv6 form.
            addr: peer.ip().to_canonical(),
            port: Some(peer.port()),
            https: tls,
            host: None,
            server_port: None,
        }
    }
}

impl Client<'_> {
    /// The same, without a tie to the request's headers.
    #[must_use]
    pub fn into_owned(self) -> Client<'static> {
        let Self { addr, port, https, host, server_port } = self;
        let host = host.map(|host| Cow::Owned(host.into_owned()));
        Client { addr, port, https, host, server_port }
    }
}

/// The client of a request that came over a connection with this peer.
///
/// Unless the peer is in one of the `trusted` networks, it is the client, whatever the headers
/// say. Else the proxies' word is taken: from `Forwarded` (RFC 7239) if there is one, else from
/// `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`. In both the chain is walked from its end, the
/// nearest proxy's part, for as long as the hops are trusted: the first that is not is the client,
/// and if all are, the first of the chain. Where the chain has no address, as in `unknown` or
/// `_hidden`, the walk ends at the hop after it.
///
/// A proxy that knows only one of the two ways passes the other on from anybody. So if both are
/// there and do not name the same client, neither is believed, and the peer is the client.
///
/// Without a word about the port but with one about the host or the scheme, the port is the
/// host's, or else the scheme's own.
#[must_use]
pub fn client<'a>(
    peer: SocketAddr,
    tls: bool,
    headers: &'a HeaderMap,
    trusted: &[IpNet],
) -> Client<'a> {
    let direct = Client::direct(peer, tls);
    if !is_trusted(direct.addr, trusted) {
        return direct;
    }
    let by_headers = said::x_forwarded(headers, trusted);
    let said = if headers.contains_key(header::FORWARDED) {
        let standard = said::forwarded(headers, trusted);
        let addr = |said: &Said<'_>| said.node.map(|(addr, _)| addr);
        if headers.contains_key("x-forwarded-for")
            && (standard.node.is_none() || addr(&standard) != addr(&by_headers))
        {
            return direct;
        }
        standard
    } else {
        by_headers
    };
    told(direct, said, headers)
}

fn told<'a>(direct: Client<'static>, said: Said<'a>, headers: &HeaderMap) -> Client<'a> {
    let (addr, port) = said.node.unwrap_or((direct.addr, direct.port));
    let https = said.https.unwrap_or(direct.https);
    let scheme_port = if https { 443 } else { 80 };
    let server_port = said.port.or_else(|| match &said.host {
        Some(host) => Some(port_of(host).unwrap_or(scheme_port)),
        None => said.https.map(|_| {
            let own = headers.get(header::HOST).and_then(|value| value.to_str().ok());
            own.and_then(port_of).unwrap_or(scheme_port)
        }),
    });
    Client { addr, port, https, host: said.host, server_port }
}

fn port_of(authority: &str) -> Option<u16> {
    Authority::parse(authority)?.port()
}

fn is_trusted(addr: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| match (net, addr) {
        // A network of IPv4 addresses in IPv6 form, and only such a one, has them too.
        (IpNet::V6(net), IpAddr::V4(addr)) if net.prefix_len() >= 96 => {
            net.contains(&addr.to_ipv6_mapped())
        }
        (net, addr) => net.contains(&addr),
    })
}

#[cfg(test)]
mod tests;
