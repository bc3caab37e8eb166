//! Which route answers: host, path and method in a `trilby.toml`, the first match in a
//! `modules.toml`.

use anyhow::{Context, Result};
use http::Method;
use trilby_testkit::Trilby;

use crate::heads;
use crate::raw;
use crate::shown::shown;

/// Routes whose guests tell which they are, in an order that must not matter.
const ROUTES: &str = r#"
version = 1
[[route]]
path = "/..."
module = "show.wat"
env = { IS = "all" }
[[route]]
path = "/a/..."
module = "show.wat"
env = { IS = "below a" }
[[route]]
path = "/a/:x"
module = "show.wat"
env = { IS = "one of a" }
[[route]]
path = "/a/b"
module = "show.wat"
env = { IS = "a, b" }
[[route]]
path = "/a/b/..."
methods = ["GET", "PUT"]
module = "show.wat"
env = { IS = "below a, b" }
[[route]]
path = "/items/:id/parts/:part-no/..."
module = "show.wat"
env = { IS = "parts", PATH_PARAM_ID = "fake" }
[[route]]
path = "/items/:id"
methods = ["POST"]
module = "show.wat"
env = { IS = "new item" }
[[route]]
path = "/items/:key"
methods = ["GET", "DELETE"]
module = "show.wat"
env = { IS = "item" }
"#;

/// Which route answered, by its own word.
async fn answering(trilby: &Trilby, first: &str, host: &str) -> Result<String> {
    let seen = shown(trilby, first, &[host]).await?;
    seen.env.get("IS").cloned().context("no guest of this file")
}

#[tokio::test]
async fn the_most_specific_path_answers_whatever_the_order() -> Result<()> {
    let forwards = ROUTES.to_owned();
    let mut entries: Vec<&str> = forwards.split("[[route]]").skip(1).collect();
    entries.reverse();
    let backwards = format!("version = 1\n[[route]]{}", entries.join("[[route]]"));
    for manifest in [forwards, backwards] {
        let app = heads::serve("trilby.toml", &manifest, &[]).await?;
        for (path, expected) in [
            ("/", "all"),
            ("/ab", "all"),
            ("/A/b", "all"),
            ("/a", "below a"),
            ("/a/", "below a"),
            ("/a/x/y", "below a"),
            ("/a/x", "one of a"),
            ("/a/%62", "one of a"),
            ("/a/b", "a, b"),
            ("/a/b/", "below a, b"),
            ("/a/b/c", "below a, b"),
            ("/a//b", "below a"),
            ("/items/1", "item"),
            ("/items/1/", "all"),
            ("/items/1/parts/2", "parts"),
            ("/items//parts/2", "all"),
        ] {
            let first = format!("GET {path} HTTP/1.1");
            assert_eq!(answering(&app.trilby, &first, "Host: a").await?, expected, "{path}");
        }
        // A prefix with methods leaves the others to the next best route.
        let first = "DELETE /a/b/c HTTP/1.1";
        assert_eq!(answering(&app.trilby, first, "Host: a").await?, "below a");
    }
    Ok(())
}

#[tokio::test]
async fn parameters_are_variables() -> Result<()> {
    let app = heads::serve("trilby.toml", ROUTES, &[]).await?;
    let cases = [
        ("/items/4/parts/x", "4", "x", "/items/4/parts/x", ""),
        (
            "/items/a%20b%2Fc/parts/%FF/rest",
            "a b/c",
            "\u{fffd}",
            "/items/a b/c/parts/\u{fffd}",
            "/rest",
        ),
        ("/items/../parts/:/", "..", ":", "/items/../parts/:", "/"),
    ];
    for (path, id, part, script_name, path_info) in cases {
        let seen = shown(&app.trilby, &format!("GET {path} HTTP/1.1"), &["Host: a"]).await?;
        seen.has(&[
            // The manifest cannot fake it.
            ("PATH_PARAM_ID", Some(id)),
            ("PATH_PARAM_PART_NO", Some(part)),
            ("SCRIPT_NAME", Some(script_name)),
            ("PATH_INFO", Some(path_info)),
            ("X_MATCHED_ROUTE", Some("/items/:id/parts/:part-no/...")),
        ]);
    }
    let seen = shown(&app.trilby, "GET /a/b HTTP/1.1", &["Host: a", "Path-Param-X: 1"]).await?;
    seen.has(&[("PATH_PARAM_X", None), ("PATH_PARAM_ID", None)]);
    let sent = "GET /items/%00 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(raw::request(&app.trilby, sent).await?.0.status, 400);
    Ok(())
}

