//! A request as its guest sees it: routes, environment and arguments of RFC 3875 and WAGI.

use anyhow::Result;

use crate::raw;
use crate::shown::shown;
use crate::wat;

const ROUTES: &str = r#"
version = 1
name = "wagi"
[env]
GREETING = "hello"
REQUEST_METHOD = "FAKE"
HTTP_X_ROLE = "admin"
[[route]]
path = "/"
module = "show.wat"
[[route]]
path = "/exact"
module = "show.wat"
[[route]]
path = "/pre/..."
module = "show.wat"
[[route]]
path = "/pre/in/..."
module = "show.wat"
argv = "guest ${SCRIPT_NAME} -- ${ARGS}"
env = { GREETING = "hi" }
"#;

#[tokio::test]
async fn routes_split_the_path() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let cases = [
        ("/", "/", "", "/", "/"),
        ("/exact", "/exact", "/exact", "", ""),
        ("/pre", "/pre/...", "/pre", "", ""),
        ("/pre/", "/pre/...", "/pre", "/", "/"),
        ("/pre/a%20b%2Fc", "/pre/...", "/pre", "/a b/c", "/a%20b%2Fc"),
        ("/pre//x/../y", "/pre/...", "/pre", "//x/../y", "//x/../y"),
        ("/pre/%FF", "/pre/...", "/pre", "/\u{fffd}", "/%FF"),
        ("/pre/inner", "/pre/...", "/pre", "/inner", "/inner"),
        ("/pre/in/a", "/pre/in/...", "/pre/in", "/a", "/a"),
    ];
    for (path, route, script, info, raw_info) in cases {
        let seen = shown(&app.trilby, &format!("GET {path} HTTP/1.1"), &["Host: a"]).await?;
        seen.has(&[
            ("X_MATCHED_ROUTE", Some(route)),
            ("SCRIPT_NAME", Some(script)),
            ("PATH_INFO", Some(info)),
            ("X_RAW_PATH_INFO", Some(raw_info)),
            ("REQUEST_URI", Some(path)),
            ("PATH_TRANSLATED", None),
        ]);
    }
    for path in ["/exact/", "/exac", "/prefix", "/Exact", "//", "/%65xact"] {
        let (head, body) =
            raw::request(&app.trilby, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        assert_eq!(head.status, 404, "{path}: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn the_environment_is_the_request() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let port = app.trilby.port().to_string();
    let seen =
        shown(&app.trilby, "DELETE /pre/x?a=1&b=%20?c HTTP/1.1", &["Host: Example.org:99"]).await?;
    seen.has(&[
        ("GATEWAY_INTERFACE", Some("CGI/1.1")),
        ("REQUEST_METHOD", Some("DELETE")),
        ("QUERY_STRING", Some("a=1&b=%20?c")),
        ("SERVER_PROTOCOL", Some("HTTP/1.1")),
        ("SERVER_NAME", Some("Example.org")),
        // Where the request came in, whatever the client calls it (section 4.1.15).
        ("SERVER_PORT", Some(&port)),
        ("X_FULL_URL", Some("http://Example.org:99/pre/x?a=1&b=%20?c")),
        ("HTTP_HOST", Some("Example.org:99")),
        ("REMOTE_ADDR", Some("127.0.0.1")),
        ("REMOTE_HOST", Some("127.0.0.1")),
        ("TRILBY_TRIGGER", Some("http")),
        ("CONTENT_LENGTH", None),
        ("CONTENT_TYPE", None),
        ("AUTH_TYPE", None),
        ("REMOTE_USER", None),
        ("HTTPS", None),
        // The manifest adds to the environment, but cannot fake a request.
        ("GREETING", Some("hello")),
    ]);
    assert!(seen.env.get("SERVER_SOFTWARE").is_some_and(|name| name.starts_with("Trilby/")));
    assert!(!seen.env.get("REQUEST_ID").is_none_or(String::is_empty));
    // Nothing of the server's own environment.
    for name in ["PATH", "HOME", "TRILBY_LOG"] {
        seen.has(&[(name, None)]);
    }
    let seen = shown(&app.trilby, "GET /pre/in HTTP/1.0", &["X-Role: user"]).await?;
    seen.has(&[
        ("GREETING", Some("hi")),
        ("HTTP_X_ROLE", Some("user")),
        ("QUERY_STRING", Some("")),
        ("SERVER_PROTOCOL", Some("HTTP/1.0")),
        ("SERVER_NAME", Some("127.0.0.1")),
    ]);
    Ok(())
}

#[tokio::test]
async fn hosts_may_be_addresses() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    for (host, name, url) in [
        ("[::1]:8080", "[::1]", "http://[::1]:8080/"),
        ("[2001:db8::7]", "[2001:db8::7]", "http://[2001:db8::7]/"),
        ("10.0.0.1", "10.0.0.1", "http://10.0.0.1/"),
    ] {
        let seen = shown(&app.trilby, "GET / HTTP/1.1", &[&format!("Host: {host}")]).await?;
        seen.has(&[("SERVER_NAME", Some(name)), ("X_FULL_URL", Some(url))]);
    }
    // What is no host is not passed off as the server's name.
    let seen = shown(&app.trilby, "GET / HTTP/1.1", &["Host: <script>"]).await?;
    seen.has(&[("SERVER_NAME", Some("127.0.0.1"))]);
    Ok(())
}

#[tokio::test]
async fn headers_become_variables() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let lines = [
        "Host: a",
        "Accept: text/html",
        "X-Many: 1",
        "x-many: 2",
        "Cookie: a=1",
        "Cookie: b=2",
        "Authorization: Basic c2VjcmV0",
        "Proxy-Authorization: Basic c2VjcmV0",
        "Proxy: http://evil.example",
        "X_Role: admin",
        "Connection: keep-alive, X-Hop",
        "Keep-Alive: timeout=5",
        "TE: trailers",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "X-Request-Id: from-a-proxy",
    ];
    let seen = shown(&app.trilby, "GET /exact HTTP/1.1", &lines).await?;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    seen.has(&[
        ("HTTP_ACCEPT", Some("text/html")),
        ("HTTP_X_MANY", Some("1, 2")),
        ("HTTP_COOKIE", Some("a=1; b=2")),
        ("TRACEPARENT", Some(trace)),
        ("REQUEST_ID", Some("from-a-proxy")),
        ("HTTP_AUTHORIZATION", None),
        ("HTTP_PROXY_AUTHORIZATION", None),
        ("HTTP_PROXY", None),
        ("HTTP_CONNECTION", None),
        ("HTTP_KEEP_ALIVE", None),
        ("HTTP_TE", None),
        // It would pass for `X-Role`, so the manifest's own value stands.
        ("HTTP_X_ROLE", Some("admin")),
    ]);
    Ok(())
}

