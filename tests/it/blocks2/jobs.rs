//! Jobs as they are scheduled, read, listed and deleted. How they come is in `inbound`.

use anyhow::Result;
use serde_json::json;
use trilby_testkit::{Backend, ControlPlane, Options};

use crate::blocks::probe::{App, NONE, Probe};

/// An application with jobs; `/others/...` has other grants.
pub(super) async fn serve(backend: Backend, grants: &str) -> Result<Option<App>> {
    if backend.is_sidecar() && ControlPlane::is_left_out() {
        return Ok(None);
    }
    let options = Options { control_plane: true, ..Options::default() };
    let probe = Probe::granting("jobs", &format!("jobs = [{grants}]"));
    let probe = probe.and_at("/others/...", "jobs", "jobs = [\"*\"]");
    probe.options(options).serve_plain(backend).await.map(Some)
}

const HOURLY: (&str, &str) = ("schedule", "@every 1h");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn schedule(app: &App, name: &str, more: &[(&str, &str)], data: &str) -> Result<()> {
    let parameters = [&[("name", name)], more].concat();
    app.ask("/jobs/schedule", &parameters, data.to_owned()).await?.done();
    Ok(())
}

both!(a_job_is_read_as_it_was_scheduled);

async fn a_job_is_read_as_it_was_scheduled(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    let all = [HOURLY, ("due-time", "2h"), ("repeats", "4"), ("ttl", "10h"), JSON];
    schedule(&app, "full", &all, r#"{"a":[1,"x"]}"#).await?;
    let told = app.ask("/jobs/get", &[("name", "full")], "").await?.done();
    let read: serde_json::Value = serde_json::from_str(&told.text())?;
    assert_eq!(read, json!({"a": [1, "x"]}));
    for (name, value) in [
        ("schedule", "@every 1h"),
        ("due-time", "2h"),
        ("repeats", "4"),
        ("ttl", "10h"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(told.header(name), Some(value), "{name}");
    }

    schedule(&app, "bytes", &[("due-time", "1h")], "not JSON").await?;
    let told = app.ask("/jobs/get", &[("name", "bytes")], "").await?.done();
    assert_eq!(told.text(), "not JSON");
    for name in ["schedule", "repeats", "ttl", "content-type"] {
        assert_eq!(told.header(name), None, "{name}");
    }
    schedule(&app, "empty", &[HOURLY], "").await?;
    assert_eq!(app.ask("/jobs/get", &[("name", "empty")], "").await?.done().text(), "");
    Ok(())
}

both!(schedules_are_of_daprs_kinds);

async fn schedules_are_of_daprs_kinds(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    for (number, kind) in
        ["@every 90s", "@hourly", "@daily", "@weekly", "@monthly", "@yearly", "0 30 2 * * 1-5"]
            .iter()
            .enumerate()
    {
        let name = format!("kind{number}");
        schedule(&app, &name, &[("schedule", kind)], "").await?;
        let told = app.ask("/jobs/get", &[("name", &*name)], "").await?.done();
        assert_eq!(told.header("schedule"), Some(*kind));
    }
    for (number, time) in ["10m", "1h30m", "2099-01-02T03:04:05Z"].iter().enumerate() {
        let name = format!("time{number}");
        schedule(&app, &name, &[("due-time", time)], "").await?;
        let told = app.ask("/jobs/get", &[("name", &*name)], "").await?.done();
        assert_eq!(told.header("due-time"), Some(*time));
    }
    Ok(())
}

both!(a_job_is_replaced_only_if_it_is_asked_for);

async fn a_job_is_replaced_only_if_it_is_asked_for(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    schedule(&app, "one", &[HOURLY], "first").await?;
    let second = [("name", "one"), ("schedule", "@daily")];
    let told = app.ask("/jobs/schedule", &second, "second").await?;
    told.refused("ALREADY_EXISTS", "DAPR_SCHEDULER_SCHEDULE_JOB", "job already exists");
    let told = app.ask("/jobs/get", &[("name", "one")], "").await?.done();
    assert_eq!((&*told.text(), told.header("schedule")), ("first", Some("@every 1h")));
    let replaced = [&second[..], &[("overwrite", "true")]].concat();
    app.ask("/jobs/schedule", &replaced, "second").await?.done();
    let told = app.ask("/jobs/get", &[("name", "one")], "").await?.done();
    assert_eq!((&*told.text(), told.header("schedule")), ("second", Some("@daily")));

    // A deleted one leaves its name free.
    app.ask("/jobs/delete", &[("name", "one")], "").await?.done();
    schedule(&app, "one", &[HOURLY], "third").await?;
    Ok(())
}

both!(jobs_are_listed_as_far_as_they_are_granted);

async fn jobs_are_listed_as_far_as_they_are_granted(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"mine-*\", \"one\"").await? else { return Ok(()) };
    assert_eq!(app.ask("/jobs/list", NONE, "").await?.done().text(), "");
    for (path, name, more, data) in [
        ("/jobs", "one", vec![HOURLY, JSON], "{\"a\":1}"),
        ("/jobs", "mine-b", vec![HOURLY, ("repeats", "2")], "text"),
        ("/jobs", "mine-a", vec![("due-time", "1h")], ""),
        ("/others", "theirs", vec![HOURLY], "secret"),
    ] {
        let parameters = [&[("name", name)], &more[..]].concat();
        app.ask(&format!("{path}/schedule"), &parameters, data).await?.done();
    }
    let listed = app.ask("/jobs/list", NONE, "").await?.done().records()?;
    let wanted = [
        json!({"name": "mine-a", "due-time": "1h", "data": ""}),
        json!({"name": "mine-b", "schedule": "@every 1h", "repeats": "2", "data": "text"}),
        json!({
            "name": "one", "schedule": "@every 1h", "content-type": "application/json",
            "data": "{\"a\":1}",
        }),
    ];
    assert_eq!(listed, wanted);
    assert_eq!(app.ask("/others/list", NONE, "").await?.done().records()?.len(), 4);
    for function in ["get", "delete", "schedule"] {
        let options = if function == "schedule" { "schedule: @daily" } else { "" };
        let theirs = [("a", "theirs"), ("options", options)];
        let told = app.ask(&format!("/jobs/raw/{function}"), &theirs, "").await?;
        told.not_granted("jobs = [\"theirs\"]");
    }
    Ok(())
}
