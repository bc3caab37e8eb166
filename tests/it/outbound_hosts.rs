//! Which URLs a route's guests may call.

use anyhow::Result;

use crate::outbound::{FETCH, RAW, query, route, serve};
use crate::outbound_server::Server;

const REFUSED: &str = "req: 7";
const FAILED: &str = "req: 11";
const DONE: &str = "status: 200";

/// Scheme, host and port all count, and a route without rules may call nobody.
#[tokio::test]
async fn only_what_a_rule_is_for() -> Result<()> {
    let (server, other) = (Server::start().await?, Server::start().await?);
    let (port, other_port) = (server.port, other.port);
    let rules = |rules: &str| format!("allowed-hosts = [{rules}]");
    let mut app = serve(&[
        route("/none/...", RAW, ""),
        route("/empty/...", RAW, &rules("")),
        route("/one/...", RAW, &rules(&format!("'http://127.0.0.1:{port}'"))),
        route("/https/...", RAW, &rules(&format!("'https://127.0.0.1:{port}'"))),
        route("/plain/...", RAW, &rules("'http://127.0.0.1'")),
        route("/two/...", RAW, &rules(&format!("'http://a.test', 'http://127.0.0.1:{port}'"))),
        route("/ports/...", RAW, &rules("'http://127.0.0.1:*'")),
        route("/local/...", RAW, &rules("'http://localhost:*'")),
    ])
    .await?;
    let own = format!("http://127.0.0.1:{port}/sized/1");
    let cases = [
        ("none", own.clone(), REFUSED),
        ("empty", own.clone(), REFUSED),
        ("one", own.clone(), DONE),
        ("one", own.replace("http:", "HTTP:"), DONE),
        ("one", format!("http://127.0.0.1:{other_port}/sized/1"), REFUSED),
        ("one", "http://127.0.0.1/sized/1".to_owned(), REFUSED),
        ("one", own.replace("http:", "https:"), REFUSED),
        ("one", own.replace("127.0.0.1", "127.0.0.2"), REFUSED),
        ("one", own.replace("127.0.0.1", "localhost"), REFUSED),
        ("one", own.replace("127.0.0.1", "127.0.0.1.example.com"), REFUSED),
        ("one", own.replace("127.0.0.1", "[::ffff:127.0.0.1]"), REFUSED),
        ("https", own.clone(), REFUSED),
        ("plain", own.clone(), REFUSED),
        ("two", own.clone(), DONE),
        ("two", format!("http://127.0.0.1:{other_port}/sized/1"), REFUSED),
        ("ports", own.clone(), DONE),
        ("ports", format!("http://127.0.0.1:{other_port}/sized/1"), DONE),
        ("ports", own.replace("127.0.0.1", "localhost"), REFUSED),
        ("local", own.replace("127.0.0.1", "localhost"), DONE),
        ("local", own.replace("127.0.0.1", "LocalHost."), DONE),
        ("local", own.clone(), REFUSED),
    ];
    let done = cases.iter().filter(|(_, _, expected)| *expected == DONE).count();
    for (name, url, expected) in cases {
        let path = format!("/{name}/req");
        assert_eq!(app.gets(&path, &url).await?, expected, "{name}: {url}");
    }
    assert_eq!(server.requests().len() + other.requests().len(), done);
    let line = app.trilby.logged("no outbound HTTP to").await?;
    assert!(line.contains("the route has no `allowed-hosts`"), "{line}");
    let rule = format!("add `\"http://127.0.0.1:{other_port}\"` to the route's `allowed-hosts`");
    app.trilby.logged(&rule).await?;
    Ok(())
}

/// This machine and private networks are behind the server's back: a rule for everything does not
/// reach them, however the address is written.
#[tokio::test]
async fn a_wildcard_does_not_reach_private_addresses() -> Result<()> {
    let server = Server::start().await?;
    let all = "allowed-hosts = ['http://*:*', 'https://*:*', 'http://*.local:*']";
    let mut app = serve(&[route("/all/...", RAW, all)]).await?;
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fd00::1]",
        "[fe80::1]",
    ];
    for host in hosts {
        let url = format!("http://{host}:{}/sized/1?secret", server.port);
        assert_eq!(app.gets("/all/req", &url).await?, REFUSED, "{url}");
        // Some of these are no names that a certificate could be for, which is found out first.
        let url = url.replace("http:", "https:");
        assert!([REFUSED, FAILED].contains(&&*app.gets("/all/req", &url).await?), "{url}");
    }
    assert_eq!(server.connections(), 0);
    let origin = format!("http://127.0.0.1:{}", server.port);
    let line = app.trilby.logged(&format!("`{origin}` is at the private address")).await?;
    let rule = format!("add `\"{origin}\"` to the route's `allowed-hosts`");
    assert!(line.contains(&rule), "{line}");
    assert!(!app.trilby.output().contains("secret"), "{}", app.trilby.output());
    Ok(())
}

