//! `dapr_invoke_v1`: calls of another app.

use anyhow::Result;
use trilby_testkit::{Backend, app_id};

use super::neighbour::{Neighbour, STATUSES};
use super::probe::{App, Probe, Told};
use crate::shown::Shown;

/// Calls a method of an app with further parameters.
pub(crate) async fn call(
    app: &App,
    id: &str,
    method: &str,
    more: &[(&str, &str)],
    body: impl Into<bytes::Bytes>,
) -> Result<Told> {
    app.ask("/invoke/call", &[&[("app", id), ("method", method)], more].concat(), body).await
}

matrix!(another_app_gets_the_request_that_was_made);

async fn another_app_gets_the_request_that_was_made(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let more = [
        ("verb", "PUT"),
        ("query", "a=1&b=%20c&d"),
        ("content-type", "application/x-test"),
        ("header.x-test", "a value"),
        ("header.Accept", "text/x-y"),
        ("header.authorization", "Bearer t"),
    ];
    // With and without the first `/`.
    for method in ["show/a/b%20c", "/show/a/b%20c"] {
        let told = call(&app, &neighbour.id, method, &more, "hello").await?.done();
        assert_eq!(told.header("status"), Some("200"));
        Shown::parse(&told.text())?.has(&[
            ("REQUEST_METHOD", Some("PUT")),
            ("SCRIPT_NAME", Some("/show")),
            ("PATH_INFO", Some("/a/b c")),
            ("QUERY_STRING", Some("a=1&b=%20c&d")),
            ("CONTENT_TYPE", Some("application/x-test")),
            ("HTTP_X_TEST", Some("a value")),
            ("HTTP_ACCEPT", Some("text/x-y")),
        ]);
    }
    for verb in ["GET", "POST", "PATCH", "DELETE", "OPTIONS"] {
        let told = call(&app, &neighbour.id, "show", &[("verb", verb)], "").await?.done();
        Shown::parse(&told.text())?.has(&[("REQUEST_METHOD", Some(verb))]);
    }
    let told = call(&app, &neighbour.id, "show", &[("verb", "HEAD")], "").await?.done();
    assert_eq!((told.header("status"), &*told.text()), (Some("200"), ""));
    let told = call(&app, &neighbour.id, "show", &[], "").await?.done();
    Shown::parse(&told.text())?
        .has(&[("REQUEST_METHOD", Some("POST")), ("QUERY_STRING", Some(""))]);
    let bytes = b"\0\xff\r\n".as_slice();
    assert_eq!(call(&app, &neighbour.id, "echo", &[], bytes).await?.done().body, bytes);
    Ok(())
}

matrix!(whatever_another_app_answers_is_an_answer);

async fn whatever_another_app_answers_is_an_answer(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    for status in STATUSES {
        let method = format!("status/{status}");
        for operation in ["/invoke/call", "/invoke/open"] {
            let target = [("app", &*neighbour.id), ("method", &*method)];
            let told = app.ask(operation, &target, "body").await?.done();
            assert_eq!(told.header("status"), Some(&*status.to_string()), "{operation}");
            let why = told.header("header.x-why");
            assert_eq!(why, Some(&*format!("status {status}")), "{operation}");
            assert_eq!(told.text(), format!("body of {status}"), "{operation}");
        }
    }
    let told = call(&app, &neighbour.id, "nowhere", &[], "").await?.done();
    assert_eq!(told.header("status"), Some("404"), "{told:?}");
    Ok(())
}

matrix!(an_app_that_cannot_be_reached_is_an_error);

async fn an_app_that_cannot_be_reached_is_an_error(backend: Backend) -> Result<()> {
    let mut neighbour = Neighbour::start(backend).await?;
    let nobody = app_id();
    let both = format!("invoke = [\"{}\", \"{nobody}\"]", neighbour.id);
    let app = Probe::granting("invoke", &both).lines(&neighbour.known());
    let app = app.serve_plain(backend).await?;
    call(&app, &neighbour.id, "echo", &[], "there").await?.done();
    for operation in ["/invoke/call", "/invoke/open"] {
        let told = app.ask(operation, &[("app", &*nobody), ("method", "m")], "").await?;
        let part = format!("failed to invoke, id: {nobody}, err: ");
        told.refused("INTERNAL", "ERR_DIRECT_INVOKE", &part);
    }
    neighbour.trilby.process().kill();
    for operation in ["/invoke/call", "/invoke/open"] {
        let target = [("app", &*neighbour.id), ("method", "echo")];
        let told = app.ask(operation, &target, "").await?;
        let part = format!("failed to invoke, id: {}, err: ", neighbour.id);
        told.refused("INTERNAL", "ERR_DIRECT_INVOKE", &part);
    }
    Ok(())
}

matrix!(only_granted_methods_are_called);

async fn only_granted_methods_are_called(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("/show/a*").serve_plain(backend).await?;
    let id = neighbour.id.as_str();
    for granted in ["show/a", "/show/a", "show/ab/c", "/show/a/b"] {
        let told = call(&app, id, granted, &[], "").await?.done();
        assert_eq!(told.header("status"), Some("200"), "{granted}");
    }
    for other in ["show/A", "show", "Show/a", "xshow/a", "echo", "show/b"] {
        let line = format!("invoke = [\"{id}/{other}\"]");
        call(&app, id, other, &[], "").await?.not_granted(&line);
    }
    for app_name in [id.to_uppercase(), format!("{id}x"), format!("{id} "), "other".to_owned()] {
        let line = format!("invoke = [\"{app_name}/show/a\"]");
        call(&app, &app_name, "show/a", &[], "").await?.not_granted(&line);
    }
    Ok(())
}
