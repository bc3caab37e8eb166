//! What one guest does is no other's concern: not its death, not its endless work, not its memory.

use anyhow::Result;
use tokio::task::JoinSet;
use trilby_testkit::until;

use crate::raw::Connection;
use crate::wat;

const ROUTES: &str = r#"
version = 1
[limits]
deadline = "60s"
concurrency = 16
[[route]]
path = "/gate"
module = "gate.wat"
[[route]]
path = "/trap"
module = "trap.wat"
[[route]]
path = "/late"
module = "spin.wat"
limits = { deadline = "100ms" }
[[route]]
path = "/memory"
module = "fill.wat"
limits = { memory = "1 MiB" }
[[route]]
path = "/count"
module = "count.wat"
[[route]]
path = "/fill"
module = "fill.wat"
[[route]]
path = "/spin"
module = "spin.wat"
"#;

#[tokio::test]
async fn a_killed_guest_harms_nobody() -> Result<()> {
    let mut app = wat::serve(ROUTES).await?;
    // It runs before, through and after the others' ends.
    let mut witness = Connection::open(&app.trilby).await?;
    witness.send("POST /gate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    app.trilby.logged(": begun").await?;
    for (path, status) in [("/trap", 500), ("/late", 504), ("/memory", 500)] {
        for _ in 0..3 {
            assert_eq!(app.trilby.http.get(path).await?.status, status, "{path}");
            let next = app.trilby.http.get("/count").await?;
            assert_eq!((next.status.as_u16(), &*next.text()), (200, "11"), "after {path}");
        }
    }
    witness.send_chunk("").await?;
    assert_eq!(witness.answer().await?.1, "begun\n");
    Ok(())
}

/// More endless guests than there are threads: each must yield, or nothing else is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_guests_stop_nobody() -> Result<()> {
    let app = wat::serve(ROUTES).await?;
    let threads = std::thread::available_parallelism()?.get();
    let endless = (2 * threads).clamp(4, 14);
    let mut spinning = JoinSet::new();
    for _ in 0..endless {
        let http = app.trilby.http.clone();
        spinning.spawn(async move { http.get("/spin").await.map(|answer| answer.status) });
    }
    until("all of them to run", || async {
        let output = app.trilby.output();
        (output.matches(": begun").count() == endless).then_some(())
    })
    .await?;
    for path in ["/healthz", "/readyz", "/count"] {
        let mut connection = Connection::open(&app.trilby).await?;
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
        assert_eq!(connection.answer().await?.0.status, 200, "{path}");
    }
    assert!(spinning.try_join_next().is_none(), "a guest ended; nothing was shown");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_always_fresh() -> Result<()> {
    // As many instances as requests at once, so that each one's memory is used again and again.
    let app = wat::serve(&ROUTES.replace("concurrency = 16", "concurrency = 2")).await?;
    let mut clients = JoinSet::new();
    for _ in 0..2 {
        let http = app.trilby.http.clone();
        clients.spawn(async move {
            for _ in 0..12 {
                assert_eq!(http.get("/fill").await?.text(), "clean");
                assert_eq!(http.get("/count").await?.text(), "11");
                // Killed in the midst of it.
                assert_eq!(http.get("/memory").await?.status, 500);
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}
