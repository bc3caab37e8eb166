use proptest::prelude::*;

use super::*;

fn rule(text: &str) -> AllowedHost {
    AllowedHost::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_rule_is_for_its_scheme_host_and_port() {
    let cases = [
        ("https://api.example.com", true, "api.example.com", 443, true),
        ("https://api.example.com", true, "API.Example.COM.", 443, true),
        ("HTTPS://API.example.com./", true, "api.example.com", 443, true),
        ("https://api.example.com", false, "api.example.com", 443, false),
        ("https://api.example.com", true, "api.example.com", 8443, false),
        ("https://api.example.com", true, "www.example.com", 443, false),
        ("https://api.example.com", true, "api.example.com.evil.org", 443, false),
        ("https://api.example.com", true, "x.api.example.com", 443, false),
        ("http://api.example.com", false, "api.example.com", 80, true),
        ("http://api.example.com:8080", false, "api.example.com", 8080, true),
        ("http://api.example.com:8080", false, "api.example.com", 80, false),
        ("http://api.example.com:*", false, "api.example.com", 1, true),
        ("http://api.example.com:*", true, "api.example.com", 1, false),
        ("https://*.example.com", true, "a.example.com", 443, true),
        ("https://*.example.com", true, "A.b.EXAMPLE.com.", 443, true),
        ("https://*.example.com", true, "example.com", 443, false),
        ("https://*.example.com", true, "badexample.com", 443, false),
        ("https://*.example.com", true, ".example.com", 443, false),
        ("https://*.example.com", true, "a..example.com", 443, false),
        ("https://*.example.com", true, "a.example.com.org", 443, false),
        ("https://*", true, "anything.example.org", 443, true),
        ("https://*", true, "[2001:db8::1]", 443, true),
        ("https://*", true, "anything.example.org", 444, false),
        ("http://10.0.0.1", false, "10.0.0.1", 80, true),
        ("http://10.0.0.1", false, "10.0.0.1.", 80, true),
        ("http://10.0.0.1", false, "10.0.0.10", 80, false),
        ("http://10.0.0.1", false, "[::ffff:10.0.0.1]", 80, false),
        ("http://[FD00:0::1]:81", false, "[fd00::1]", 81, true),
        ("http://[fd00::1]:81", false, "fd00:0:0::1", 81, true),
        ("http://[fd00::1]", false, "[fd00::2]", 80, false),
        ("http://localhost:3000", false, "LocalHost", 3000, true),
        ("http://localhost:3000", false, "127.0.0.1", 3000, false),
        ("http://my_service:1", false, "my_service", 1, true),
    ];
    for (text, https, host, port, expected) in cases {
        assert_eq!(rule(text).allows(https, host, port), expected, "{text} {https} {host} {port}");
    }
}

#[test]
fn messages_say_what_to_write() {
    let host = "a name (`api.example.com`, `*.example.com`), an address (`10.0.0.1`, \
                `[fd00::1]`), or `*` for any; a name with other letters takes its `xn--` form";
    let scheme = "does not begin with `https://` or `http://`: write it like \
                  `https://api.example.com`";
    let cases = [
        ("", format!("`` {scheme}")),
        ("api.example.com", format!("`api.example.com` {scheme}")),
        ("ftp://a.example", format!("`ftp://a.example` {scheme}")),
        (
            ALLOW_ALL,
            format!(
                "`{ALLOW_ALL}` is for `modules.toml` only: write `http://*:*` and \
                             `https://*:*`"
            ),
        ),
        (
            "https://a:b@c",
            "an allowed host has no user name or password: write only `https://` and \
                           the host"
                .to_owned(),
        ),
        ("ftp://a:b@c", AllowedHostError::Credentials.to_string()),
        (
            "https://a.example/v1",
            "an allowed host has no path or query: write only \
                                  `https://a.example`"
                .to_owned(),
        ),
        (
            "https://a.example:1?q",
            "an allowed host has no path or query: write only \
                                   `https://a.example:1`"
                .to_owned(),
        ),
        ("https://", format!("`` is not a host: write {host}")),
        ("https://a b", format!("`a b` is not a host: write {host}")),
        ("https://*x.example", format!("`*x.example` is not a host: write {host}")),
        ("https://a.*.example", format!("`a.*.example` is not a host: write {host}")),
        ("https://*.*", format!("`*.*` is not a host: write {host}")),
        ("https://-a.example", format!("`-a.example` is not a host: write {host}")),
        ("https://a..example", format!("`a..example` is not a host: write {host}")),
        ("https://bücher.example", format!("`bücher.example` is not a host: write {host}")),
        ("https://127.1", format!("`127.1` is not a host: write {host}")),
        ("https://0x7f000001", format!("`0x7f000001` is not a host: write {host}")),
        ("https://10.0.0.256", format!("`10.0.0.256` is not a host: write {host}")),
        ("https://[::1", format!("`[:` is not a host: write {host}")),
        ("https://[fe80::1%25eth0]", format!("`[fe80::1%25eth0]` is not a host: write {host}")),
        ("https://a\\b", format!("`a\\b` is not a host: write {host}")),
        ("https://a:", "`` is not a port: write 1 to 65535, or `*` for any".to_owned()),
        ("https://a:0", "`0` is not a port: write 1 to 65535, or `*` for any".to_owned()),
        ("https://a:+1", "`+1` is not a port: write 1 to 65535, or `*` for any".to_owned()),
        ("https://a:65536", "`65536` is not a port: write 1 to 65535, or `*` for any".to_owned()),
    ];
    for (text, expected) in cases {
        let error = AllowedHost::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn wagi_ignores_paths_and_has_a_word_for_everything() {
    let rule = AllowedHost::parse_wagi("https://a.example/v1?q=1#f").unwrap();
    assert!(rule.allows(true, "a.example", 443) && !rule.is_everything());
    assert_eq!(rule.to_string(), "https://a.example/v1?q=1#f");

    let all = AllowedHost::parse_wagi(ALLOW_ALL).unwrap();
    assert!(all.is_everything());
    assert!(all.allows(true, "a.example", 1) && all.allows(false, "10.0.0.1", 65535));
    assert!(!all.names_address([10, 0, 0, 1].into()));

    assert_eq!(AllowedHost::parse_wagi("https://u@a/v1"), Err(AllowedHostError::Credentials));
    assert!(!AllowedHost::parse("https://*:*").unwrap().is_everything());
}

#[test]
fn only_literal_addresses_and_localhost_name_an_address() {
    let cases = [
        ("http://10.0.0.1", "10.0.0.1", true),
        ("http://10.0.0.1", "10.0.0.2", false),
        ("http://[::1]", "::1", true),
        ("http://[::1]", "127.0.0.1", false),
        ("http://localhost", "127.0.0.1", true),
        ("http://LOCALHOST.", "::1", true),
        ("http://localhost", "10.0.0.1", false),
        ("http://*", "127.0.0.1", false),
        ("http://*.localhost", "127.0.0.1", false),
        ("http://db.example", "10.0.0.1", false),
    ];
    for (text, ip, expected) in cases {
        assert_eq!(rule(text).names_address(ip.parse().unwrap()), expected, "{text} {ip}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in ".{0,80}", tail in "[a-z0-9.:/*@%\\[\\]-]{0,40}") {
        let urls = [format!("https://{tail}"), format!("http://{text}")];
        for text in urls.into_iter().chain([text, tail]) {
            let strict = AllowedHost::parse(&text);
            let lenient = AllowedHost::parse_wagi(&text);
            if let Ok(rule) = strict {
                prop_assert_eq!(rule.to_string(), text);
                prop_assert_eq!(Ok(rule), lenient);
            }
        }
    }

    #[test]
    fn a_rule_allows_its_own_host_and_no_longer_one(
        name in "[a-z]{1,5}(\\.[a-z]{1,5}){0,3}", port in 1..=u16::MAX, https: bool,
    ) {
        let scheme = if https { "https" } else { "http" };
        let own = rule(&format!("{scheme}://{name}:{port}"));
        let below = rule(&format!("{scheme}://*.{name}:{port}"));
        let (longer, glued) = (format!("x.{name}"), format!("x{name}"));
        prop_assert!(own.allows(https, &name.to_uppercase(), port));
        prop_assert!(!own.allows(!https, &name, port) && !own.allows(https, &name, port ^ 1));
        prop_assert!(!own.allows(https, &longer, port) && below.allows(https, &longer, port));
        prop_assert!(!below.allows(https, &name, port));
        prop_assert!(!below.allows(https, &glued, port));
    }

    #[test]
    fn an_address_is_named_by_its_own_rule_only(ip: IpAddr, other: IpAddr) {
        let text = match ip {
            IpAddr::V4(ip) => format!("http://{ip}"),
            IpAddr::V6(ip) => format!("http://[{ip}]"),
        };
        let rule = rule(&text);
        prop_assert!(rule.names_address(ip) && rule.allows(false, &ip.to_string(), 80));
        prop_assert_eq!(rule.names_address(other), ip == other);
    }
}
