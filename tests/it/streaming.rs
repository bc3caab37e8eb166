//! Answers that go out while the guest still runs.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::raw::Connection;
use crate::wat;

const ROUTES: &str = r#"
version = 1
[limits]
deadline = "10m"
concurrency = 1
[[route]]
path = "/echo"
module = "echo.wat"
[[route]]
path = "/talk"
module = "talk.wat"
[[route]]
path = "/stalled"
module = "talk.wat"
limits = { deadline = "1s" }
[[route]]
path = "/spin"
module = "spin.wat"
[[route]]
path = "/gate"
module = "gate.wat"
[[route]]
path = "/late"
module = "late.wat"
[[route]]
path = "/short"
module = "short.wat"
[[route]]
path = "/whole"
module = "whole.wat"
[[route]]
path = "/count"
module = "count.wat"
limits = { deadline = "10s" }
"#;

fn post(path: &str) -> String {
    let id = path.trim_start_matches('/');
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
}

/// The client says the next thing only when it has heard the last: both ways are open at once.
#[tokio::test]
async fn a_conversation_over_http1() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send(post("/echo")).await?;
    assert_eq!(connection.head().await?.status, 200);
    for word in ["one", "two", "three"] {
        connection.send_chunk(word).await?;
        assert_eq!(connection.chunk().await?, word);
    }
    connection.send_chunk("").await?;
    assert_eq!(connection.chunk().await?, "");
    let line = app.trilby.logged("trilby::request: request_id=\"echo\"").await?;
    assert!(line.contains("outcome=\"ok\"") && line.contains("status=200"), "{line}");
    Ok(())
}

/// A request body whose pieces are sent one by one.
struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[tokio::test]
async fn a_conversation_over_http2() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let stream = TokioIo::new(TcpStream::connect(&app.trilby.address).await?);
    let (mut http, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
    let connection = tokio::spawn(connection);
    let (pieces, body) = mpsc::channel(1);
    let uri = format!("http://{}/echo", app.trilby.address);
    let answer = http.send_request(Request::post(&uri).body(Pieces(body))?).await?;
    let mut answer = answer.into_body();
    for word in ["one", "two"] {
        pieces.send(Bytes::from(word)).await?;
        let frame = answer.frame().await.context("the answer ended")??;
        assert_eq!(frame.into_data().ok().as_deref(), Some(word.as_bytes()));
    }
    // A client that loses interest ends its guest, and no other stream of the connection.
    drop((answer, pieces));
    let (_pieces, body) = mpsc::channel(1);
    drop(_pieces);
    let uri = format!("http://{}/count", app.trilby.address);
    let next = http.send_request(Request::post(&uri).body(Pieces(body))?).await?;
    assert_eq!(next.into_body().collect().await?.to_bytes(), "11");
    app.trilby.logged("outcome=\"client_gone\"").await?;
    connection.abort();
    Ok(())
}

/// What a guest writes last counts, whether or not the server saw it run on afterwards.
#[tokio::test]
async fn the_last_word_is_checked_and_recorded() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send(post("/late")).await?;
    assert_eq!(connection.head().await?.status, 200);
    connection.send_chunk("").await?;
    assert_eq!(connection.chunk().await?, "begun\n");
    assert_eq!(connection.chunk().await?, "");
    let line = app.trilby.logged("trilby::request: request_id=\"late\"").await?;
    assert!(line.contains("outcome=\"ok\""), "{line}");

    connection.send(post("/short")).await?;
    assert_eq!(connection.head().await?.header("content-length"), Some("7"));
    connection.send_chunk("").await?;
    assert!(b"begun\n".starts_with(&connection.rest().await?), "more than there was");
    let line = app.trilby.logged("trilby::request: request_id=\"short\"").await?;
    assert!(line.contains("outcome=\"bad_output\"") && line.contains("after 6 bytes"), "{line}");
    Ok(())
}

/// A guest that has written all that it promised may still have work to do, such as an event to
/// publish. HTTP/1.1 is done with a response at its last byte, and must not take the guest along.
#[tokio::test]
async fn a_guest_runs_on_after_its_answer() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send(post("/whole")).await?;
    app.trilby.logged("begun").await?;
    // Time in which a server that is done with the answer would have ended the guest.
    for _ in 0..20 {
        assert_eq!(app.trilby.http.get("/healthz").await?.status, 200);
    }
    connection.send_chunk("").await?;
    let (head, body) = connection.answer().await?;
    assert_eq!((head.status, body.as_str()), (200, "begun\n"));
    let line = app.trilby.logged("trilby::request: request_id=\"whole\"").await?;
    assert!(line.contains("outcome=\"ok\""), "{line}");
    let output = app.trilby.output();
    assert_eq!(output.matches("trilby::guest: begun").count(), 2, "{output}");
    Ok(())
}

/// A client that does not read stops its guest. Were the answer kept somewhere instead, the guest
/// would run into its output limit of 64 MiB long before its deadline.
#[tokio::test]
async fn a_slow_client_holds_its_guest_back() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut connection = Connection::open(&app.trilby).await?;
    connection.send(post("/stalled")).await?;
    assert_eq!(connection.head().await?.status, 200);
    let line = app.trilby.logged("trilby::request: request_id=\"stalled\"").await?;
    assert!(line.contains("outcome=\"deadline\""), "{line}");
    Ok(())
}

/// A guest whose client is gone gives its turn to the next request, whatever it was doing: there
/// is only one turn here, and the guests' own deadline is far.
#[tokio::test]
async fn a_client_that_leaves_takes_its_guest_along() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    for (turn, path) in ["/talk", "/spin", "/gate", "/echo"].into_iter().enumerate() {
        let mut connection = Connection::open(&app.trilby).await?;
        // While a body is still to come that the guest does not read, the end of the client shows
        // only when the guest's time is over.
        let request = if path == "/spin" {
            post(path).replace("Transfer-Encoding: chunked\r\n", "")
        } else {
            post(path)
        };
        connection.send(request).await?;
        trilby_testkit::until("the guest to run", || async {
            (app.trilby.output().matches(": begun").count() > turn).then_some(())
        })
        .await?;
        drop(connection);
        let next = app.trilby.http.get("/count").await?;
        assert_eq!((next.status.as_u16(), &*next.text()), (200, "11"), "after {path}");
        let start = format!("trilby::request: request_id=\"{}\"", path.trim_start_matches('/'));
        let line = app.trilby.logged(&start).await?;
        let gone = ["outcome=\"client_gone\"", "outcome=\"body_broken_off\""];
        assert!(gone.iter().any(|outcome| line.contains(outcome)), "{line}");
    }
    Ok(())
}
