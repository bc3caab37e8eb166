use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

mod clients;
mod rfc;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const CLIENT: Client<'static> = Client {
    addr: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    port: Some(4321),
    https: false,
    host: None,
    server_port: None,
};

fn meta(headers: &HeaderMap) -> RequestMeta<'_> {
    RequestMeta {
        method: &Method::GET,
        path: "/app/a%20b",
        query: Some("x=1"),
        version: Version::HTTP_11,
        headers,
        client: &CLIENT,
        local_port: 8080,
        body: BodyLength::None,
        script_name: "/app",
        path_info: "/a%20b",
        params: &[],
        redirected_from: None,
        authorization: false,
        matched_route: "/app/...",
        request_id: "7-1",
        host: None,
        default_server_name: "localhost",
    }
}

fn headers(sent: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn value<'a>(variables: &'a [Variable], name: &str) -> Option<&'a str> {
    variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

#[track_caller]
fn check(meta: &RequestMeta<'_>, expected: &[(&str, Option<&str>)]) {
    let variables = environment(meta).unwrap();
    for (name, expected) in expected {
        assert_eq!(value(&variables, name), *expected, "{name}");
    }
}

#[test]
fn a_plain_request_has_these_and_no_more() {
    let headers = headers(&[("host", "example.com:81"), ("user-agent", "curl")]);
    let meta = RequestMeta { host: Some("example.com:81"), ..meta(&headers) };
    let mut variables = environment(&meta).unwrap();
    variables.sort();
    let software = concat!("Trilby/", env!("CARGO_PKG_VERSION"));
    let expected = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("HTTP_HOST", "example.com:81"),
        ("HTTP_USER_AGENT", "curl"),
        ("PATH_INFO", "/a b"),
        ("QUERY_STRING", "x=1"),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("REMOTE_HOST", "192.0.2.7"),
        ("REMOTE_PORT", "4321"),
        ("REQUEST_ID", "7-1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/app/a%20b?x=1"),
        ("SCRIPT_NAME", "/app"),
        ("SERVER_NAME", "example.com"),
        ("SERVER_PORT", "8080"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", software),
        ("X_FULL_URL", "http://example.com:81/app/a%20b?x=1"),
        ("X_MATCHED_ROUTE", "/app/..."),
        ("X_RAW_PATH_INFO", "/a%20b"),
    ];
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect();
    assert_eq!(variables, expected);
}

#[test]
fn paths_are_decoded_once() {
    let headers = HeaderMap::new();
    let meta = meta(&headers);
    let table = [
        ("/b%2Fc", "/b/c"),
        ("/../x//y", "/../x//y"),
        ("/%2525", "/%25"),
        ("/%zz%", "/%zz%"),
        ("/%ff", "/\u{fffd}"),
        ("/gr%C3%BCn", "/gr\u{fc}n"),
        ("", ""),
    ];
    for (raw, info) in table {
        let path = format!("/a%20a{raw}");
        let meta = RequestMeta { path: &path, script_name: "/a%20a", path_info: raw, ..meta };
        check(
            &meta,
            &[
                ("SCRIPT_NAME", Some("/a a")),
                ("PATH_INFO", Some(info)),
                ("X_RAW_PATH_INFO", Some(raw)),
                ("PATH_TRANSLATED", None),
            ],
        );
    }
    let nul = RequestMeta { path_info: "/a%00", ..meta };
    assert_eq!(environment(&nul), Err(EnvError::NulInPath));
    let nul = RequestMeta { script_name: "/a%00", path_info: "", ..meta };
    assert_eq!(environment(&nul), Err(EnvError::NulInPath));
}

#[test]
fn the_server_is_where_the_client_says_if_that_is_a_host() {
    let headers = HeaderMap::new();
    let here = meta(&headers);
    let table = [
        (Some("[::1]:8080"), "[::1]", "http://[::1]:8080/app/a%20b?x=1"),
        (Some("a.example"), "a.example", "http://a.example/app/a%20b?x=1"),
        (Some("a\"b"), "localhost", "http://localhost:8080/app/a%20b?x=1"),
        (None, "localhost", "http://localhost:8080/app/a%20b?x=1"),
    ];
    for (host, name, url) in table {
        check(
            &RequestMeta { host, ..here },
            &[
                ("SERVER_NAME", Some(name)),
                ("SERVER_PORT", Some("8080")),
                ("X_FULL_URL", Some(url)),
                ("HTTP_HOST", host),
            ],
        );
    }
    let client = &Client { https: true, ..CLIENT };
    let tls = RequestMeta { client, local_port: 443, query: None, ..here };
    check(
        &RequestMeta { default_server_name: "::1", ..tls },
        &[
            ("SERVER_NAME", Some("[::1]")),
            ("X_FULL_URL", Some("https://[::1]/app/a%20b")),
            ("HTTPS", Some("on")),
            ("QUERY_STRING", Some("")),
            ("REQUEST_URI", Some("/app/a%20b")),
        ],
    );
}

