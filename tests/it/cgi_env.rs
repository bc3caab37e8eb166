//! The environment beyond what every request has: bodies, credentials, traces, ids and arguments
//! (RFC 3875 section 4, and where WAGI departs from it).

use anyhow::Result;
use trilby_testkit::Client;

use crate::heads;
use crate::raw::Connection;
use crate::shown::{Shown, shown};

const ROUTES: &str = r#"
version = 1
[[route]]
path = "/..."
module = "show.wat"
[[route]]
path = "/private"
module = "show.wat"
authorization = true
[[route]]
path = "/templated"
module = "show.wat"
argv = "run ${SCRIPT_NAME} ${ARGS}"
"#;

/// Lines of a request, or arguments.
type Texts<'a> = &'a [&'a str];

async fn app() -> Result<heads::App> {
    heads::serve("trilby.toml", ROUTES, &[]).await
}

const WAGI: &str = "[[module]]\nroute = '/...'\nmodule = 'show.wat'\n\
    [[module]]\nroute = '/never'\nmodule = 'show.wat'\n";

#[tokio::test]
async fn http2_has_the_same_environment() -> Result<()> {
    let app = app().await?;
    let http = Client::http2(&format!("http://{}", app.trilby.address));
    let headers = [("content-type", "a/b"), ("x-a", "1"), ("x-a", "2")];
    let answer = http.send(http::Method::POST, "/x?y", &headers, "abc").await?;
    Shown::parse(&answer.text())?.has(&[
        ("SERVER_PROTOCOL", Some("HTTP/2.0")),
        ("GATEWAY_INTERFACE", Some("CGI/1.1")),
        ("REQUEST_METHOD", Some("POST")),
        ("SERVER_NAME", Some("127.0.0.1")),
        ("SERVER_PORT", Some(&app.trilby.port().to_string())),
        ("HTTP_HOST", Some(&app.trilby.address)),
        ("X_FULL_URL", Some(&format!("http://{}/x?y", app.trilby.address))),
        ("REQUEST_URI", Some("/x?y")),
        ("REMOTE_ADDR", Some("127.0.0.1")),
        ("CONTENT_LENGTH", Some("3")),
        ("CONTENT_TYPE", Some("a/b")),
        ("HTTP_X_A", Some("1, 2")),
    ]);
    Ok(())
}

#[tokio::test]
async fn lengths_and_types_are_those_of_a_body() -> Result<()> {
    let app = app().await?;
    let wagi = heads::serve("modules.toml", WAGI, &[]).await?;
    let cases: [(&str, Texts<'_>, Option<&str>, Option<&str>); 6] = [
        ("GET", &[], None, None),
        ("POST", &["Content-Length: 0"], None, None),
        // A type without a body is still what the client said (section 4.1.3).
        ("POST", &["Content-Type: a/b", "Content-Length: 0"], None, Some("a/b")),
        ("GET", &["Content-Type: a/b", "Content-Length: 3", "", "abc"], Some("3"), Some("a/b")),
        ("PUT", &["Content-Length: 003", "", "abc"], Some("3"), None),
        // An underscore is not a dash.
        ("POST", &["Content_Type: a/b", "Content_Length: 9"], None, None),
    ];
    for trilby in [&app.trilby, &wagi.trilby] {
        for (method, lines, length, content_type) in &cases {
            let lines = [&["Host: a"], *lines].concat();
            let seen = shown(trilby, &format!("{method} /x HTTP/1.1"), &lines).await?;
            seen.has(&[
                ("CONTENT_LENGTH", *length),
                ("CONTENT_TYPE", *content_type),
                ("HTTP_CONTENT_LENGTH", None),
                ("HTTP_CONTENT_TYPE", None),
            ]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn credentials_are_for_those_that_ask() -> Result<()> {
    let app = app().await?;
    let wagi = heads::serve("modules.toml", WAGI, &[]).await?;
    let lines = [
        "Host: a",
        "Authorization: Bearer t0ken",
        "Proxy-Authorization: Basic c2VjcmV0",
        "Dapr-Api-Token: t0ken",
        "Proxy: http://evil.test",
    ];
    let value = Some("Bearer t0ken");
    for (trilby, path, expected) in
        [(&app.trilby, "/private", value), (&app.trilby, "/x", None), (&wagi.trilby, "/x", None)]
    {
        shown(trilby, &format!("GET {path} HTTP/1.1"), &lines).await?.has(&[
            ("HTTP_AUTHORIZATION", expected),
            ("HTTP_PROXY_AUTHORIZATION", None),
            ("HTTP_DAPR_API_TOKEN", None),
            ("HTTP_PROXY", None),
            // The server itself has authenticated nobody.
            ("AUTH_TYPE", None),
            ("REMOTE_USER", None),
            ("REMOTE_IDENT", None),
        ]);
    }
    Ok(())
}

#[tokio::test]
async fn any_value_of_a_header_is_text() -> Result<()> {
    let wagi = heads::serve("modules.toml", WAGI, &[]).await?;
    let lines = [
        "Host: a",
        "X-Empty:",
        "X-UTF-8: gr\u{fc}n",
        "X-Inner:  a  b  ",
        "x-a: 1",
        "X-A: 2, 3",
        "X-a:",
        "Accept: a/b",
        "Accept: c/d",
        "Cookie: a=1",
        "Cookie: b=2",
        "X.Y: dot",
    ];
    shown(&wagi.trilby, "GET /x HTTP/1.1", &lines).await?.has(&[
        ("HTTP_X_EMPTY", Some("")),
        ("HTTP_X_UTF_8", Some("gr\u{fc}n")),
        ("HTTP_X_INNER", Some("a  b")),
        ("HTTP_X_A", Some("1, 2, 3, ")),
        ("HTTP_ACCEPT", Some("a/b, c/d")),
        ("HTTP_COOKIE", Some("a=1; b=2")),
        ("HTTP_X.Y", Some("dot")),
    ]);

    // What is not UTF-8 is replaced, as in paths.
    let mut connection = Connection::open(&wagi.trilby).await?;
    connection.send(b"GET /x HTTP/1.1\r\nHost: a\r\nX-A: b\xffc\r\n\r\n").await?;
    let (_, body) = connection.answer().await?;
    Shown::parse(&body)?.has(&[("HTTP_X_A", Some("b\u{fffd}c"))]);
    Ok(())
}

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn traces_are_passed_on_if_they_are_valid() -> Result<()> {
    let app = app().await?;
    let parent = format!("traceparent: {TRACE}");
    let upper = parent.to_uppercase();
    let zero = format!("traceparent: 00-{}-b7ad6b7169203331-01", "0".repeat(32));
    let cases: [(&[&str], Option<&str>, Option<&str>); 7] = [
        (&[&parent], Some(TRACE), None),
        (&[&parent, "tracestate: a=1", "Tracestate: b=2"], Some(TRACE), Some("a=1,b=2")),
        (&["tracestate: a=1"], None, None),
        (&["traceparent: nonsense", "tracestate: a=1"], None, None),
        (&[&upper], None, None),
        (&[&zero], None, None),
        (&[&parent, &parent], None, None),
    ];
    for (lines, expected, state) in cases {
        let seen = shown(&app.trilby, "GET /x HTTP/1.1", &[&["Host: a"], lines].concat()).await?;
        seen.has(&[("TRACEPARENT", expected), ("TRACESTATE", state)]);
    }
    Ok(())
}

#[tokio::test]
async fn requests_have_ids() -> Result<()> {
    let mut app = app().await?;
    let long = format!("X-Request-Id: {}", "x".repeat(128));
    let too_long = format!("X-Request-Id: {}", "x".repeat(129));
    let given = ["X-Request-Id: mine-7", &*long];
    for line in given {
        let seen = shown(&app.trilby, "GET /x HTTP/1.1", &["Host: a", line]).await?;
        let (_, id) = line.split_once(": ").unwrap_or_default();
        seen.has(&[("REQUEST_ID", Some(id)), ("HTTP_X_REQUEST_ID", Some(id))]);
    }
    let mut ids = std::collections::BTreeSet::new();
    for lines in
        [&["Host: a"][..], &["Host: a"], &["Host: a", "X-Request-Id:"], &["Host: a", &too_long]]
    {
        let seen = shown(&app.trilby, "GET /x HTTP/1.1", lines).await?;
        let id = seen.env.get("REQUEST_ID").cloned().unwrap_or_default();
        assert!(!id.is_empty() && id.len() < 100, "{id:?}");
        // The log calls it so, too.
        app.trilby.logged(&format!("request_id=\"{id}\"")).await?;
        assert!(ids.insert(id), "{ids:?}");
    }
    Ok(())
}

/// RFC 3875 section 4.4 has arguments for GET and HEAD with an "indexed" query; WAGI always.
#[tokio::test]
async fn arguments_are_those_of_the_manifest() -> Result<()> {
    let app = app().await?;
    let wagi = heads::serve("modules.toml", WAGI, &[]).await?;
    let cases: [(&str, Texts<'_>, Texts<'_>, Texts<'_>); 8] = [
        ("", &[], &[], &[]),
        ("?", &[], &[], &[""]),
        (
            "?one+two%2B%20three",
            &["one", "two+ three"],
            &["one+two%2B%20three"],
            &["one+two%2B%20three"],
        ),
        ("?a=1", &[], &["a=1"], &["a=1"]),
        ("?a%3D1", &["a=1"], &["a%3D1"], &["a%3D1"]),
        ("?a&b", &["a&b"], &["a", "b"], &["a", "b"]),
        ("?a&&b", &["a&&b"], &["a", "b"], &["a", "", "b"]),
        ("?one++two", &[], &["one++two"], &["one++two"]),
    ];
    for (query, rfc, template, own) in cases {
        let get = |path: &str| format!("GET {path}{query} HTTP/1.1");
        let seen = shown(&app.trilby, &get("/a%20b"), &["Host: a"]).await?;
        assert_eq!(seen.args, [&["/a%20b"], rfc].concat(), "{query}");
        let seen = shown(&app.trilby, &get("/templated"), &["Host: a"]).await?;
        assert_eq!(seen.args, [&["run", "/templated"], template].concat(), "{query}");
        let seen = shown(&wagi.trilby, &get("/a%20b"), &["Host: a"]).await?;
        assert_eq!(seen.args, [&["/a%20b"], own].concat(), "{query}");
    }
    for (method, args) in [("GET", &["/x", "one"][..]), ("POST", &["/x"]), ("PUT", &["/x"])] {
        let first = format!("{method} /x?one HTTP/1.1");
        let seen = shown(&app.trilby, &first, &["Host: a"]).await?;
        assert_eq!(seen.args, args, "{method}");
        let seen = shown(&wagi.trilby, &first, &["Host: a"]).await?;
        assert_eq!(seen.args, ["/x", "one"], "{method}");
    }
    Ok(())
}
