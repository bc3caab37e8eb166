//! RFC 3875 where WAGI departs from it.

use super::*;

type Sent = &'static [(&'static str, &'static str)];
type Expected = &'static [(&'static str, Option<&'static str>)];

#[test]
fn headers_become_the_variables_that_the_rfc_wants() {
    let table: [(&str, Sent, Expected); 9] = [
        // 4.1.3: from the header, and from that one only; 4.1.18: not twice.
        (
            "content type",
            &[("content-type", "text/csv")],
            &[("CONTENT_TYPE", Some("text/csv")), ("HTTP_CONTENT_TYPE", None)],
        ),
        (
            "a namesake with an underscore",
            &[("content_type", "text/csv")],
            &[("CONTENT_TYPE", None), ("HTTP_CONTENT_TYPE", None)],
        ),
        ("no content type", &[], &[("CONTENT_TYPE", None)]),
        // 4.1.18: one value of all; and no client sets what programs take for their settings.
        ("repeated", &[("x-a", "1"), ("x-a", "2")], &[("HTTP_X_A", Some("1, 2"))]),
        ("httpoxy", &[("proxy", "http://evil")], &[("HTTP_PROXY", None)]),
        (
            "underscores and dashes",
            &[("x-real-ip", "192.0.2.1"), ("x_real_ip", "192.0.2.66")],
            &[("HTTP_X_REAL_IP", Some("192.0.2.1"))],
        ),
        // 4.1.1, 4.1.11: nobody was authenticated by the server.
        (
            "credentials",
            &[("authorization", "Basic eDp5")],
            &[("AUTH_TYPE", None), ("REMOTE_USER", None), ("HTTP_AUTHORIZATION", None)],
        ),
        // 4.1.2: a length that the client announces is not one that came.
        (
            "announced length",
            &[("content-length", "100")],
            &[("CONTENT_LENGTH", None), ("HTTP_CONTENT_LENGTH", None)],
        ),
        // 4.1.6: nothing maps paths to files.
        ("no file", &[], &[("PATH_TRANSLATED", None)]),
    ];
    for (case, sent, expected) in table {
        let variables = environment(&meta(&headers(sent))).unwrap();
        for (name, expected) in expected {
            assert_eq!(value(&variables, name), *expected, "{case}: {name}");
        }
    }
}

#[test]
fn the_port_is_the_sockets_and_the_name_has_its_brackets() {
    // 4.1.15 and 4.1.14.
    let table = [
        ("example.com", "example.com", "http://example.com/app/a%20b?x=1"),
        ("example.com:81", "example.com", "http://example.com:81/app/a%20b?x=1"),
        ("[::1]:8080", "[::1]", "http://[::1]:8080/app/a%20b?x=1"),
    ];
    for (host, name, url) in table {
        let headers = HeaderMap::new();
        check(
            &RequestMeta { host: Some(host), local_port: 38101, ..meta(&headers) },
            &[
                ("SERVER_NAME", Some(name)),
                ("SERVER_PORT", Some("38101")),
                ("X_FULL_URL", Some(url)),
            ],
        );
    }
}

#[test]
fn script_name_and_path_info_make_up_the_path() {
    // 4.1.13 and 3.3: the root has an empty script name, not a slash of its own.
    let headers = HeaderMap::new();
    for (pattern, path, script_name, path_info) in [
        ("/...", "/zzz/y", "", "/zzz/y"),
        ("/", "/", "", "/"),
        ("/a%20b/...", "/a%20b/c", "/a b", "/c"),
        ("/a/...", "/a", "/a", ""),
        ("/a/:b/...", "/a/x%20y/z", "/a/x y", "/z"),
        ("/dump/...", "/dump/a%20b/../c%2Fd", "/dump", "/a b/../c/d"),
    ] {
        let pattern = crate::Pattern::parse(pattern).unwrap();
        let raw = pattern.script_name(path);
        let rest = path.strip_prefix(raw).unwrap();
        check(
            &RequestMeta { path, script_name: raw, path_info: rest, ..meta(&headers) },
            &[("SCRIPT_NAME", Some(script_name)), ("PATH_INFO", Some(path_info))],
        );
    }
}

#[test]
fn http2_has_a_host_too() {
    let headers = HeaderMap::new();
    check(
        &RequestMeta { version: Version::HTTP_2, host: Some("a.example"), ..meta(&headers) },
        &[
            ("SERVER_PROTOCOL", Some("HTTP/2.0")),
            ("HTTP_HOST", Some("a.example")),
            ("SERVER_NAME", Some("a.example")),
        ],
    );
}