/// Networks say where rules may lead, and are no rules themselves.
#[tokio::test]
async fn networks_open_private_addresses() -> Result<()> {
    let server = Server::start().await?;
    let keys = |hosts: &str, networks: &str| {
        format!("allowed-hosts = ['{hosts}']\nallowed-networks = ['{networks}']")
    };
    let app = serve(&[
        route("/open/...", RAW, &keys("http://*:*", "127.0.0.0/8")),
        route("/address/...", RAW, &keys("http://*:*", "127.0.0.1")),
        route("/other/...", RAW, &keys("http://*:*", "10.0.0.0/8")),
        route("/next/...", RAW, &keys("http://*:*", "127.0.0.2")),
        route("/rule/...", RAW, &keys("http://a.test:*", "127.0.0.0/8")),
    ])
    .await?;
    let cases = [
        ("open", "127.0.0.1", DONE),
        ("open", "localhost", DONE),
        ("open", "127.1", DONE),
        ("open", "[::ffff:127.0.0.1]", DONE),
        ("address", "127.0.0.1", DONE),
        ("address", "localhost", DONE),
        ("address", "127.0.0.2", REFUSED),
        ("other", "127.0.0.1", REFUSED),
        ("other", "localhost", REFUSED),
        ("next", "127.0.0.1", REFUSED),
        ("next", "localhost", REFUSED),
        ("rule", "127.0.0.1", REFUSED),
        ("rule", "localhost", REFUSED),
    ];
    for (name, host, expected) in cases {
        let url = format!("http://{host}:{}/sized/1", server.port);
        let path = format!("/{name}/req");
        assert_eq!(app.gets(&path, &url).await?, expected, "{name}: {url}");
    }
    Ok(())
}

/// A connection that one route may use is no way in for another.
#[tokio::test]
async fn an_open_connection_is_no_way_in() -> Result<()> {
    let server = Server::start().await?;
    let open = "allowed-hosts = ['http://*:*']\nallowed-networks = ['127.0.0.0/8']";
    let local = "allowed-hosts = ['http://localhost:*']";
    let app = serve(&[
        route("/open/...", RAW, open),
        route("/local/...", RAW, local),
        route("/all/...", RAW, "allowed-hosts = ['http://*:*']"),
    ])
    .await?;
    let url = format!("http://localhost:{}/sized/1", server.port);
    for (path, expected) in
        [("/open/req", DONE), ("/all/req", REFUSED), ("/local/req", DONE), ("/all/req", REFUSED)]
    {
        assert_eq!(app.gets(path, &url).await?, expected, "{path}");
    }
    Ok(())
}

/// Each step of a redirect is checked as if the guest had asked for it.
#[tokio::test]
async fn redirects_are_followed_and_checked() -> Result<()> {
    let (server, other) = (Server::start().await?, Server::start().await?);
    let hosts = format!("'http://127.0.0.1:{}', 'http://*:*'", server.port);
    let app = serve(&[route("/r/...", RAW, &format!("allowed-hosts = [{hosts}]"))]).await?;
    for status in [301, 302, 303, 307, 308] {
        for to in ["/sized/4", &server.url("/chunked/4")] {
            let url = server.url(&format!("/to/{status}/{to}"));
            let answer = app.says("/r/req", &url).await?;
            assert!(answer.starts_with("status: 200\n"), "{url}: {answer}");
            assert!(answer.contains("body: \"xxxx\"\n"), "{url}: {answer}");
        }
        let url = server.url(&format!("/to/{status}/{}", other.url("/sized/4")));
        assert_eq!(app.gets("/r/req", &url).await?, REFUSED, "{url}");
        let url = server.url(&format!("/to/{status}/ftp://127.0.0.1/"));
        assert_eq!(app.gets("/r/req", &url).await?, "req: 10", "{url}");
    }
    assert_eq!(other.connections(), 0);
    // Other statuses, and a circle.
    for status in [201, 300, 304] {
        let url = server.url(&format!("/to/{status}/sized/4"));
        assert_eq!(app.gets("/r/req", &url).await?, format!("status: {status}"));
    }
    let before = server.requests().len();
    assert_eq!(app.gets("/r/req", &server.url("/circle")).await?, FAILED);
    assert_eq!(server.requests().len() - before, 11);
    Ok(())
}

/// A redirect hands nobody what was for another.
#[tokio::test]
async fn credentials_stay_with_their_origin() -> Result<()> {
    let (server, other) = (Server::start().await?, Server::start().await?);
    let app = serve(&[route("/fetch", FETCH, "allowed-hosts = ['http://127.0.0.1:*']")]).await?;
    for (to, kept) in [("/echo".to_owned(), true), (other.url("/echo"), false)] {
        let pairs = [
            ("url", &*server.url(&format!("/to/307/{to}"))),
            ("method", "POST"),
            ("header", "Authorization: Bearer abc"),
            ("header", "Cookie: a=1"),
            ("header", "X-Test: 1"),
        ];
        let answer = app.answers(&query("/fetch", &pairs), "data").await?;
        assert!(answer.contains("POST /echo HTTP/1.1\r\n"), "{answer}");
        assert!(answer.contains("x-test: 1\r\n") && answer.ends_with("\r\n\r\ndata"), "{answer}");
        for header in ["authorization: Bearer abc\r\n", "cookie: a=1\r\n"] {
            assert_eq!(answer.contains(header), kept, "{to}: {answer}");
        }
    }
    Ok(())
}
