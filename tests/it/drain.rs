//! The end of a server: what is under way is finished, within a bound.

use anyhow::Result;
use rustix::process::Signal;
use trilby_testkit::{Backend, Components, Launch, Process, repository, until};

use crate::probe;
use crate::raw::{self, Connection};
use crate::wat;

const ROUTES: &str = r#"
version = 1
[limits]
deadline = "10m"
[[route]]
path = "/gate"
module = "gate.wat"
[[route]]
path = "/spin"
module = "spin.wat"
[[route]]
path = "/count"
module = "count.wat"
"#;
const COUNT: &str = "GET /count HTTP/1.1\r\nHost: a\r\n\r\n";
const GATE: &str = "POST /gate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

async fn exit_code(process: &mut Process) -> Result<Option<i32>> {
    Ok(process.ended().await?.code())
}

/// Not ready, still serving, finishing what is under way, gone; the same for either signal.
#[tokio::test]
async fn a_signal_ends_in_order() -> Result<()> {
    for signal in [Signal::TERM, Signal::INT] {
        let mut app = wat::serve_with(ROUTES, |l| l.args(&["--drain-settle", "1s"])).await?;
        let mut slow = Connection::open(&app.trilby).await?;
        slow.send(GATE).await?;
        let mut idle = Connection::open(&app.trilby).await?;
        idle.send(COUNT).await?;
        assert_eq!(idle.answer().await?.0.header("connection"), None);
        app.trilby.logged(": begun").await?;
        app.trilby.process().signal(signal)?;
        until("readiness to go", || async {
            let answer = app.trilby.http.get("/readyz").await.ok()?;
            (answer.status == 503).then_some(())
        })
        .await?;
        // Known connections and new ones are served, and asked to go elsewhere.
        idle.send(COUNT).await?;
        let (head, body) = idle.answer().await?;
        assert_eq!((head.status, head.header("connection"), &*body), (200, Some("close"), "11"));
        assert_eq!(app.trilby.http.get("/healthz").await?.status, 200);
        let (head, _) = raw::request(&app.trilby, COUNT).await?;
        assert_eq!(head.status, 200);
        until("the end of accepting", || async {
            Connection::open(&app.trilby).await.is_err().then_some(())
        })
        .await?;
        slow.send_chunk("").await?;
        assert_eq!(slow.answer().await?.1, "begun\n");
        assert!(slow.rest().await?.is_empty());
        assert_eq!(exit_code(app.trilby.process()).await?, Some(0), "{}", app.trilby.output());
        assert!(!app.trilby.output().contains("cut off"), "{}", app.trilby.output());
    }
    Ok(())
}

/// A guest that waits and one that computes are cut off alike.
#[tokio::test]
async fn a_drain_has_a_bound() -> Result<()> {
    for path in ["/gate", "/spin"] {
        let args = ["--drain-settle", "1ms", "--drain-timeout", "50ms"];
        let mut app = wat::serve_with(ROUTES, |launch| launch.args(&args)).await?;
        let mut slow = Connection::open(&app.trilby).await?;
        slow.send(GATE.replace("/gate", path)).await?;
        app.trilby.logged(": begun").await?;
        app.trilby.process().signal(Signal::TERM)?;
        assert_eq!(exit_code(app.trilby.process()).await?, Some(0), "{}", app.trilby.output());
        let line = app.trilby.logged("cut off").await?;
        assert!(line.contains("WARN") && line.contains("connections=1"), "{line}");
        assert!(slow.rest().await.is_ok_and(|answer| answer.is_empty()), "half an answer");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_at_once() -> Result<()> {
    for signal in [Signal::TERM, Signal::INT] {
        let args = ["--drain-settle", "1h", "--drain-timeout", "1h"];
        let mut app = wat::serve_with(ROUTES, |launch| launch.args(&args)).await?;
        let mut slow = Connection::open(&app.trilby).await?;
        slow.send(GATE).await?;
        app.trilby.logged(": begun").await?;
        app.trilby.process().signal(Signal::TERM)?;
        app.trilby.logged("a second signal ends at once").await?;
        app.trilby.process().signal(signal)?;
        assert_eq!(exit_code(app.trilby.process()).await?, Some(130));
    }
    Ok(())
}

/// Requests that were sent before the signal are answered, though the server cannot have seen them
/// yet, for it stands still: on connections that wait to be accepted, and on those that were idle.
/// There is no settling here that could help.
#[tokio::test]
async fn what_was_sent_before_the_signal_is_answered() -> Result<()> {
    for _ in 0..5 {
        let mut app = wat::serve_with(ROUTES, |l| l.args(&["--drain-settle", "0ms"])).await?;
        let mut connections = Vec::new();
        for number in 0..60 {
            let mut connection = Connection::open(&app.trilby).await?;
            if number % 2 == 0 {
                connection.send(COUNT).await?;
                connection.answer().await?;
            }
            connections.push(connection);
        }
        app.trilby.process().signal(Signal::STOP)?;
        for _ in 0..20 {
            connections.push(Connection::open(&app.trilby).await?);
        }
        for connection in &mut connections {
            connection.send(COUNT).await?;
        }
        app.trilby.process().signal(Signal::TERM)?;
        app.trilby.process().signal(Signal::CONT)?;
        let count = connections.len();
        for (number, mut connection) in connections.into_iter().enumerate() {
            let (head, body) = connection
                .answer()
                .await
                .map_err(|error| error.context(format!("connection {number} of {count}")))?;
            assert_eq!((head.status, &*body), (200, "11"));
        }
        assert_eq!(exit_code(app.trilby.process()).await?, Some(0));
    }
    Ok(())
}

/// What was published before the signal is delivered before the end.
#[tokio::test]
async fn embedded_events_are_delivered_first() -> Result<()> {
    const EVENTS: usize = 30;
    let folder = tempfile::tempdir()?;
    let resources = folder.path().join("components");
    let files = folder.path().join("files").display().to_string();
    let secrets = folder.path().join("secrets.json");
    std::fs::write(&secrets, "{}")?;
    Components::of(Backend::EmbeddedSqlite, None, folder.path())
        .add("files", "bindings.localstorage", &[("rootPath", &files)])
        .add(
            "secrets",
            "secretstores.local.file",
            &[("secretsFile", &secrets.display().to_string())],
        )
        .add("tick", "bindings.cron", &[("schedule", "@yearly"), ("direction", "input")])
        .write(&resources)?;
    let path = resources.display().to_string();
    let launch = Launch::new(repository().join("tests/guests/probe"), folder.path()).args(&[
        "--components",
        &path,
        "--drain-settle",
        "0ms",
    ]);

    let mut trilby = launch.start().await?;
    for number in 0..EVENTS {
        let event = format!("event-{number} ack");
        let sent = probe::call(&trilby.http, "/publish", ["pubsub", "t1"], "", event).await?;
        assert_eq!(sent.result, 0, "{sent:?}");
    }
    trilby.process().signal(Signal::TERM)?;
    assert_eq!(exit_code(trilby.process()).await?, Some(0), "{}", trilby.output());

    let trilby = launch.start().await?;
    for number in 0..EVENTS {
        let count = probe::get(&trilby.http, &format!("event-{number}")).await?;
        assert_eq!(count.body, "1", "event {number}");
    }
    Ok(())
}
