//! Connections: what a client may do with one, and what it may not.

use anyhow::Result;
use trilby_testkit::{Client, Trilby};

use crate::raw::{self, Connection};
use crate::wat;

const ROUTES: &str = r#"
version = 1
[[route]]
path = "/show/..."
module = "show.wat"
[[route]]
path = "/count"
module = "count.wat"
[[route]]
path = "/echo"
module = "echo.wat"
[[route]]
path = "/deaf"
module = "deaf.wat"
"#;

#[tokio::test]
async fn one_connection_serves_many_requests() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    for _ in 0..3 {
        connection.send("GET /count HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        let (head, body) = connection.answer().await?;
        assert_eq!((head.status, &*body), (200, "11"));
        assert_eq!(head.header("connection"), None);
    }
    connection.send("GET /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
    assert_eq!(connection.answer().await?.0.header("connection"), Some("close"));
    assert!(connection.rest().await?.is_empty());

    // HTTP/1.0 ends with the answer, unless asked to go on.
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send("GET /count HTTP/1.0\r\n\r\n").await?;
    assert!(connection.rest().await?.ends_with(b"\r\n\r\n11"));
    Ok(())
}

/// Requests sent ahead are answered in their order, bodies and refusals among them.
#[tokio::test]
async fn requests_may_be_pipelined() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    connection
        .send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
             GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n\
             GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n\
             GET /count HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await?;
    for (status, body) in
        [(200, "abc"), (404, "no route matches this path\n"), (200, "OK"), (200, "11")]
    {
        let (head, text) = connection.answer().await?;
        assert_eq!((head.status, &*text), (status, body));
    }
    Ok(())
}

/// What a guest leaves unread is not taken for the next request.
#[tokio::test]
async fn an_unread_body_is_not_a_request() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let inner = "GET /count HTTP/1.1\r\nHost: a\r\n\r\n";
    let lengths = [inner.len(), 100_000];
    for length in lengths {
        let mut connection = Connection::open(&app.trilby).await?;
        let body = format!("{inner}{}", "x".repeat(length - inner.len()));
        connection
            .send(format!(
                "POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"
            ))
            .await?;
        let (head, text) = connection.answer().await?;
        assert_eq!((head.status, &*text), (200, ""));
        // The connection may go on or end; the body must not be answered.
        connection.finish_sending().await?;
        assert_eq!(connection.rest().await?, b"");
    }
    Ok(())
}

#[tokio::test]
async fn http2_needs_no_upgrade() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let http = Client::http2(&format!("http://{}", app.trilby.address));
    let headers = [("cookie", "a=1"), ("cookie", "b=2"), ("x-request-id", "two")];
    let answer = http.send(http::Method::GET, "/show/x?y", &headers, "").await?;
    let shown = answer.text();
    let host = format!("HTTP_HOST={}\0", app.trilby.address);
    for line in ["SERVER_PROTOCOL=HTTP/2.0\0", "HTTP_COOKIE=a=1; b=2\0", "PATH_INFO=/x\0", &host] {
        assert!(shown.contains(line), "{line:?} in {shown:?}");
    }
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..50 {
        let http = http.clone();
        let body = format!("request {number}").repeat(1000);
        requests.spawn(async move {
            let answer = http.post("/echo", body.clone()).await?;
            anyhow::ensure!(answer.text() == body, "{number}");
            Ok(())
        });
    }
    while let Some(request) = requests.join_next().await {
        request??;
    }
    Ok(())
}

async fn refused(trilby: &Trilby, sent: &str, status: u16) -> Result<()> {
    let mut connection = Connection::open(trilby).await?;
    connection.send(sent).await?;
    let start: String = sent.chars().take(60).collect();
    assert_eq!(connection.head().await?.status, status, "{start:?}");
    connection.rest().await?;
    // The next client is none the wiser.
    let (head, body) = raw::request(trilby, "GET /count HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    assert_eq!((head.status, &*body), (200, "11"), "after {start:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_http_is_refused() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    for sent in [
        "no http at all\r\n\r\n",
        "GET /count HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "GET /count HTTP/1.1\r\nHost: a\r\nX-A: b\r\n folded\r\n\r\n",
        "GET /co unt HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /count HTTP/7.7\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        refused(&app.trilby, sent, 400).await?;
    }
    // It is HTTP, but no guest can answer it: a 200 would be the start of a tunnel.
    let tunnel = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
    assert_eq!(raw::request(&app.trilby, tunnel).await?.0.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_head_has_a_bound() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let long = "x".repeat(1 << 20);
    let path = "x".repeat(100_000);
    let many = "X-A: b\r\n".repeat(1000);
    refused(&app.trilby, &format!("GET /count HTTP/1.1\r\nX-Long: {long}\r\n\r\n"), 431).await?;
    refused(&app.trilby, &format!("GET /count HTTP/1.1\r\n{many}\r\n"), 431).await?;
    refused(&app.trilby, &format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n"), 414).await?;
    Ok(())
}

/// Two lengths in one request are how requests are smuggled past a proxy: one must not count.
#[tokio::test]
async fn a_body_has_one_length() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let sent = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\
                Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send(sent).await?;
    let (head, body) = connection.answer().await?;
    assert!(head.status == 400 || body == "abcde", "{head:?} {body}");
    connection.finish_sending().await?;
    assert_eq!(connection.rest().await?, b"");
    Ok(())
}
