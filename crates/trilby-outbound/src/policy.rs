//! What a route lets its guests reach.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::IpNet;
use trilby_manifest::AllowedHost;

use crate::Error;
use crate::address::is_public;
use crate::destination::Destination;

/// What a route lets its guests reach, and the bounds of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The URLs that may be called; none if empty.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Private networks into which the names of allowed hosts may lead.
    pub allowed_networks: Vec<IpNet>,
    /// Time for one request, from its start to the end of its answer, redirects included.
    pub timeout: Duration,
    /// The body of one answer, in bytes.
    pub body_bytes_max: usize,
}

/// The private addresses that a name may lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    networks: Vec<IpNet>,
    /// Those of the machine itself.
    loopback: bool,
}

impl Reach {
    pub(crate) fn permits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        is_public(ip)
            || (self.loopback && ip.is_loopback())
            || self.networks.iter().any(|network| network.contains(&ip))
    }
}

impl Policy {
    /// Whether the URL may be called, and what its name may lead to. A URL with an address is
    /// decided here: connections to it lead nowhere else.
    pub(crate) fn check(&self, destination: &Destination) -> Result<Reach, Error> {
        let is_for = |rule: &&AllowedHost| {
            rule.allows(destination.https, &destination.host, destination.port)
        };
        let rules: Vec<_> = self.allowed_hosts.iter().filter(is_for).collect();
        if rules.is_empty() {
            return Err(Error::NotAllowed { origin: destination.origin() });
        }
        let named = |ip: IpAddr| rules.iter().any(|rule| rule.names_address(ip));
        let networks = self.allowed_networks.clone();
        let Some(ip) = destination.ip else {
            let loopback = is_local(destination) && named(Ipv4Addr::LOCALHOST.into());
            return Ok(Reach { networks, loopback });
        };
        match named(ip) || (Reach { networks, loopback: false }).permits(ip) {
            true => Ok(Reach::default()),
            false => Err(private(destination, ip)),
        }
    }
}

/// The refusal of a private address, with the rule that would open it.
pub(crate) fn private(destination: &Destination, address: IpAddr) -> Error {
    let origin = destination.origin();
    let (rule, key) = match destination.ip.is_some() || is_local(destination) {
        true => (origin.clone(), "allowed-hosts"),
        false => (IpNet::from(address.to_canonical()).to_string(), "allowed-networks"),
    };
    Error::PrivateAddress { origin, address, rule, key }
}

fn is_local(destination: &Destination) -> bool {
    destination.host == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &[&str], networks: &[&str]) -> Policy {
        Policy {
            allowed_hosts: rules
                .iter()
                .map(|rule| AllowedHost::parse_wagi(rule).unwrap())
                .collect(),
            allowed_networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            timeout: Duration::from_secs(1),
            body_bytes_max: 1,
        }
    }

    /// The refusal of a URL, and, if it is let through, which of these addresses it may lead to.
    fn check(policy: &Policy, url: &str) -> String {
        let destination = Destination::read(&url.parse().unwrap()).unwrap();
        match policy.check(&destination) {
            Err(error) => error.to_string(),
            Ok(reach) => ["8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1", "::1"]
                .into_iter()
                .filter(|ip| reach.permits(ip.parse().unwrap()))
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn a_private_address_opens_by_its_own_rule_or_a_network_only() {
        let refused = |origin: &str, address: &str| {
            format!(
                "`{origin}` is at the private address {address}: add `\"{origin}\"` to the \
                 route's `allowed-hosts`"
            )
        };
        let public = "8.8.8.8".to_owned();
        let cases = [
            (
                policy(&[], &[]),
                "https://a.example",
                "`https://a.example` is not allowed: add \
              `\"https://a.example\"` to the route's `allowed-hosts`"
                    .to_owned(),
            ),
            (policy(&["https://a.example"], &[]), "https://a.example", public.clone()),
            (
                policy(&["http://*:*"], &["10.0.0.0/8"]),
                "http://a.example",
                "8.8.8.8 10.0.0.1 ::ffff:10.0.0.1".to_owned(),
            ),
            (policy(&["http://*:*", "http://10.0.0.1"], &[]), "http://a.example", public.clone()),
            (
                policy(&["http://localhost"], &[]),
                "http://localhost",
                "8.8.8.8 127.0.0.1 ::1".to_owned(),
            ),
            (
                policy(&["http://*:*", "http://localhost:1"], &[]),
                "http://localhost",
                public.clone(),
            ),
            (policy(&["http://*:*", "http://localhost"], &[]), "http://a.example", public.clone()),
            (
                policy(&["http://*", "http://localhost"], &[]),
                "http://127.0.0.1",
                refused("http://127.0.0.1", "127.0.0.1"),
            ),
            (policy(&["http://10.0.0.1:1"], &[]), "http://10.0.0.1:1", public.clone()),
            (
                policy(&["insecure:allow-all"], &[]),
                "http://10.0.0.1:1",
                refused("http://10.0.0.1:1", "10.0.0.1"),
            ),
            (
                policy(&["insecure:allow-all"], &[]),
                "https://[::ffff:10.0.0.1]",
                refused("https://[::ffff:10.0.0.1]", "::ffff:10.0.0.1"),
            ),
            (
                policy(&["insecure:allow-all"], &["10.0.0.1/32"]),
                "https://[::ffff:10.0.0.1]",
                public.clone(),
            ),
            (
                policy(&["insecure:allow-all"], &[]),
                "http://169.254.169.254",
                refused("http://169.254.169.254", "169.254.169.254"),
            ),
            (policy(&["insecure:allow-all"], &[]), "http://8.8.8.8", public),
        ];
        for (policy, url, expected) in cases {
            assert_eq!(check(&policy, url), expected, "{url} under {policy:?}");
        }
    }

    #[test]
    fn the_refusal_of_a_name_asks_for_a_network() {
        let destination = Destination::read(&"http://db.example:81/".parse().unwrap()).unwrap();
        let error = private(&destination, "10.0.0.5".parse().unwrap()).to_string();
        let expected = "`http://db.example:81` is at the private address 10.0.0.5: add \
                        `\"10.0.0.5/32\"` to the route's `allowed-networks`";
        assert_eq!(error, expected);
    }
}
