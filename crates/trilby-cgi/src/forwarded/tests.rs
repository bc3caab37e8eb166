use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1:555";

fn headers(sent: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Address and port, scheme, host and server port in one line: `192.0.2.1:7 https h:1 443`, with
/// `-` for what is not known.
fn seen(peer: &str, sent: &[(&str, &str)]) -> String {
    let (headers, trusted) = (headers(sent), nets(&["10.0.0.0/8", "2001:db8:f::/48"]));
    let client = client(peer.parse().unwrap(), false, &headers, &trusted);
    let or_dash = |port: Option<u16>| port.map_or_else(|| "-".to_owned(), |port| port.to_string());
    let scheme = if client.https { "https" } else { "http" };
    let host = client.host.as_deref().unwrap_or("-");
    let (addr, port) = (client.addr, or_dash(client.port));
    format!("{addr} {port} {scheme} {host} {}", or_dash(client.server_port))
}

#[test]
fn only_a_trusted_peer_is_believed() {
    let sent = [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "h"),
    ];
    assert_eq!(seen("192.0.2.1:5", &sent), "192.0.2.1 5 http - -");
    assert_eq!(seen("[::ffff:192.0.2.1]:5", &sent), "192.0.2.1 5 http - -");
    assert_eq!(seen("10.9.9.9:5", &sent), "192.0.2.7 - https h 443");
    assert_eq!(seen("[::ffff:10.9.9.9]:5", &sent), "192.0.2.7 - https h 443");
    assert_eq!(seen("[2001:db8:f::1]:5", &sent), "192.0.2.7 - https h 443");
    assert_eq!(seen("10.9.9.9:5", &[]), "10.9.9.9 5 http - -");
}

#[test]
fn forwarded_is_walked_from_its_end() {
    let table: [(&[&str], &str); 20] = [
        (&["for=192.0.2.7"], "192.0.2.7 - http - -"),
        (&["for=192.0.2.7:99"], "192.0.2.7 99 http - -"),
        (&["for=\"[2001:db8::1]:4711\""], "2001:db8::1 4711 http - -"),
        (&["for=\"[::ffff:192.0.2.7]\""], "192.0.2.7 - http - -"),
        (&["for=\"192.0.2.7:_port\""], "192.0.2.7 - http - -"),
        (
            &["For=192.0.2.7;Proto=HTTPS;Host=\"h:8443\";by=10.0.0.1"],
            "192.0.2.7 - https h:8443 8443",
        ),
        (&["for=192.0.2.7;proto=wss;host=h"], "192.0.2.7 - https h 443"),
        (&["for=192.0.2.7;host=h"], "192.0.2.7 - http h 80"),
        // Two untrusted: the one before is the client's own invention.
        (&["for=1.1.1.1, for=192.0.2.7"], "192.0.2.7 - http - -"),
        (&["for=192.0.2.7;proto=https, for=10.0.0.2;proto=http"], "192.0.2.7 - https - 443"),
        (&["for=192.0.2.7;host=a", "for=10.0.0.2;host=b"], "192.0.2.7 - http a 80"),
        (&["for=192.0.2.7", "for=10.0.0.2;host=b;proto=https"], "192.0.2.7 - https b 443"),
        (&["for=10.0.0.3, for=10.0.0.2"], "10.0.0.3 - http - -"),
        (&["for=unknown"], "10.0.0.1 555 http - -"),
        (&["for=_hidden;proto=https"], "10.0.0.1 555 https - 443"),
        (&["for=1.1.1.1, for=unknown, for=10.0.0.2"], "10.0.0.2 - http - -"),
        (&["proto=https"], "10.0.0.1 555 https - 443"),
        // The quote of one line does not reach into the next.
        (&["for=\"", "for=192.0.2.7"], "192.0.2.7 - http - -"),
        (&["for=\", for=192.0.2.7"], "10.0.0.1 555 http - -"),
        (&["for=\"[192.0.2.7]\""], "10.0.0.1 555 http - -"),
    ];
    for (lines, expected) in table {
        let sent: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        assert_eq!(seen(PROXY, &sent), expected, "{lines:?}");
    }
}

