use proptest::prelude::*;

use super::*;

#[test]
fn hosts_are_names_wildcards_and_addresses() {
    let table = [
        ("api.example.com", "api.example.com"),
        ("API.Example.com", "api.example.com"),
        ("*.Example.com", "*.example.com"),
        ("localhost", "localhost"),
        ("*.localhost", "*.localhost"),
        ("a_b-c", "a_b-c"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("::", "[::]"),
    ];
    for (text, shown) in table {
        let pattern = HostPattern::parse(text).unwrap();
        assert_eq!(pattern.to_string(), shown, "{text}");
        assert_eq!(HostPattern::parse(shown), Ok(pattern), "{text}");
    }
}

#[test]
fn refusals_say_what_to_write() {
    let any = "a host is a name such as `api.example.com`; to match any host leave it out";
    let star = "`*` stands at the start, before a `.`, and nowhere else, as in `*.example.com`";
    let url = "a host has neither scheme nor path; write the name only, as in `api.example.com`";
    let address = |name: &str| {
        format!("`{name}` is not an IP address; write one as in `192.0.2.1` or `2001:db8::1`")
    };
    let length = |name: &str| {
        format!(
            "a host is at most 253 characters long, and each part between dots has 1 to 63; \
             `{name}` is not"
        )
    };
    let character = |c: char| {
        format!(
            "a host has letters, digits, `-`, `_` and `.`, not {c:?}; an international name is \
             written as clients send it, as in `xn--mnchen-3ya.de`"
        )
    };
    let port = |port: &str| format!("a host has no port here; leave out `:{port}`");
    let label = "a".repeat(64);
    let table = [
        ("", any.to_owned()),
        ("*", any.to_owned()),
        ("*.", any.to_owned()),
        ("a.*.b", star.to_owned()),
        ("*a.b", star.to_owned()),
        ("*.*.b", star.to_owned()),
        ("https://a.b", url.to_owned()),
        ("a.b/c", url.to_owned()),
        ("a.b:80", port("80")),
        ("*.b:80", port("80")),
        ("[::1]:80", port("80")),
        ("192.0.2.1:80", port("80")),
        ("münchen.de", character('ü')),
        ("a b", character(' ')),
        ("a@b", character('@')),
        ("a.", length("a.")),
        (".a", length(".a")),
        ("a..b", length("a..b")),
        ("*..b", length(".b")),
        (&label, length(&label)),
        ("[::1", address("[::1")),
        ("[a]", address("[a]")),
        ("a:b:c", address("a:b:c")),
        ("1.2.3", address("1.2.3")),
        ("256.0.0.1", address("256.0.0.1")),
        ("*.0.0.1", address("0.0.1")),
        ("7", address("7")),
    ];
    for (text, message) in table {
        assert_eq!(HostPattern::parse(text).unwrap_err().to_string(), message, "{text:?}");
    }
    let long = ["a".repeat(60).as_str(); 5].join(".");
    assert!(matches!(HostPattern::parse(&long), Err(HostError::Length { .. })));
}

#[test]
fn what_clients_send_is_brought_to_the_same_form() {
    let long = "a".repeat(254);
    let table = [
        ("example.com", Some("example.com")),
        ("EXAMPLE.com:8080", Some("example.com")),
        ("example.com.", Some("example.com")),
        ("192.0.2.1:80", Some("192.0.2.1")),
        ("[2001:DB8:0::1]:443", Some("[2001:db8::1]")),
        ("a\"b", None),
        ("", None),
        (&long, None),
    ];
    for (authority, name) in table {
        assert_eq!(normal(authority).as_deref(), name, "{authority}");
    }
    assert!(matches!(normal("example.com:8080"), Some(Cow::Borrowed(_))));
}

proptest! {
    #[test]
    fn any_text_is_judged(text in "(\\*\\.)?[a-zA-Z0-9.:\\[\\]*_/-]{0,12}") {
        if let Ok(pattern) = HostPattern::parse(&text) {
            let shown = pattern.to_string();
            prop_assert_eq!(HostPattern::parse(&shown), Ok(pattern.clone()));
            let name = normal(pattern.name());
            prop_assert_eq!(name.as_deref(), Some(pattern.name()));
        }
    }
}