#[tokio::test]
async fn methods_choose_among_routes_of_one_path() -> Result<()> {
    let manifest = ROUTES.replace("path = \"/...\"", "path = \"/rest/...\"");
    let app = heads::serve("trilby.toml", &manifest, &[]).await?;
    for (method, expected) in [("GET", "item"), ("DELETE", "item"), ("POST", "new item")] {
        let first = format!("{method} /items/7 HTTP/1.1");
        assert_eq!(answering(&app.trilby, &first, "Host: a").await?, expected, "{method}");
    }
    // HEAD goes with GET, and its guest sees that it is HEAD.
    let get = app.trilby.http.get("/items/7").await?;
    let head = app.trilby.http.send(Method::HEAD, "/items/7", &[], "").await?;
    assert_eq!((head.status.as_u16(), &*head.text()), (200, ""));
    let length: usize = head.header("content-length").unwrap_or_default().parse()?;
    assert!(length > get.body.len(), "{length} after {}", get.body.len());

    // All methods that the path has, of all its routes.
    for method in ["PATCH", "OPTIONS", "get", "OWN"] {
        let method = Method::from_bytes(method.as_bytes())?;
        let answer = app.trilby.http.send(method.clone(), "/items/7", &[], "").await?;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("DELETE, GET, HEAD, POST"), "{method}");
        assert_eq!(answer.text(), "this path does not answer that method\n");
    }
    // Without `methods` a route takes all.
    let answer = app.trilby.http.send(Method::from_bytes(b"OWN")?, "/rest", &[], "").await?;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("REQUEST_METHOD=OWN\0"));
    let answer = app.trilby.http.send(Method::PATCH, "/nowhere", &[], "").await?;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (404, None));
    Ok(())
}

#[tokio::test]
async fn hosts_come_before_paths() -> Result<()> {
    let mut manifest = "version = 1\n".to_owned();
    for (path, host, is) in [
        ("/long/er/path", "", "any host"),
        ("/...", "*.example.com", "below example.com"),
        ("/...", "*.b.example.com", "below b.example.com"),
        ("/...", "API.example.com", "api"),
        ("/only", "127.0.0.1", "address"),
        ("/only", "[2001:DB8:0::7]", "address 6"),
    ] {
        let host = if host.is_empty() { String::new() } else { format!("host = \"{host}\"\n") };
        manifest.push_str(&format!(
            "[[route]]\npath = \"{path}\"\n{host}module = \"show.wat\"\nenv = {{ IS = \"{is}\" }}\n"
        ));
    }
    let app = heads::serve("trilby.toml", &manifest, &[]).await?;
    for (host, path, expected) in [
        ("api.example.com", "/x", "api"),
        ("API.Example.COM:99", "/x", "api"),
        ("api.example.com.", "/x", "api"),
        ("www.example.com", "/x", "below example.com"),
        ("a.b.example.com", "/x", "below b.example.com"),
        ("b.example.com", "/x", "below example.com"),
        // The host first, then the path.
        ("www.example.com", "/long/er/path", "below example.com"),
        ("elsewhere.test", "/long/er/path", "any host"),
        ("127.0.0.1", "/long/er/path", "any host"),
        ("127.0.0.1:3000", "/only", "address"),
        ("[2001:db8::7]:80", "/only", "address 6"),
    ] {
        let first = format!("GET {path} HTTP/1.1");
        let seen = answering(&app.trilby, &first, &format!("Host: {host}")).await?;
        assert_eq!(seen, expected, "{host}{path}");
    }
    for host in ["example.com", "notexample.com", "api.example.com.evil.test", "127.0.0.2", "<a>"] {
        let sent = format!("GET /only HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(raw::request(&app.trilby, &sent).await?.0.status, 404, "{host}");
    }
    // A URL in the request line comes before the header (RFC 9112 section 3.2.2).
    let first = "GET http://api.example.com/x HTTP/1.1";
    assert_eq!(answering(&app.trilby, first, "Host: www.example.com").await?, "api");
    // Whoever names no host at all gets what is for all.
    let sent = "GET /long/er/path HTTP/1.0\r\n\r\n";
    assert_eq!(raw::request(&app.trilby, sent).await?.0.status, 200);
    Ok(())
}
