//! Bodies, in and out: standard input and output of a guest.

use anyhow::Result;
use http::Method;
use trilby_testkit::Backend;

use crate::probe;
use crate::raw::{self, Connection};
use crate::wat;

/// The probe's limit for a body.
const BODY_BYTES_MAX: usize = 1 << 20;

#[tokio::test]
async fn a_body_comes_back_whole() -> Result<()> {
    let world = probe::world(Backend::EmbeddedMemory).await?;
    let http = &world.trilby.http;
    for size in [0, 1, 65_537, BODY_BYTES_MAX] {
        let sent: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let answer = http.post("/echo", sent.clone()).await?;
        assert_eq!(answer.status, 200);
        assert!(answer.body == sent, "{size} bytes");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() -> Result<()> {
    let mut world = probe::world(Backend::EmbeddedMemory).await?;
    let http = &world.trilby.http;
    for over in [1, BODY_BYTES_MAX] {
        let answer = http.post("/echo", vec![b'x'; BODY_BYTES_MAX + over]).await?;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.text(), "the request body is too large\n");
    }
    // Nor does it break the connection for a guest that is not interested.
    let answer = http.post("/trap", vec![b'x'; BODY_BYTES_MAX]).await?;
    assert_eq!(answer.status, 500);
    // A length that is not known beforehand makes no difference, and the guest learns of it.
    let mut connection = Connection::open(&world.trilby).await?;
    connection
        .send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: chunked\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
        )
        .await?;
    for _ in 0..=16 {
        connection.send_chunk(&"x".repeat(BODY_BYTES_MAX / 16)).await?;
    }
    let (head, body) = connection.answer().await?;
    assert_eq!((head.status, &*body), (413, "the request body is too large\n"));
    let line = world.trilby.logged("cannot read").await?;
    assert!(line.contains("request_id=\"chunked\""), "{line}");
    Ok(())
}

/// Half an upload is an I/O error in the guest, never a shorter body.
#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() -> Result<()> {
    let mut world = probe::world(Backend::EmbeddedMemory).await?;
    let known = "Content-Length: 10\r\n\r\nabc";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let broken = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n";
    for (id, body) in [("known", known), ("chunked", chunked), ("broken", broken)] {
        let mut connection = Connection::open(&world.trilby).await?;
        let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n");
        connection.send(format!("{head}{body}")).await?;
        connection.finish_sending().await?;
        let line = world.trilby.logged(&format!("trilby::request: request_id=\"{id}\"")).await?;
        assert!(line.contains("outcome=\"body_broken_off\""), "{line}");
        // If there is still somebody to be told, it is the truth.
        let output = world.trilby.output();
        let said =
            format!("cannot read: I/O error (os error 29) route=\"/...\" request_id=\"{id}\"");
        assert!(output.contains(&said), "{output}");
        let told = String::from_utf8(connection.rest().await?)?;
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 400 "), "{told}");
    }
    Ok(())
}

/// A client that asks first is told to go on when the guest reads, or not at all.
#[tokio::test]
async fn uploads_wait_for_the_servers_word() -> Result<()> {
    let manifest = "version = 1\nlimits.body-in = '1 KiB'\n\
                    [[route]]\npath = '/'\nmodule = 'gate.wat'\n";
    let app = wat::serve(manifest).await?;
    let head = |length| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send(head(3)).await?;
    assert_eq!(connection.head().await?.status, 100);
    connection.send("abc").await?;
    assert_eq!(connection.answer().await?.1, "begun\n");

    let (head, _) = raw::request(&app.trilby, &head(1025)).await?;
    assert_eq!(head.status, 413);
    Ok(())
}

#[tokio::test]
async fn repeated_headers_are_kept() -> Result<()> {
    let world = probe::world(Backend::EmbeddedMemory).await?;
    let answer = world.trilby.http.get("/cookies").await?;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (201, "two"));
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    Ok(())
}

#[tokio::test]
async fn answers_without_a_body() -> Result<()> {
    let world = probe::world(Backend::EmbeddedMemory).await?;
    let http = &world.trilby.http;
    let redirect = http.get("/redirect").await?;
    assert_eq!(redirect.status, 302);
    assert_eq!(redirect.headers["location"], "https://example.org/");

    // On one connection, where a byte too many would be taken for the next answer.
    let mut connection = Connection::open(&world.trilby).await?;
    for (method, path, status, length) in [
        ("HEAD", "/cookies", 201, Some("3")),
        ("GET", "/empty", 204, None),
        ("HEAD", "/empty", 204, None),
        ("HEAD", "/nothing-of-the-kind", 404, Some("33")),
    ] {
        connection.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        let head = connection.head().await?;
        assert_eq!(head.status, status, "{method} {path}");
        assert_eq!(head.header("content-length"), length, "{method} {path}");
        assert_eq!(head.header("transfer-encoding"), None, "{method} {path}");
    }
    // A failure shows in the status, though no body is sent.
    let answer = http.send(Method::HEAD, "/trap", &[], "").await?;
    assert_eq!(answer.status, 500);
    Ok(())
}
