//! `kill -TERM` under load: no accepted request is lost.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use trilby_testkit::{Trilby, until};

use crate::raw::Connection;
use crate::wat;

const ROUTES: &str = r#"
version = 1
[[route]]
path = "/..."
module = "echo.wat"
"#;

/// How a client's work ended, and how many answers it had until then.
type Ended = (&'static str, usize);

/// Asks again and again on one connection until it is asked to leave. After that, a server that
/// drains need not listen any more.
async fn http1(mut connection: Connection) -> Result<Ended> {
    for count in 0.. {
        let body = format!("request {count}");
        let length = body.len();
        connection
            .send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"))
            .await?;
        let (head, answer) = connection.answer().await.context(format!("{count} answers"))?;
        ensure!(head.status == 200 && answer == body, "{head:?} {answer}");
        if head.header("connection") == Some("close") {
            ensure!(connection.rest().await?.is_empty(), "more than was asked for");
            return Ok(("http1", count + 1));
        }
    }
    unreachable!("the loop ends by returning")
}

/// Asks again and again on one connection until it is closed for new streams.
async fn http2(address: String) -> Result<Ended> {
    let stream = TokioIo::new(TcpStream::connect(&address).await?);
    let (mut http, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
    let connection = tokio::spawn(connection);
    for count in 0.. {
        if http.ready().await.is_err() {
            connection.await?.context("the connection broke")?;
            return Ok(("http2", count));
        }
        let body = format!("request {count}");
        let request = Request::post(format!("http://{address}/"));
        let request = request.body(Full::new(Bytes::from(body.clone())))?;
        let answer = match http.try_send_request(request).await {
            Ok(answer) => answer,
            // It never left, as the message that comes back shows.
            Err(error) if error.message().is_some() => return Ok(("http2", count)),
            Err(error) => {
                return Err(error.into_error()).context(format!("{count} answers"));
            }
        };
        ensure!(answer.status() == 200, "{answer:?}");
        let answer = answer.into_body().collect().await.context("half an answer")?.to_bytes();
        ensure!(answer == body.as_bytes(), "{answer:?}");
    }
    unreachable!("the loop ends by returning")
}

async fn answered(trilby: &Trilby, at_least: usize) -> Result<()> {
    until("the load", || async {
        let output = trilby.output();
        (output.matches("outcome=\"ok\"").count() >= at_least).then_some(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_accepted_request_is_lost() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(http1(Connection::open(&app.trilby).await?));
        clients.spawn(http2(app.trilby.address.clone()));
    }
    answered(&app.trilby, 500).await?;
    app.trilby.process().signal(Signal::TERM)?;
    let mut answers = BTreeMap::new();
    while let Some(client) = clients.join_next().await {
        let (kind, count) = client?.with_context(|| app.trilby.output())?;
        *answers.entry(kind).or_insert(0) += count;
    }
    let status = app.trilby.process().ended().await?;
    assert_eq!(status.code(), Some(0));
    let output = app.trilby.output();
    // Each answer is one request that the server took for a success, and there was no other.
    let lines = |outcome: &str| output.matches(&format!("outcome=\"{outcome}\"")).count();
    assert_eq!(answers.values().sum::<usize>(), lines("ok"), "{answers:?}");
    assert_eq!(lines("client_gone"), 0);
    assert!(answers.len() == 2 && answers.values().all(|&count| count > 20), "{answers:?}");
    Ok(())
}
