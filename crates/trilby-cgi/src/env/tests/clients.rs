//! Clients behind proxies, path parameters, redirects.

use super::*;

#[test]
fn peers_have_canonical_addresses() {
    let headers = HeaderMap::new();
    let table = [("[::ffff:192.0.2.1]:5", "192.0.2.1"), ("[2001:db8::1]:5", "2001:db8::1")];
    for (peer, address) in table {
        let client = Client::direct(peer.parse().unwrap(), false);
        check(
            &RequestMeta { client: &client, ..meta(&headers) },
            &[
                ("REMOTE_ADDR", Some(address)),
                ("REMOTE_HOST", Some(address)),
                ("REMOTE_PORT", Some("5")),
            ],
        );
    }
}

#[test]
fn the_url_is_the_one_that_the_proxy_tells() {
    // What a proxy says (scheme, host, port), the request's host; name, port and start of the URL.
    let table = [
        ((true, None, Some(443)), Some("own"), ("own", "443", "https://own/")),
        ((true, None, Some(8443)), Some("own"), ("own", "8443", "https://own:8443/")),
        ((true, None, Some(8443)), Some("own:8443"), ("own", "8443", "https://own:8443/")),
        ((true, Some("h"), Some(443)), Some("own:81"), ("h", "443", "https://h/")),
        ((true, Some("h"), Some(8443)), Some("own:81"), ("h", "8443", "https://h:8443/")),
        ((true, Some("h:1"), Some(1)), Some("own:81"), ("h", "1", "https://h:1/")),
        ((false, Some("[::1]"), Some(81)), None, ("[::1]", "81", "http://[::1]:81/")),
        ((true, None, Some(443)), None, ("localhost", "443", "https://localhost/")),
        ((false, None, None), None, ("localhost", "8080", "http://localhost:8080/")),
    ];
    let headers = HeaderMap::new();
    for ((https, said, server_port), host, (name, port, url)) in table {
        let client = &Client { https, host: said.map(Cow::Borrowed), server_port, ..CLIENT };
        let url = format!("{url}app/a%20b?x=1");
        check(
            &RequestMeta { client, host, ..meta(&headers) },
            &[
                ("SERVER_NAME", Some(name)),
                ("SERVER_PORT", Some(port)),
                ("X_FULL_URL", Some(&url)),
                ("HTTPS", https.then_some("on")),
                ("HTTP_HOST", host),
            ],
        );
    }
}

#[test]
fn a_forwarded_request_names_the_client() {
    let headers = headers(&[
        ("forwarded", "for=192.0.2.9;proto=https;host=\"shop.example:8443\""),
        ("host", "10.0.0.9:8080"),
    ]);
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    let client = crate::client("10.0.0.1:5".parse().unwrap(), false, &headers, &trusted);
    check(
        &RequestMeta { client: &client, host: Some("10.0.0.9:8080"), ..meta(&headers) },
        &[
            ("REMOTE_ADDR", Some("192.0.2.9")),
            ("REMOTE_HOST", Some("192.0.2.9")),
            ("REMOTE_PORT", None),
            ("HTTPS", Some("on")),
            ("SERVER_NAME", Some("shop.example")),
            ("SERVER_PORT", Some("8443")),
            ("X_FULL_URL", Some("https://shop.example:8443/app/a%20b?x=1")),
            ("HTTP_HOST", Some("10.0.0.9:8080")),
        ],
    );
}

#[test]
fn parameters_of_the_path_are_variables() {
    let headers = HeaderMap::new();
    let params: &[(&str, &str)] = &[("id", "a%2Fb"), ("user-id", "gr%C3%BCn"), ("_x", "%zz")];
    check(
        &RequestMeta { params, ..meta(&headers) },
        &[
            ("PATH_PARAM_ID", Some("a/b")),
            ("PATH_PARAM_USER_ID", Some("gr\u{fc}n")),
            ("PATH_PARAM__X", Some("%zz")),
            ("PATH_PARAM_X", None),
        ],
    );
    let nul = RequestMeta { params: &[("id", "a%00")], ..meta(&headers) };
    assert_eq!(environment(&nul), Err(EnvError::NulInPath));
}

#[test]
fn a_redirect_shows_where_it_began() {
    let headers = HeaderMap::new();
    check(&meta(&headers), &[("REDIRECT_URL", None)]);
    let redirected_from = Some("/old%20path");
    check(
        &RequestMeta { redirected_from, ..meta(&headers) },
        &[("REDIRECT_URL", Some("/old path")), ("REQUEST_URI", Some("/app/a%20b?x=1"))],
    );
}

#[test]
fn authorization_is_for_guests_that_want_it() {
    let headers = headers(&[("authorization", "Bearer t"), ("proxy-authorization", "Basic x")]);
    for (authorization, expected) in [(true, Some("Bearer t")), (false, None)] {
        check(
            &RequestMeta { authorization, ..meta(&headers) },
            &[("HTTP_AUTHORIZATION", expected), ("HTTP_PROXY_AUTHORIZATION", None)],
        );
    }
}
