//! Lists of networks (`10.0.0.0/8`) and of the hosts that guests may call.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::findings::{Findings, Problem, shown};
use crate::reader::Reader;
use crate::{AllowedHost, AllowedHostError};

/// The networks of an array; a lone address is a network of its own.
pub(crate) fn networks(table: &Reader<'_>, name: &str, found: &mut Findings) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in table.texts(name, found) {
        match parse_network(text.text) {
            Ok(network) => networks.push(network),
            Err(help) => {
                let title = format!("`{}` is not a network", shown(text.text));
                found.error(Problem::new(text.span, title).help(help));
            }
        }
    }
    networks
}

/// Reads a network, such as `10.0.0.0/8`, or a lone address.
///
/// # Errors
/// What to write instead.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    let lone = text.parse::<IpAddr>().ok().map(IpNet::from);
    let Some(network) = lone.or_else(|| text.parse().ok()) else {
        return Err("write an address and the bits that count: `10.0.0.0/8`".to_owned());
    };
    // Addresses are compared in their IPv4 form, so such a network would match none.
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped(),
        _ => None,
    };
    if let Some(address) = mapped {
        let bits = network.prefix_len().saturating_sub(96);
        return Err(format!("write it as IPv4: `{address}/{bits}`"));
    }
    if network.trunc() != network {
        let trunc = network.trunc();
        let lone = network.addr();
        return Err(format!("write `{trunc}`, or `{lone}` for this address alone"));
    }
    Ok(network)
}

/// The hosts of `allowed-hosts`.
pub(crate) fn allowed_hosts(route: &Reader<'_>, found: &mut Findings) -> Vec<AllowedHost> {
    hosts(route, "allowed-hosts", AllowedHost::parse, found)
}

/// The hosts of WAGI's `allowed_hosts`.
pub(crate) fn allowed_hosts_wagi(entry: &Reader<'_>, found: &mut Findings) -> Vec<AllowedHost> {
    let hosts = hosts(entry, "allowed_hosts", AllowedHost::parse_wagi, found);
    if let Some(host) = hosts.iter().find(|host| host.is_everything())
        && let Some(field) = entry.get("allowed_hosts")
    {
        let title = format!("`{host}` lets the guest call every public host");
        found.warn(Problem::new(field.span(), title).help("name the hosts that it needs"));
    }
    hosts
}

fn hosts(
    table: &Reader<'_>,
    name: &str,
    parse: impl Fn(&str) -> Result<AllowedHost, AllowedHostError>,
    found: &mut Findings,
) -> Vec<AllowedHost> {
    let mut hosts = Vec::new();
    for text in table.texts(name, found) {
        match parse(text.text) {
            Ok(host) => hosts.push(host),
            // The reason names the host and says what to write.
            Err(reason) => {
                let is_secret = reason == AllowedHostError::Credentials;
                found.error(Problem::new(text.span, reason.to_string()).secret(is_secret));
            }
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{loaded, report};

    #[test]
    fn networks_and_lone_addresses_are_read() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("fd00::/8", "fd00::/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(parse_network(text).map(|n| n.to_string()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_network_is_told_what_to_write() {
        for (text, help) in [
            ("", "`10.0.0.0/8`"),
            ("localhost", "`10.0.0.0/8`"),
            ("10.0.0.0/33", "`10.0.0.0/8`"),
            ("10.0.0.0/8 ", "`10.0.0.0/8`"),
            ("10.0.0.1/8", "write `10.0.0.0/8`, or `10.0.0.1` for this address alone"),
            ("::ffff:10.0.0.0/104", "write it as IPv4: `10.0.0.0/8`"),
            ("::ffff:10.0.0.1", "write it as IPv4: `10.0.0.1/32`"),
        ] {
            let reason = parse_network(text).expect_err(text);
            assert!(reason.contains(help), "{text}: {reason}");
        }
    }

    #[test]
    fn the_lists_of_a_manifest_are_read() {
        let text = "version = 1\nserver.trusted-proxies = [\"10.0.0.0/8\", \"127.0.0.1\"]\n\
                    [[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n\
                    allowed-hosts = [\"https://api.example.com\", \"http://*:*\"]\n\
                    allowed-networks = [\"192.168.0.0/16\"]\n";
        let app = loaded(text).app;
        let proxies: Vec<_> = app.server.trusted_proxies.iter().map(IpNet::to_string).collect();
        assert_eq!(proxies, ["10.0.0.0/8", "127.0.0.1/32"]);
        let hosts: Vec<_> = app.routes[0].allowed_hosts.iter().map(ToString::to_string).collect();
        assert_eq!(hosts, ["https://api.example.com", "http://*:*"]);
        assert_eq!(app.routes[0].allowed_networks.len(), 1);
    }

    #[test]
    fn bad_items_are_refused() {
        let route = "[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n";
        for (lines, expected) in [
            ("server.trusted-proxies = [\"proxy\"]", "`proxy` is not a network"),
            ("server.trusted-proxies = \"::1\"", "`trusted-proxies` must be an array of strings"),
            ("server.trusted_proxies = []", "unknown key `trusted_proxies` in `[server]`"),
            ("server = 1", "`server` must be a table, found integer"),
        ] {
            let report = report(&format!("version = 1\n{lines}\n{route}"));
            assert!(report.starts_with(&format!("error: {expected}")), "{lines}: {report}");
        }
        for (lines, expected) in [
            ("allowed-networks = []", "`allowed-networks` means nothing without `allowed-hosts`"),
            ("allowed-hosts = []\nallowed-networks = [\"x\"]", "`x` is not a network"),
            ("allowed-hosts = [1]", "`allowed-hosts` must hold strings only, found integer"),
            ("allowed-hosts = [\"example.com\"]", ""),
        ] {
            let report = report(&format!("version = 1\n{route}{lines}\n"));
            assert!(report.starts_with(&format!("error: {expected}")), "{lines}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }
}
