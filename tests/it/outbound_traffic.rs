//! What guests send to other servers, and what comes back to them.

use anyhow::{Context, Result};
use http::Method;
use insta::assert_snapshot;

use crate::outbound::{App, FETCH, RAW, query, route, serve};
use crate::outbound_server::Server;

async fn app() -> Result<(App, Server)> {
    let keys = "allowed-hosts = ['http://127.0.0.1:*']";
    let routes = [route("/fetch", FETCH, keys), route("/raw/...", RAW, keys)];
    Ok((serve(&routes).await?, Server::start().await?))
}

/// All of the request is the guest's, but for what is about the connection.
#[tokio::test]
async fn a_request_arrives_as_it_was_sent() -> Result<()> {
    let (app, server) = app().await?;
    let url = server.url("/echo?a=1&b=%20");
    let mut pairs = vec![("url", &*url), ("method", "PATCH")];
    let headers = [
        "X-Test: one",
        "X-Test: two",
        "Content-Type: application/json",
        "User-Agent: mine",
        "Host: other.example",
        "Content-Length: 1",
        "Connection: X-Mine",
        "X-Mine: 1",
        "Keep-Alive: 1",
        "TE: trailers",
        "Transfer-Encoding: chunked",
        "Upgrade: h2c",
        "Expect: 100-continue",
        "Proxy-Authorization: Basic YTpi",
    ];
    pairs.extend(headers.map(|header| ("header", header)));
    let answer = app.answers(&query("/fetch", &pairs), "{\"a\": 1}\n").await?;
    let (_, echo) = answer.split_once("\n\n").context("no body")?;
    let echo = echo.replace(&server.port.to_string(), "PORT").replace('\r', "");
    assert_snapshot!(echo, @r#"
    PATCH /echo?a=1&b=%20 HTTP/1.1
    x-test: one
    x-test: two
    content-type: application/json
    user-agent: mine
    host: 127.0.0.1:PORT
    content-length: 9

    {\"a\": 1}\n
    "#);
    Ok(())
}

#[tokio::test]
async fn methods_and_bodies_pass() -> Result<()> {
    let (app, server) = app().await?;
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PURGE"] {
        let call = query("/fetch", &[("url", &server.url("/echo")), ("method", method)]);
        for body in ["", "a\0b\r\n\r\nc"] {
            let answer = app.answers(&call, body).await?;
            let escaped = body.as_bytes().escape_ascii().to_string();
            let (_, echo) = answer.split_once("\n\n").unwrap_or_default();
            assert!(echo.starts_with(&format!("{method} /echo HTTP/1.1\r\n")), "{answer}");
            assert!(echo.ends_with(&format!("\r\n\r\n{escaped}")), "{answer}");
            let length = format!("content-length: {}\r\n", body.len());
            assert!(body.is_empty() || echo.contains(&length), "{answer}");
        }
    }
    let call = query("/fetch", &[("url", &server.url("/echo")), ("method", "HEAD")]);
    let answer = app.answers(&call, "").await?;
    assert!(answer.starts_with("status: 200\ncontent-length: "), "{answer}");
    assert!(answer.ends_with("\n\n"), "{answer}");
    Ok(())
}

/// Nothing that could pass for another request, and no method that asks for a tunnel.
#[tokio::test]
async fn what_is_no_request_is_refused() -> Result<()> {
    let (app, server) = app().await?;
    for method in ["a b", "GET / HTTP/1.1\r\nX:", "CONNECT", "TRACE"] {
        let call = query("/raw/req", &[("url", &server.url("/echo")), ("method", method)]);
        assert_eq!(app.answers(&call, "").await?, "req: 8\n", "{method}");
    }
    for headers in ["a", ": 1", "a b: 1", "a: \u{1}"] {
        let call = query("/raw/req", &[("url", &server.url("/echo")), ("headers", headers)]);
        assert_eq!(app.answers(&call, "").await?, "req: 9\n", "{headers:?}");
    }
    for url in ["", "/echo", "127.0.0.1", "ftp://127.0.0.1/", "http://a@127.0.0.1/", "http://"] {
        assert_eq!(app.says("/raw/req", url).await?, "req: 10\n", "{url}");
    }
    assert_eq!(server.requests(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn an_answer_comes_as_it_was_sent() -> Result<()> {
    let (app, server) = app().await?;
    // Of headers of one name, the crate keeps the last.
    assert_snapshot!(app.says("/fetch", &server.url("/head")).await?, @"
    status: 200
    content-length: 4
    set-cookie: b=2
    x-test: second

    body
    ");
    let all = app.says("/raw/req", &server.url("/head")).await?;
    for header in ["x-test:a value", "x-test:second", "set-cookie:a=1", "set-cookie:b=2"] {
        assert!(all.contains(&format!("{header}\\n")), "no {header} in {all}");
    }
    for name in ["connection", "keep-alive", "x-mine", "proxy-authenticate"] {
        assert!(!all.contains(name), "{name} in {all}");
    }
    for status in [200, 201, 299, 304, 400, 404, 418, 500, 503, 599] {
        let url = server.url(&format!("/status/{status}"));
        assert_eq!(app.gets("/raw/req", &url).await?, format!("status: {status}"));
    }
    // A head before the head is none of the guest's business.
    assert_eq!(
        app.says("/fetch", &server.url("/early")).await?,
        "status: 200\ncontent-length: 4\n\nlate"
    );
    Ok(())
}

/// The trace goes on, unless the guest begins one of its own.
#[tokio::test]
async fn the_trace_goes_on() -> Result<()> {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const OWN: &str = "00-11111111111111111111111111111111-2222222222222222-01";
    let (app, server) = app().await?;
    let url = server.url("/echo");
    let own = format!("traceparent: {OWN}");
    let cases: [(&[_], _, _); 3] = [
        (&[], None, None),
        (&[], Some(TRACE), Some(TRACE)),
        (&[("header", &*own)], Some(TRACE), Some(OWN)),
    ];
    for (pairs, given, expected) in cases {
        let call = query("/fetch", &[&[("url", &*url)], pairs].concat());
        let headers: Vec<_> = given.map(|trace| ("traceparent", trace)).into_iter().collect();
        app.trilby.http.send(Method::GET, &call, &headers, "").await?;
        let request = server.requests().pop().unwrap_or_default();
        let sent: Vec<_> =
            request.lines().filter_map(|line| line.strip_prefix("traceparent: ")).collect();
        assert_eq!(sent, expected.into_iter().collect::<Vec<_>>(), "{request}");
    }
    Ok(())
}

/// The connections are the process's: they outlive the guest, and serve other routes, too.
#[tokio::test]
async fn connections_are_shared() -> Result<()> {
    let (app, server) = app().await?;
    for path in ["/echo", "/chunked/9", "/head", "/sized/100000", "/status/404"] {
        for _ in 0..2 {
            app.says("/fetch", &server.url(path)).await?;
            app.says("/raw/req", &server.url(path)).await?;
        }
    }
    assert_eq!(server.requests().len(), 20);
    // One may come when the last has not been put back yet.
    assert!(server.connections() < 5, "{} connections", server.connections());
    // One that the server ends is not used again.
    for _ in 0..6 {
        let answer = app.says("/raw/req", &server.url("/close")).await?;
        assert!(answer.contains("body: \"closed\"\n"), "{answer}");
    }
    assert!(server.connections() >= 6, "{} connections", server.connections());
    Ok(())
}
