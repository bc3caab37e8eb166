//! Reloads at SIGHUP: a new version takes the place of the old one as a whole, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyhow::{Context, Result};
use rustix::process::Signal;
use trilby_testkit::{Client, Trilby};

use crate::folder::{Folder, saying};
use crate::raw::Connection;
use crate::script::{HEAD, Step, counted, ends, module};

/// A manifest with these routes, each to the module of the same name.
fn manifest(limits: &str, routes: &[&str]) -> String {
    let mut text = format!("version = 1\nname = \"app\"\nlimits = {{ {limits} }}\n");
    for route in routes {
        text += &format!("[[route]]\npath = \"/{route}\"\nmodule = \"{route}.wat\"\n");
    }
    text
}

/// Reloads for the `number`th time, and waits for its end.
async fn reload(trilby: &mut Trilby, number: usize) -> Result<()> {
    trilby.process().signal(Signal::HUP)?;
    counted(trilby, "trilby::reload: reloaded trilby.toml", number).await
}

/// A gate that answers `word` when its body has ended.
fn gate(word: &str) -> String {
    module(&[Step::Err("begun\n", 1), Step::Read, HEAD, Step::Out(word, 1)])
}

async fn begin(trilby: &Trilby, path: &str) -> Result<Connection> {
    let mut connection = Connection::open(trilby).await?;
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.send(head).await?;
    Ok(connection)
}

#[tokio::test]
async fn routes_come_and_go() -> Result<()> {
    let folder = Folder::new()?.with("trilby.toml", manifest("", &["a", "b"]))?;
    let folder = folder.with("a.wat", saying("a\n"))?.with("b.wat", saying("b\n"))?;
    let mut trilby = folder.launch().start().await?;
    assert_eq!(trilby.http.get("/c").await?.status, 404);
    let folder = folder.with("trilby.toml", manifest("", &["b", "c", "d"]))?;
    let folder = folder.with("c.wat", saying("c\n"))?.with("d.wat", saying("d\n"))?;
    reload(&mut trilby, 1).await?;
    let line = trilby.logged("reloaded trilby.toml").await?;
    assert!(line.contains("INFO") && line.contains("routes=3"), "{line}");
    assert_eq!(trilby.http.get("/a").await?.status, 404);
    for name in ["b", "c", "d"] {
        assert_eq!(trilby.http.get(&format!("/{name}")).await?.text(), format!("{name}\n"));
    }
    // A module counts by its content, and a limit by the new manifest.
    let folder = folder.with("c.wat", saying("new\n"))?;
    let limits = "body-in = '3 B'";
    let _folder = folder.with("trilby.toml", manifest(limits, &["c"]))?;
    reload(&mut trilby, 2).await?;
    assert_eq!(trilby.http.get("/c").await?.text(), "new\n");
    ends(&mut trilby, "/c", "four", (413, "body_too_large")).await?;
    Ok(())
}

/// A request ends with the version that it began with, on a connection that then goes on with the
/// new one.
#[tokio::test]
async fn what_is_under_way_ends_with_the_old_version() -> Result<()> {
    let folder = Folder::new()?.with("trilby.toml", manifest("deadline = '1h'", &["a", "gone"]))?;
    let folder = folder.with("a.wat", gate("old"))?.with("gone.wat", gate("gone"))?;
    let mut trilby = folder.launch().start().await?;
    let mut under_way = [begin(&trilby, "/a").await?, begin(&trilby, "/gone").await?];
    counted(&trilby, ": begun", 2).await?;
    let folder = folder.with("a.wat", saying("new"))?;
    let _folder = folder.with("trilby.toml", manifest("deadline = '1s'", &["a"]))?;
    reload(&mut trilby, 1).await?;
    assert_eq!(trilby.http.get("/a").await?.text(), "new");
    assert_eq!(trilby.http.get("/gone").await?.status, 404);
    for (connection, word) in under_way.iter_mut().zip(["old", "gone"]) {
        connection.send_chunk("a piece").await?;
        connection.send_chunk("").await?;
        assert_eq!(connection.answer().await?.1, word);
        connection.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!(connection.answer().await?.1, "new");
    }
    Ok(())
}

