//! What must not be reached is not, whoever has a connection open.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::Server;
use super::*;

#[tokio::test]
async fn scheme_host_and_port_must_all_be_allowed() {
    let server = Server::start().await;
    let port = server.port;
    let rules = [
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.2:{port}"),
        format!("http://*.example:{port}"),
        "http://127.0.0.1".to_owned(),
    ];
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let error = send(&plain(), &policy(&rules), get(&server.url("/echo"))).await.unwrap_err();
    assert_eq!(error, Error::NotAllowed { origin: server.url("") });
    assert_eq!(server.accepts(), 0);
}

#[tokio::test]
async fn loopback_opens_by_its_own_rule_only() {
    let server = Server::start().await;
    let url = server.url("/sized");
    let local = format!("http://localhost:{}/sized", server.port);
    let outbound = plain();
    for (rule, url) in [("http://127.0.0.1:*", &url), ("http://localhost:*", &local)] {
        assert_eq!(text(&outbound, &policy(&[rule]), get(url)).await, "0123456789");
        // The connections that these have left open serve nobody else.
        let error = send(&outbound, &policy(&["http://*:*"]), get(url)).await.unwrap_err();
        assert!(matches!(error, Error::PrivateAddress { key: "allowed-hosts", .. }), "{error}");
    }
    assert_eq!(server.accepts(), 2);
}

/// The addresses that a name has at each look-up, the last ones for ever.
fn names(answers: &'static [&'static [[u8; 4]]]) -> Outbound {
    let count = AtomicUsize::new(0);
    let lookup = move |name: &str| {
        assert_eq!(name, "db.example");
        let at = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        Ok(answers[at].iter().map(|ip| IpAddr::V4(Ipv4Addr::from(*ip))).collect())
    };
    Outbound::with_lookup(RootCertStore::empty(), Arc::new(lookup)).unwrap()
}

#[tokio::test]
async fn a_network_opens_for_its_own_route_and_no_other() {
    let server = Server::start().await;
    let url = format!("http://db.example:{}/sized", server.port);
    let outbound = names(&[&[[127, 0, 0, 1]]]);
    let narrow = policy(&["http://db.example:*", "http://127.0.0.1:*", "http://localhost:*"]);
    let wide = Policy { allowed_networks: vec!["127.0.0.0/8".parse().unwrap()], ..narrow.clone() };

    assert_eq!(text(&outbound, &wide, get(&url)).await, "0123456789");
    let error = send(&outbound, &narrow, get(&url)).await.unwrap_err();
    let expected = Error::PrivateAddress {
        origin: format!("http://db.example:{}", server.port),
        address: Ipv4Addr::LOCALHOST.into(),
        rule: "127.0.0.1/32".to_owned(),
        key: "allowed-networks",
    };
    assert_eq!(error, expected);
    assert_eq!(text(&outbound, &wide, get(&url)).await, "0123456789");
    assert_eq!(server.accepts(), 1);
}

#[tokio::test]
async fn a_name_that_moves_inside_gains_nothing() {
    let server = Server::start().await;
    let url = format!("http://db.example:{}/sized", server.port);
    let outbound = names(&[&[[0, 0, 0, 0], [169, 254, 169, 254]], &[[127, 0, 0, 1]]]);
    for address in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST] {
        let error = send(&outbound, &policy(&["http://*:*"]), get(&url)).await.unwrap_err();
        let found =
            matches!(error, Error::PrivateAddress { address: found, .. } if found == address);
        assert!(found, "{error}");
    }
    assert_eq!(server.accepts(), 0);
}

#[tokio::test]
async fn addresses_out_of_reach_are_passed_over() {
    let server = Server::start().await;
    let url = format!("http://db.example:{}/sized", server.port);
    let outbound = names(&[&[[10, 0, 0, 1], [127, 0, 0, 1], [192, 168, 0, 1]]]);
    let mut policy = policy(&["http://db.example:*"]);
    policy.allowed_networks = vec!["127.0.0.1/32".parse().unwrap()];
    assert_eq!(text(&outbound, &policy, get(&url)).await, "0123456789");
}

#[tokio::test]
async fn a_name_without_an_address_is_an_error_of_its_own() {
    let error = send(&names(&[&[]]), &policy(&["http://*"]), get("http://db.example")).await;
    let expected = "cannot call `http://db.example`: the name has no address";
    assert_eq!(error.unwrap_err().to_string(), expected);

    let lookup = |_: &str| Err(std::io::Error::other("no such name"));
    let outbound = Outbound::with_lookup(RootCertStore::empty(), Arc::new(lookup)).unwrap();
    let error = send(&outbound, &policy(&["http://*"]), get("http://db.example")).await;
    let expected = "cannot call `http://db.example`: no such name";
    assert_eq!(error.unwrap_err().to_string(), expected);
}