#[test]
fn x_forwarded_for_is_walked_from_its_end() {
    let table: [(&[&str], &str); 15] = [
        (&["192.0.2.7"], "192.0.2.7 -"),
        (&["192.0.2.7:99"], "192.0.2.7 99"),
        (&["2001:db8::1"], "2001:db8::1 -"),
        (&["[2001:db8::1]"], "2001:db8::1 -"),
        (&["[2001:db8::1]:99"], "2001:db8::1 99"),
        (&["1.1.1.1, 192.0.2.7"], "192.0.2.7 -"),
        (&["1.1.1.1,192.0.2.7,10.0.0.3,\t10.0.0.2"], "192.0.2.7 -"),
        (&["1.1.1.1, 192.0.2.7", "10.0.0.2"], "192.0.2.7 -"),
        (&["192.0.2.7, ,10.0.0.2,", ""], "192.0.2.7 -"),
        (&["10.0.0.3, ::ffff:10.0.0.2"], "10.0.0.3 -"),
        (&["1.1.1.1, rubbish, 10.0.0.2"], "10.0.0.2 -"),
        (&["rubbish"], "10.0.0.1 555"),
        (&["192.0.2.7", "grün"], "10.0.0.1 555"),
        (&["192.0.2.7:0"], "10.0.0.1 555"),
        (&["192.0.2.7:+9"], "10.0.0.1 555"),
    ];
    for (lines, expected) in table {
        let sent: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        assert_eq!(seen(PROXY, &sent), format!("{expected} http - -"), "{lines:?}");
    }
}

#[test]
fn scheme_host_and_port_are_those_of_the_outermost_trusted_proxy() {
    let one = ("x-forwarded-for", "192.0.2.7");
    let two = ("x-forwarded-for", "192.0.2.7, 10.0.0.2");
    let (proto, host, port) = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-port");
    let table: [(&[(&str, &str)], &str); 17] = [
        (&[one, (proto, "https")], "https - 443"),
        (&[one, (proto, "WSS")], "https - 443"),
        (&[one, (proto, "ws")], "http - 80"),
        (&[one, (proto, "gopher")], "http - -"),
        (&[one, (proto, "https, http")], "http - 80"),
        (&[two, (proto, "https, http")], "https - 443"),
        (&[two, (proto, "http, https, http")], "https - 443"),
        (&[two, (proto, "https")], "https - 443"),
        (&[one, (proto, "https"), (host, "h:8443")], "https h:8443 8443"),
        (&[one, (proto, "https"), (host, "h"), (port, "8443")], "https h 8443"),
        (&[one, (host, "evil, h")], "http h 80"),
        (&[one, (host, "a/b")], "http - -"),
        (&[one, (host, "h"), (port, "x")], "http h 80"),
        (&[one, (port, "81")], "http - 81"),
        (&[one, (port, "0")], "http - -"),
        (&[one, (port, "65536")], "http - -"),
        (&[(proto, "https"), ("host", "own:8443")], "https - 8443"),
    ];
    for (sent, expected) in table {
        let seen = seen(PROXY, sent);
        assert!(seen.ends_with(&format!(" {expected}")), "{sent:?}: {seen}");
    }
}