/// All that can be wrong is told as at a start, and the old version serves on, with all it had.
#[tokio::test]
async fn a_bad_version_is_told_and_not_served() -> Result<()> {
    let folder = Folder::new()?.with("trilby.toml", manifest("", &["a"]))?;
    let mut folder = folder.with("a.wat", saying("old"))?;
    let mut trilby = folder.launch().start().await?;
    let bad = [
        ("trilby.toml", "version = 1\nname =".to_owned(), "trilby.toml:2:7"),
        ("trilby.toml", manifest("memory = '1 KiB'", &["a"]), "at least 64.0 KiB"),
        ("trilby.toml", manifest("", &["a", "b"]), "b.wat"),
        ("a.wat", "(module".to_owned(), "a.wat"),
        ("a.wat", r#"(module (memory (export "memory") 1))"#.to_owned(), "_start"),
    ];
    for (number, (file, text, told)) in bad.into_iter().enumerate() {
        let good = std::fs::read(folder.path(file))?;
        folder = folder.with(file, text)?;
        trilby.process().signal(Signal::HUP)?;
        counted(&trilby, "not reloaded, the old version serves on", number + 1).await?;
        let output = trilby.output();
        let at = output.rfind("not reloaded").context("not told")?;
        assert!(output[at..].contains(told), "no {told} in {}", &output[at..]);
        assert_eq!(trilby.http.get("/a").await?.text(), "old");
        folder = folder.with(file, good)?;
    }
    let _folder = folder.with("a.wat", saying("new"))?;
    reload(&mut trilby, 1).await?;
    assert_eq!(trilby.http.get("/a").await?.text(), "new");
    Ok(())
}

/// The turns that old requests have are no one else's, but the new version has turns, too, sooner
/// or later: a request that could wait is not refused.
#[tokio::test]
async fn old_requests_do_not_make_the_new_version_busy() -> Result<()> {
    let limits = "deadline = '1h', concurrency = 1";
    let folder = Folder::new()?.with("trilby.toml", manifest(limits, &["a", "b"]))?;
    let folder = folder.with("a.wat", gate("a"))?.with("b.wat", gate("b"))?;
    let mut trilby = folder.launch().start().await?;
    let mut old = begin(&trilby, "/a").await?;
    counted(&trilby, ": begun", 1).await?;
    reload(&mut trilby, 1).await?;
    let mut new = begin(&trilby, "/b").await?;
    new.send_chunk("").await?;
    // Refusing takes no longer than answering this.
    assert_eq!(trilby.http.get("/nowhere").await?.status, 404);
    old.send_chunk("").await?;
    assert_eq!(old.answer().await?.1, "a");
    let (head, body) = new.answer().await?;
    assert_eq!((head.status, &*body), (200, "b"), "{}", trilby.output());
    Ok(())
}

/// What belongs to the listener stays as it was, which is told.
#[tokio::test]
async fn limits_of_the_process_need_a_restart() -> Result<()> {
    let folder = Folder::new()?.with("trilby.toml", manifest("", &["a"]))?;
    let folder = folder.with("a.wat", saying("a"))?;
    let mut trilby = folder.launch().start().await?;
    let restart = "stay as they were until a restart";
    // Turns are the version's own.
    let folder = folder.with("trilby.toml", manifest("concurrency = 5, queue = 5", &["a"]))?;
    reload(&mut trilby, 1).await?;
    assert!(!trilby.output().contains(restart), "{}", trilby.output());
    for (number, limit) in
        ["connections = 7", "head-timeout = '9s'", "write-timeout = '9s'"].into_iter().enumerate()
    {
        std::fs::write(folder.path("trilby.toml"), manifest(limit, &["a"]))?;
        reload(&mut trilby, number + 2).await?;
        counted(&trilby, restart, number + 1).await?;
    }
    assert!(trilby.logged(restart).await?.contains("WARN"));
    Ok(())
}

/// `head-in` is a route's limit, so a reload may raise it. HTTP/2 has told its clients before what it
/// takes.
#[tokio::test]
async fn a_route_may_allow_larger_heads_than_any_before() -> Result<()> {
    let folder = Folder::new()?.with("trilby.toml", manifest("head-in = '1 KiB'", &["a"]))?;
    let folder = folder.with("a.wat", saying("a"))?;
    let mut trilby = folder.launch().start().await?;
    let long = "x".repeat(200_000);
    let headers = [("x-long", &*long)];
    let folder = folder.with("trilby.toml", manifest("head-in = '256 KiB'", &["a"]))?;
    reload(&mut trilby, 1).await?;
    let http2 = Client::http2(&format!("http://{}", trilby.address));
    for http in [&trilby.http, &http2] {
        let answer = http.send(http::Method::GET, "/a", &headers, "").await?;
        assert_eq!((answer.status.as_u16(), &*answer.text()), (200, "a"));
    }
    std::fs::write(folder.path("trilby.toml"), manifest("head-in = '2 KiB'", &["a"]))?;
    reload(&mut trilby, 2).await?;
    for http in [&trilby.http, &http2] {
        let long = "x".repeat(3000);
        let answer = http.send(http::Method::GET, "/a", &[("x-long", &long)], "").await?;
        assert_eq!(answer.status, 431);
        assert_eq!(http.get("/a").await?.text(), "a");
    }
    Ok(())
}

/// Requests until told to stop. No answer may be missing, and none may be older than one before, or
/// than a reload that was over when the request began.
async fn ask(http: Client, stop: Arc<AtomicBool>, over: Arc<AtomicU32>) -> Result<u32> {
    let (mut last, mut asked) = (0, 0);
    while !stop.load(Ordering::Acquire) {
        let least = over.load(Ordering::Acquire).max(last);
        let answer = http.get("/a").await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        last = answer.text().parse()?;
        anyhow::ensure!(last >= least, "{last} after {least}");
        asked += 1;
    }
    Ok(asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_versions_change() -> Result<()> {
    let folder = Folder::new()?.with("trilby.toml", manifest("", &["a"]))?;
    let mut folder = folder.with("a.wat", saying("0"))?;
    let mut trilby = folder.launch().start().await?;
    let base = format!("http://{}", trilby.address);
    let (stop, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let clients = [Client::new(&base), Client::new(&base), Client::http2(&base)];
    let asking = clients.map(|http| tokio::spawn(ask(http, Arc::clone(&stop), Arc::clone(&over))));
    for version in 1..=10 {
        folder = folder.with("a.wat", saying(&version.to_string()))?;
        // Every other time the guests need another engine.
        let memory = format!("memory = '{} MiB'", 1 + version / 2);
        folder = folder.with("trilby.toml", manifest(&memory, &["a"]))?;
        reload(&mut trilby, usize::try_from(version)?).await?;
        over.store(version, Ordering::Release);
        assert_eq!(trilby.http.get("/a").await?.text(), version.to_string());
    }
    stop.store(true, Ordering::Release);
    for asking in asking {
        assert!(asking.await?? > 10);
    }
    Ok(())
}
