//! Guests that wait for the answer of another server.

use anyhow::Result;
use rustix::process::Signal;
use tokio::task::JoinSet;
use trilby_testkit::until;

use crate::outbound::{App, FETCH, RAW, query, route, serve_with};
use crate::outbound_server::Server;
use crate::raw::Connection;

const THROUGH: &str = "status: 200\ncontent-length: 7\n\nthrough";

async fn app() -> Result<(App, Server)> {
    let keys = "allowed-hosts = ['http://127.0.0.1:*']\nlimits = { deadline = '10m', \
                http-timeout = '10m' }";
    let routes = [route("/fetch", FETCH, keys), route("/raw/...", RAW, keys)];
    let app = serve_with(&routes, |launch| launch.args(&["--drain-settle", "1ms"])).await?;
    Ok((app, Server::start().await?))
}

/// More of them than the machine has processors hold up nothing.
#[tokio::test]
async fn a_guest_that_waits_holds_up_nobody() -> Result<()> {
    const WAITING: usize = 64;
    let (app, server) = app().await?;
    let call = query("/fetch", &[("url", &server.url("/gate"))]);
    let mut waiting = JoinSet::new();
    for _ in 0..WAITING {
        let (http, call) = (app.trilby.http.clone(), call.clone());
        waiting.spawn(async move { http.get(&call).await });
    }
    server.has_requests(WAITING).await?;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(app.trilby.http.get(path).await?.status, 200, "{path}");
    }
    assert_eq!(app.gets("/raw/req", &server.url("/sized/1")).await?, "status: 200");
    assert_eq!(app.gets("/raw/req", "http://127.0.0.2/").await?, "req: 7");
    assert_eq!(waiting.len(), WAITING);
    assert!(waiting.try_join_next().is_none(), "one did not wait");
    server.open_gate();
    while let Some(answer) = waiting.join_next().await {
        let answer = answer??;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (200, THROUGH));
    }
    Ok(())
}

/// The end of the server waits for them.
#[tokio::test]
async fn a_guest_that_waits_is_drained() -> Result<()> {
    let (mut app, server) = app().await?;
    let call = query("/fetch", &[("url", &server.url("/gate"))]);
    let http = app.trilby.http.clone();
    let waiting = tokio::spawn(async move { http.get(&call).await });
    server.has_requests(1).await?;
    app.trilby.process().signal(Signal::TERM)?;
    until("the end of accepting", || async {
        Connection::open(&app.trilby).await.is_err().then_some(())
    })
    .await?;
    server.open_gate();
    let answer = waiting.await??;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, THROUGH));
    assert_eq!(app.trilby.process().ended().await?.code(), Some(0), "{}", app.trilby.output());
    Ok(())
}

/// When nobody waits for the guest, its request is given up, too.
#[tokio::test]
async fn a_client_that_leaves_ends_the_request() -> Result<()> {
    let (mut app, server) = app().await?;
    let call = query("/fetch", &[("url", &server.url("/never"))]);
    let mut client = Connection::open(&app.trilby).await?;
    client.send(format!("GET {call} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
    server.has_requests(1).await?;
    drop(client);
    server.has_lost_a_client().await?;
    app.trilby.logged("outcome=\"client_gone\"").await?;
    Ok(())
}