#[test]
fn the_body_has_a_length_only_if_there_is_one() {
    let headers = headers(&[("content-type", "text/csv"), ("content-length", "3")]);
    let table = [
        (BodyLength::None, None),
        (BodyLength::Unknown, None),
        (BodyLength::Known(0), None),
        (BodyLength::Known(3), Some("3")),
    ];
    for (body, length) in table {
        check(
            &RequestMeta { body, ..meta(&headers) },
            &[
                ("CONTENT_LENGTH", length),
                ("CONTENT_TYPE", Some("text/csv")),
                ("HTTP_CONTENT_LENGTH", None),
                ("HTTP_CONTENT_TYPE", None),
            ],
        );
    }
}

#[test]
fn a_trace_needs_its_parent() {
    let good =
        headers(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]);
    check(&meta(&good), &[("TRACEPARENT", Some(TRACEPARENT)), ("TRACESTATE", Some("a=1,b=2"))]);
    let bad = headers(&[("traceparent", "00-1-1-01"), ("tracestate", "a=1")]);
    check(&meta(&bad), &[("TRACEPARENT", None), ("TRACESTATE", None)]);
}

#[test]
fn versions_have_their_names() {
    let headers = HeaderMap::new();
    let table = [
        (Version::HTTP_10, "HTTP/1.0"),
        (Version::HTTP_11, "HTTP/1.1"),
        (Version::HTTP_2, "HTTP/2.0"),
    ];
    for (version, name) in table {
        check(&RequestMeta { version, ..meta(&headers) }, &[("SERVER_PROTOCOL", Some(name))]);
    }
}

fn a_header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![
        "[A-Za-z0-9_.-]{1,8}",
        prop::sample::select(vec![
            "Proxy",
            "Authorization",
            "Cookie",
            "Host",
            "Content-Type",
            "traceparent",
            "tracestate",
            "X-A",
            "X_A",
        ])
        .prop_map(str::to_owned),
    ];
    (name, prop::collection::vec(prop_oneof![Just(b'\t'), 32..127_u8, 128..=255_u8], 0..12))
}

proptest! {
    #[test]
    fn names_are_unique_and_nothing_has_a_nul(
        sent in prop::collection::vec(a_header(), 0..12),
        uri in "/[ -~]{0,20}",
        at in 0..20_usize,
        host in prop::option::of("[ -~]{0,12}"),
        value in "[ -~]{0,6}",
        authorization: bool,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in &sent {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let (path, query) = match uri.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (uri.as_str(), None),
        };
        let (script_name, path_info) = path.split_at(at.min(path.len()));
        let host = host.as_deref();
        let params: &[(&str, &str)] = &[("user-id", &value), ("x", path)];
        let some = RequestMeta { path, query, script_name, path_info, host, ..meta(&headers) };
        let redirected_from = Some(value.as_str());
        let all = RequestMeta { params, redirected_from, authorization, ..some };
        let Ok(variables) = environment(&all) else {
            prop_assert!(path.contains("%00") || value.contains("%00"));
            return Ok(());
        };
        let mut names = HashSet::new();
        for (name, value) in &variables {
            prop_assert!(!name.contains(['\0', '=']) && !value.contains('\0'), "{name}={value}");
            prop_assert!(names.insert(name.clone()), "{name} occurs twice");
        }
        prop_assert!(!names.contains("HTTP_PROXY"));
        let sent = headers.contains_key(header::AUTHORIZATION);
        prop_assert_eq!(names.contains("HTTP_AUTHORIZATION"), authorization && sent);
        prop_assert!(!names.iter().any(|name| name.contains(char::is_lowercase)));
    }
}