#[tokio::test]
async fn bodies_have_a_type_and_a_length() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let sent = ["POST /exact HTTP/1.1", "Host: a", "Content-Type: a/b; c=d", "Content-Length: 3"];
    let seen = shown(&app.trilby, &sent.join("\r\n"), &["", "abc"]).await?;
    seen.has(&[
        ("CONTENT_LENGTH", Some("3")),
        ("CONTENT_TYPE", Some("a/b; c=d")),
        ("HTTP_CONTENT_LENGTH", None),
        ("HTTP_CONTENT_TYPE", None),
    ]);
    let seen =
        shown(&app.trilby, "POST /exact HTTP/1.1", &["Host: a", "Content-Length: 0"]).await?;
    seen.has(&[("CONTENT_LENGTH", None)]);

    let sent = ["POST /exact HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"];
    let seen = shown(&app.trilby, &sent.join("\r\n"), &["", "3", "abc", "0"]).await?;
    seen.has(&[("CONTENT_LENGTH", None), ("HTTP_TRANSFER_ENCODING", None)]);
    Ok(())
}

#[tokio::test]
async fn arguments_follow_the_manifests_kind() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let cases: [(&str, &[&str]); 5] = [
        ("/exact", &["/exact"]),
        ("/exact?one+t%77o", &["/exact", "one", "two"]),
        ("/exact?a=1+b", &["/exact"]),
        ("/exact?a%00b", &["/exact"]),
        ("/pre/in/x?a=1&b", &["guest", "/pre/in/x", "--", "a=1", "b"]),
    ];
    for (path, expected) in cases {
        let seen = shown(&app.trilby, &format!("GET {path} HTTP/1.1"), &["Host: a"]).await?;
        assert_eq!(seen.args, expected, "{path}");
    }

    // WAGI's own manifest: arguments as WAGI has them, and the first match wins.
    let folder = tempfile::tempdir()?;
    let modules = "[[module]]\nroute = '/w/...'\nmodule = 'show.wat'\n\
                   [[module]]\nroute = '/w/exact'\nmodule = 'count.wat'\n";
    let trilby = wat::write(&folder, "modules.toml", modules, |launch| launch)?.start().await?;
    let seen = shown(&trilby, "GET /w/exact?a=1&b%20c&& HTTP/1.1", &["Host: a"]).await?;
    assert_eq!(seen.args, ["/w/exact", "a=1", "b%20c", "", ""]);
    seen.has(&[("X_MATCHED_ROUTE", Some("/w/...")), ("SCRIPT_NAME", Some("/w"))]);
    Ok(())
}