#[test]
fn forwarded_comes_before_the_others_unless_they_contradict() {
    let table: [(&[(&str, &str)], &str); 5] = [
        (
            &[
                ("forwarded", "for=192.0.2.7;host=a"),
                ("x-forwarded-for", "1.1.1.1, 192.0.2.7"),
                ("x-forwarded-host", "b"),
                ("x-forwarded-proto", "https"),
            ],
            "192.0.2.7 - http a 80",
        ),
        (
            &[("forwarded", "for=1.1.1.1;proto=https"), ("x-forwarded-for", "192.0.2.7")],
            "10.0.0.1 555 http - -",
        ),
        (
            &[("forwarded", "for=unknown"), ("x-forwarded-for", "192.0.2.7")],
            "10.0.0.1 555 http - -",
        ),
        (
            &[("forwarded", "for=192.0.2.7"), ("x-forwarded-for", "rubbish")],
            "10.0.0.1 555 http - -",
        ),
        (
            &[
                ("forwarded", "for=unknown;host=admin.internal;proto=https"),
                ("x-forwarded-for", "192.0.2.7"),
            ],
            "10.0.0.1 555 http - -",
        ),
    ];
    for (sent, expected) in table {
        assert_eq!(seen(PROXY, sent), expected, "{sent:?}");
    }
}

#[test]
fn networks_have_both_forms_of_ipv4() {
    let addr: IpAddr = "10.0.0.1".parse().unwrap();
    let table = [
        ("10.0.0.0/8", true),
        ("::ffff:10.0.0.0/104", true),
        ("::ffff:11.0.0.0/104", false),
        ("0.0.0.0/0", true),
        ("::/0", false),
    ];
    for (net, trusted) in table {
        assert_eq!(is_trusted(addr, &nets(&[net])), trusted, "{net}");
    }
}

fn a_header() -> impl Strategy<Value = (HeaderName, Vec<u8>)> {
    let names = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "host",
    ];
    let piece = prop_oneof![
        prop::sample::select(vec![
            "for=",
            "proto=",
            "host=",
            "192.0.2.7",
            "10.0.0.2",
            "[2001:db8::1]",
            ":80",
            "https",
            "h",
            "\"",
            "\\",
            ",",
            ";",
            " ",
            "unknown",
            "_x",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(prop_oneof![32..127_u8, 128..=255_u8], 0..3),
    ];
    let value = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    (prop::sample::select(names.map(HeaderName::from_static).to_vec()), value)
}

fn map(sent: &[(HeaderName, Vec<u8>)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

proptest! {
    #[test]
    fn without_trust_no_header_counts(
        sent in prop::collection::vec(a_header(), 0..6),
        peer in any::<SocketAddr>(),
        tls in any::<bool>(),
    ) {
        let (headers, expected) = (map(&sent), Client::direct(peer, tls));
        prop_assert_eq!(&client(peer, tls, &headers, &[]), &expected);
        let others = nets(&["10.0.0.0/8"]);
        prop_assume!(!is_trusted(expected.addr, &others));
        prop_assert_eq!(client(peer, tls, &headers, &others), expected);
    }

    #[test]
    fn what_is_told_is_sound(
        sent in prop::collection::vec(a_header(), 0..6),
        tls in any::<bool>(),
    ) {
        let headers = map(&sent);
        let client = client(PROXY.parse().unwrap(), tls, &headers, &nets(&["10.0.0.0/8"]));
        prop_assert_eq!(client.addr, client.addr.to_canonical());
        prop_assert!(client.port != Some(0) && client.server_port != Some(0));
        prop_assert!(client.host.is_none_or(|host| Authority::parse(&host).is_some()));
    }

    /// Whatever a client sends stands before what the proxy appends.
    #[test]
    fn a_client_cannot_choose_its_address(
        sent in prop::collection::vec(a_header(), 0..6),
        standard in any::<bool>(),
    ) {
        let mut headers = map(&sent);
        let (own, other, value) = match standard {
            true => ("forwarded", "x-forwarded-for", "for=203.0.113.9"),
            false => ("x-forwarded-for", "forwarded", "203.0.113.9"),
        };
        headers.append(own, HeaderValue::from_static(value));
        let peer: SocketAddr = PROXY.parse().unwrap();
        let told = client(peer, false, &headers, &nets(&["10.0.0.1/32"])).addr;
        // The other way may only contradict, so that the peer is the client.
        let contradicted = headers.contains_key(other) && told == peer.ip();
        prop_assert!(told.to_string() == "203.0.113.9" || contradicted, "{told}");
    }
}
