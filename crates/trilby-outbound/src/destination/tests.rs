use proptest::prelude::*;

use super::*;

fn destination(url: &str) -> Destination {
    Destination::read(&url.parse().unwrap()).unwrap()
}

#[test]
fn a_url_has_one_form() {
    let cases = [
        ("http://Example.COM", "http://example.com/"),
        ("HTTP://example.com.:80/a?b", "http://example.com/a?b"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:/x", "https://example.com/x"),
        ("https://example.com:8443", "https://example.com:8443/"),
        ("http://[2001:DB8::0:1]:81/", "http://[2001:db8::1]:81/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://127.1/", "http://127.1/"),
        ("http://example.com?q", "http://example.com/?q"),
    ];
    for (url, expected) in cases {
        assert_eq!(destination(url).uri().unwrap().to_string(), expected, "{url}");
    }
    assert_eq!(destination("http://127.0.0.1.").ip, Some([127, 0, 0, 1].into()));
    assert_eq!(destination("http://[::1]").ip, Some(Ipv6Addr::LOCALHOST.into()));
}

#[test]
fn other_urls_are_refused() {
    let cases = [
        ("/path", "it must begin with `http://` or `https://`"),
        ("example.com:80", "it must begin with `http://` or `https://`"),
        ("ftp://example.com/", "it must begin with `http://` or `https://`"),
        (
            "http://user:secret@example.com/",
            "user name and password go into an `Authorization` header",
        ),
        ("http://example.com:0/", "its port must be from 1 to 65535"),
        ("http://example.com:65536/", "its port must be from 1 to 65535"),
        ("http://a%20b/", "it needs a host"),
        ("http://[fe80::1%25eth0]/", "it needs a host"),
    ];
    for (url, reason) in cases {
        let Ok(uri) = url.parse() else { continue };
        assert_eq!(Destination::read(&uri), Err(Error::InvalidUrl { reason }), "{url}");
    }
}

#[test]
fn locations_are_resolved_as_rfc_3986_does() {
    let base = destination("https://a.example:8443/b/c/d?q=1");
    let cases = [
        ("http://B.example/x#f", "http://b.example/x"),
        ("//b.example/x", "https://b.example/x"),
        ("/x", "https://a.example:8443/x"),
        ("/x/../y/./z/..", "https://a.example:8443/y/"),
        ("x", "https://a.example:8443/b/c/x"),
        ("./x?y=a:b/../c", "https://a.example:8443/b/c/x?y=a:b/../c"),
        ("../x", "https://a.example:8443/b/x"),
        ("../../../../x", "https://a.example:8443/x"),
        ("..", "https://a.example:8443/b/"),
        (".", "https://a.example:8443/b/c/"),
        ("?q=2", "https://a.example:8443/b/c/d?q=2"),
        ("", "https://a.example:8443/b/c/d?q=1"),
        ("#f", "https://a.example:8443/b/c/d?q=1"),
        ("/ü ä", "https://a.example:8443/%C3%BC%20%C3%A4"),
    ];
    for (location, expected) in cases {
        let joined = base.join(location.as_bytes()).unwrap();
        assert_eq!(joined.uri().unwrap().to_string(), expected, "{location}");
    }
    for location in ["ftp://a.example/", "javascript:x", "http://u:p@a.example/", "http://", "//"] {
        let error = base.join(location.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::InvalidUrl { .. }), "{location}: {error}");
    }
}

proptest! {
    #[test]
    fn joining_keeps_the_one_form(location in prop::collection::vec(any::<u8>(), 0..40)) {
        let base = destination("http://a.example/b/c?d");
        if let Ok(joined) = base.join(&location) {
            prop_assert_eq!(Destination::read(&joined.uri().unwrap()), Ok(joined.clone()));
            prop_assert!(!joined.path.path().split('/').any(|segment| segment == "..")
                || has_scheme(&ascii(&location)) || location.starts_with(b"//"));
        }
    }
}
