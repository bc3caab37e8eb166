//! The bounds of outbound requests: time, size, and how many responses are open at once.

use anyhow::Result;
use trilby_testkit::free_port;

use crate::outbound::{App, FETCH, RAW, query, route, serve};
use crate::outbound_server::Server;

/// Allows every port of 127.0.0.1, within these limits.
fn limited(path: &str, guest: &str, limits: &str) -> String {
    let keys = format!("allowed-hosts = ['http://127.0.0.1:*']\nlimits = {{ {limits} }}");
    route(path, guest, &keys)
}

/// The guest goes on when its request takes too long; when its own time is over, it does not.
#[tokio::test]
async fn a_server_that_never_answers() -> Result<()> {
    let server = Server::start().await?;
    let mut app = serve(&[
        limited("/own/...", RAW, "http-timeout = '100ms', deadline = '10m'"),
        limited("/crate", FETCH, "http-timeout = '100ms', deadline = '10m'"),
        limited("/all/...", RAW, "http-timeout = '10m', deadline = '300ms'"),
    ])
    .await?;
    let url = server.url("/never");
    assert_eq!(app.says("/own/req", &url).await?, "req: 11\n");
    assert_eq!(app.says("/crate", &url).await?, "error: Wasi error 11\n");
    let line = app.trilby.logged("has not answered in time").await?;
    assert!(line.contains(&server.url("")) && line.contains("`limits.http-timeout`"), "{line}");
    assert_eq!(app.says("/own/req", &server.url("/stall")).await?, "req: 11\n");
    // What was given up is not left waiting.
    server.has_lost_a_client().await?;
    let answer = app.trilby.http.get(&query("/all/req", &[("url", &url)])).await?;
    assert_eq!(answer.status, 504, "{}", answer.text());
    app.trilby.logged("outcome=\"deadline\"").await?;
    Ok(())
}

#[tokio::test]
async fn an_answer_may_be_so_large_and_no_larger() -> Result<()> {
    let server = Server::start().await?;
    let app = serve(&[limited("/small/...", RAW, "http-body = '1000 B'")]).await?;
    for kind in ["sized", "chunked"] {
        let url = server.url(&format!("/{kind}/1000"));
        let answer = app.says("/small/req", &url).await?;
        assert!(answer.contains(&format!("body: \"{}\"\n", "x".repeat(1000))), "{kind}: {answer}");
        let url = server.url(&format!("/{kind}/1001"));
        assert_eq!(app.says("/small/req", &url).await?, "req: 11\n", "{kind}");
    }
    Ok(())
}

/// What a guest keeps open counts as long as it does: the bound is on the host's memory.
#[tokio::test]
async fn open_answers_share_the_bound() -> Result<()> {
    let server = Server::start().await?;
    let app = serve(&[limited("/small/...", RAW, "http-body = '1000 B'")]).await?;
    for (second, fits) in [("/sized/400", true), ("/sized/401", false), ("/chunked/401", false)] {
        let pairs = [("url", &*server.url("/sized/600")), ("other", &server.url(second))];
        let lines = app.answers(&query("/small/two", &pairs), "").await?;
        let lines: Vec<_> = lines.lines().take(2).collect();
        let last = if fits { "status: 200" } else { "req: 11" };
        assert_eq!(lines, ["status: 200", last], "{second}");
    }
    Ok(())
}

async fn many(app: &App, path: &str, url: &str) -> Result<String> {
    app.answers(&query(path, &[("url", url), ("count", "20")]), "").await
}

/// Closing one makes room for one; the end of the guest closes all.
#[tokio::test]
async fn so_many_responses_may_be_open() -> Result<()> {
    let server = Server::start().await?;
    let app = serve(&[
        limited("/two/...", RAW, "http-calls = 2"),
        limited("/default/...", RAW, "deadline = '10s'"),
    ])
    .await?;
    let url = server.url("/sized/1");
    for _ in 0..3 {
        let lines = "opened: 2\nthen: code 13\nclose: 0\none more: ok\n";
        assert_eq!(many(&app, "/two/many", &url).await?, lines);
    }
    // The one over the bound was not sent.
    assert_eq!(server.requests().len(), 9);
    let lines = "opened: 8\nthen: code 13\nclose: 0\none more: ok\n";
    assert_eq!(many(&app, "/default/many", &url).await?, lines);
    Ok(())
}

/// Requests that fail take no room.
#[tokio::test]
async fn what_fails_on_its_way_is_11() -> Result<()> {
    let server = Server::start().await?;
    let app = serve(&[limited("/one/...", RAW, "http-calls = 1")]).await?;
    for path in ["/half", "/garbage", "/long"] {
        assert_eq!(app.says("/one/req", &server.url(path)).await?, "req: 11\n", "{path}");
    }
    let nobody = format!("http://127.0.0.1:{}/", free_port()?);
    assert_eq!(app.says("/one/req", &nobody).await?, "req: 11\n");
    assert_eq!(app.gets("/one/req", &server.url("/sized/1")).await?, "status: 200");
    Ok(())
}
