//! What a request's headers say of its client.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderMap, header};
use ipnet::IpNet;

use super::{element, is_trusted};
use crate::authority::Authority;

/// What trusted proxies say; all that is not well formed is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said<'a> {
    pub(super) node: Option<Node>,
    pub(super) https: Option<bool>,
    pub(super) host: Option<Cow<'a, str>>,
    pub(super) port: Option<u16>,
}

/// An address and, if known, its port.
pub(super) type Node = (IpAddr, Option<u16>);

/// What `Forwarded` says.
pub(super) fn forwarded<'a>(headers: &'a HeaderMap, trusted: &[IpNet]) -> Said<'a> {
    let mut said = Said::default();
    for line in headers.get_all(header::FORWARDED).iter().rev() {
        let Some(elements) = line.to_str().ok().and_then(element::parse) else { return said };
        for element in elements.into_iter().rev() {
            // The walk has come here, so the proxy that says this is trusted; and it is nearer to
            // the client than those before it.
            said.https = element.proto.as_deref().and_then(is_https).or(said.https);
            said.host = element.host.filter(|host| is_host(host)).or(said.host);
            let Some(node) = element.client.as_deref().and_then(node) else { return said };
            said.node = Some(node);
            if !is_trusted(node.0, trusted) {
                return said;
            }
        }
    }
    said
}

/// What the `X-Forwarded-*` headers say.
pub(super) fn x_forwarded<'a>(headers: &'a HeaderMap, trusted: &[IpNet]) -> Said<'a> {
    let mut client = None;
    let mut proxies = 1;
    for hop in from_the_end(headers, "x-forwarded-for") {
        let Some(node) = node(hop) else { break };
        client = Some(node);
        if !is_trusted(node.0, trusted) {
            break;
        }
        proxies += 1;
    }
    // Some proxies append to these and some replace them; the trusted ones have written no more
    // of a list than there are of them.
    let outermost = |name| from_the_end(headers, name).take(proxies).last();
    Said {
        node: client,
        https: outermost("x-forwarded-proto").and_then(is_https),
        host: outermost("x-forwarded-host").filter(|host| is_host(host)).map(Cow::Borrowed),
        port: outermost("x-forwarded-port").and_then(port),
    }
}

/// The items of a header that is a list, the last one first.
fn from_the_end<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().rev();
    // A line that is not text must not vanish: then the one before it would seem to be the last.
    let items = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    items.map(|item| item.trim_matches([' ', '\t'])).filter(|item| !item.is_empty())
}

/// RFC 7239 section 6, and what some proxies write besides: an IPv6 address without brackets.
fn node(text: &str) -> Option<Node> {
    if let Ok(addr) = text.parse::<IpAddr>() {
        return Some((addr.to_canonical(), None));
    }
    let (addr, rest) = match text.strip_prefix('[') {
        Some(inner) => {
            let (addr, rest) = inner.split_once(']')?;
            (IpAddr::V6(addr.parse().ok()?), rest)
        }
        None => {
            let (addr, rest) = text.split_at_checked(text.find(':')?)?;
            (IpAddr::V4(addr.parse().ok()?), rest)
        }
    };
    let addr = addr.to_canonical();
    match rest.strip_prefix(':') {
        None => rest.is_empty().then_some((addr, None)),
        // A port may be hidden as an address may.
        Some(hidden) if hidden.starts_with('_') => Some((addr, None)),
        Some(text) => Some((addr, Some(port(text)?))),
    }
}

fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

fn is_https(proto: &str) -> Option<bool> {
    let is = |name: &str| proto.eq_ignore_ascii_case(name);
    match () {
        () if is("https") || is("wss") => Some(true),
        () if is("http") || is("ws") => Some(false),
        () => None,
    }
}

fn is_host(text: &str) -> bool {
    Authority::parse(text).is_some()
}
