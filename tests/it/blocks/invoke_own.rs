//! `dapr_invoke_v1`: an app that calls itself.

use anyhow::{Context, Result};
use http::Method;
use trilby_testkit::{Backend, Options, app_id};

use super::invoke::call;
use super::neighbour::Neighbour;
use super::probe::{App, Probe};
use super::pubsub_heard::{HEARER, heard};
use crate::shown::Shown;

/// Reads the whole body, and only then sends it back: daprd breaks an answer off, and tells nobody,
/// that begins while its request is still on the way and is too large to wait for that.
const ECHO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 128)
  (data (i32.const 16) "content-type: a/b\n\n")
  (func $write (param $from i32) (param $end i32)
    (loop $more
      (i32.store (i32.const 0) (local.get $from))
      (i32.store (i32.const 4) (i32.sub (local.get $end) (local.get $from)))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (local.set $from (i32.add (local.get $from) (i32.load (i32.const 8))))
      (br_if $more (i32.lt_u (local.get $from) (local.get $end)))))
  (func (export "_start") (local $end i32)
    (local.set $end (i32.const 4096))
    (loop $more
      (i32.store (i32.const 0) (local.get $end))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (local.set $end (i32.add (local.get $end) (i32.load (i32.const 8))))
      (br_if $more (i32.load (i32.const 8))))
    (call $write (i32.const 16) (i32.const 35))
    (call $write (i32.const 4096) (local.get $end))))"#;

/// An application with a route that shows, and with a topic's.
async fn serve(backend: Backend, methods: &str) -> Result<App> {
    let id = app_id();
    let folder = tempfile::tempdir()?;
    crate::wat::write(&folder, "unused.toml", "", |launch| launch)?;
    let show = std::fs::read_to_string(folder.path().join("show.wat"))?;
    Probe::granting("invoke", &format!("invoke = [\"{id}{methods}\"]"))
        .lines("[[route]]\npath = \"/show/...\"\nmodule = \"show.wat\"\n")
        .lines("[[route]]\npath = \"/echo\"\nmodule = \"echo.wat\"\n")
        .lines("[[route]]\ntopic = \"pubsub/t\"\nmodule = \"hearer.wat\"\n")
        .lines("[[route]]\njob = \"nightly\"\nmodule = \"hearer.wat\"\n")
        .file("show.wat", show)
        .file("echo.wat", ECHO)
        .file("hearer.wat", HEARER)
        .options(Options { app_id: Some(id), ..Options::default() })
        .serve_plain(backend)
        .await
}

matrix!(an_app_calls_its_own_routes);

async fn an_app_calls_its_own_routes(backend: Backend) -> Result<()> {
    let app = serve(backend, "").await?;
    let id = app.world.app_id.clone();
    let more = [("verb", "PUT"), ("query", "a=1"), ("header.x-test", "a value")];
    let told = call(&app, &id, "show/a/b", &more, "hello").await?.done();
    assert_eq!(told.header("status"), Some("200"));
    Shown::parse(&told.text())?.has(&[
        ("TRILBY_TRIGGER", Some("http")),
        ("REQUEST_METHOD", Some("PUT")),
        ("SCRIPT_NAME", Some("/show")),
        ("PATH_INFO", Some("/a/b")),
        ("QUERY_STRING", Some("a=1")),
        ("HTTP_X_TEST", Some("a value")),
    ]);
    let large = vec![b'y'; 3 << 20];
    let told = call(&app, &id, "echo", &[], large.clone()).await?.done();
    assert!(told.body == large, "{} bytes came back", told.body.len());
    let told = call(&app, &id, "nowhere", &[], "").await?.done();
    assert_eq!(told.header("status"), Some("404"));
    Ok(())
}

const EVENT: &str = r#"{"specversion":"1.0","id":"forged","type":"t","source":"s","data":"forged",
    "topic":"t","pubsubname":"pubsub"}"#;

/// Paths by which daprd delivers, or asks for what it is to deliver; to a call they are paths as
/// all others.
const DELIVERIES: [&str; 3] = ["dapr/events/pubsub/t", "job/nightly", "dapr/subscribe"];

matrix!(an_app_that_calls_itself_delivers_nothing);

async fn an_app_that_calls_itself_delivers_nothing(backend: Backend) -> Result<()> {
    let app = serve(backend, "").await?;
    let id = app.world.app_id.clone();
    for path in DELIVERIES {
        let verb = if path == "dapr/subscribe" { "GET" } else { "POST" };
        let more = [("verb", verb), ("content-type", "application/cloudevents+json")];
        let told = call(&app, &id, path, &more, EVENT).await?.done();
        assert_eq!(told.header("status"), Some("404"), "{path}: {told:?}");
    }
    assert!(heard(&app.world.trilby).is_empty(), "{}", app.world.trilby.output());
    Ok(())
}

/// Whatever daprd calls is a delivery, but for what it calls for somebody else. (Nobody calls an app
/// through the embedded runtime.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_called_by_another_is_delivered_nothing() -> Result<()> {
    let backend = Backend::DaprdMemory;
    if backend.is_left_out() {
        return Ok(());
    }
    let neighbour = Neighbour::start(backend).await?;
    let daprd = neighbour.daprd.as_ref().context("no sidecar")?;
    let app = serve(backend, "").await?;
    let at = |path: &str| format!("/v1.0/invoke/{}/method/{path}", app.world.app_id);
    let headers = [("content-type", "application/cloudevents+json")];
    for path in DELIVERIES {
        let method = if path == "dapr/subscribe" { Method::GET } else { Method::POST };
        let answer = daprd.http.send(method, &at(path), &headers, EVENT).await?;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    assert!(heard(&app.world.trilby).is_empty(), "{}", app.world.trilby.output());
    let answer = daprd.http.get(&at("show")).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(())
}

matrix!(only_granted_routes_of_ones_own_are_called);

async fn only_granted_routes_of_ones_own_are_called(backend: Backend) -> Result<()> {
    let app = serve(backend, "/show/a").await?;
    let id = app.world.app_id.clone();
    call(&app, &id, "show/a", &[], "").await?.done();
    for other in ["show/b", "show", "echo"] {
        let line = format!("invoke = [\"{id}/{other}\"]");
        call(&app, &id, other, &[], "").await?.not_granted(&line);
    }
    Ok(())
}
