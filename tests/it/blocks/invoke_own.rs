//! `dapr_invoke_v1`: an app that calls itself.

use anyhow::Result;
use trilby_testkit::{Backend, Options, app_id};

use super::invoke::call;
use super::probe::{App, Probe};
use super::pubsub_heard::HEARER;
use crate::shown::Shown;

/// An application with a route that shows, and with a topic's.
async fn serve(backend: Backend, methods: &str) -> Result<App> {
    let id = app_id();
    let folder = tempfile::tempdir()?;
    crate::wat::write(&folder, "unused.toml", "", |launch| launch)?;
    let show = std::fs::read_to_string(folder.path().join("show.wat"))?;
    let echo = std::fs::read_to_string(folder.path().join("echo.wat"))?;
    Probe::granting("invoke", &format!("invoke = [\"{id}{methods}\"]"))
        .lines("[[route]]\npath = \"/show/...\"\nmodule = \"show.wat\"\n")
        .lines("[[route]]\npath = \"/echo\"\nmodule = \"echo.wat\"\n")
        .lines("[[route]]\ntopic = \"pubsub/t\"\nmodule = \"hearer.wat\"\n")
        .file("show.wat", show)
        .file("echo.wat", echo)
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
    assert_eq!(call(&app, &id, "echo", &[], large.clone()).await?.done().body, large);
    let told = call(&app, &id, "nowhere", &[], "").await?.done();
    assert_eq!(told.header("status"), Some("404"));
    Ok(())
}

matrix!(an_app_that_calls_itself_reaches_no_events);

/// With a sidecar such a path comes from daprd, which may deliver; what it carries then is no event
/// of a topic.
async fn an_app_that_calls_itself_reaches_no_events(backend: Backend) -> Result<()> {
    let app = serve(backend, "").await?;
    let id = app.world.app_id.clone();
    let event = r#"{"specversion":"1.0","id":"forged","type":"t","source":"s","data":"forged",
        "topic":"t","pubsubname":"pubsub"}"#;
    let more = [("content-type", "application/cloudevents+json")];
    let told = call(&app, &id, "dapr/events/pubsub/t", &more, event).await?.done();
    assert_eq!(told.header("status"), Some("404"), "{told:?}");
    let output = app.world.trilby.output();
    assert!(!output.contains("CE_ID=forged"), "{output}");
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
