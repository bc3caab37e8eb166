//! What is wrong with a job, in the same words embedded and with a daprd.

use anyhow::Result;
use trilby_testkit::Backend;

use super::jobs::serve;
use crate::blocks::probe::{App, NONE, Probe, Told};

const SCHEDULE: &str = "DAPR_SCHEDULER_SCHEDULE_JOB";

/// Schedules `j` with these options, one a line.
async fn schedule(app: &App, name: &str, options: &str) -> Result<Told> {
    app.ask("/jobs/raw/schedule", &[("a", name), ("options", options)], "").await
}

both!(what_the_scheduler_cannot_read_is_told);

async fn what_the_scheduler_cannot_read_is_told(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    for (options, part) in [
        ("schedule: nonsense", "expected exactly 6 fields, found 1: [nonsense]"),
        ("schedule: * * * * *", "expected exactly 6 fields, found 5: [* * * * *]"),
        ("due-time: soon", "due time format not recognized"),
        ("schedule: @daily\nttl: long", "ttl format not recognized"),
        ("due-time: 1h\nttl: 2h", "job must have a schedule to have a ttl"),
        ("schedule: @daily\nrepeats: 0", "defined repeats must be greater than 0"),
    ] {
        schedule(&app, "j", options).await?.refused("INTERNAL", SCHEDULE, part);
    }
    assert_eq!(app.ask("/jobs/list", NONE, "").await?.done().text(), "");
    Ok(())
}

both!(what_the_host_cannot_read_is_told);

async fn what_the_host_cannot_read_is_told(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    for (options, part) in [
        ("", "due-time"),
        ("schedule: @daily\nrepeats: many", "repeats"),
        ("schedule: @daily\nrepeats: -1", "repeats"),
        ("schedule: @daily\noverwrite: perhaps", "overwrite"),
        ("schedule: @daily\nfailure-policy: panic", "failure-policy"),
        ("schedule: @daily\nfailure-retries: 3", "failure-policy"),
        ("schedule: @daily\nfailure-policy: constant\nfailure-interval: x", "failure-interval"),
        ("schedule: @daily\ncontent-type: application/json", "JSON"),
        ("schedule: @daily\ndata: x", "data"),
    ] {
        schedule(&app, "j", options).await?.invalid(part);
    }
    for function in ["schedule", "get", "delete"] {
        let options = if function == "schedule" { "schedule: @daily" } else { "" };
        let parameters = [("a", ""), ("options", options)];
        app.ask(&format!("/jobs/raw/{function}"), &parameters, "").await?.invalid("empty");
    }
    app.ask("/jobs/raw/list", &[("options", "a: b")], "").await?.invalid("`a`");
    Ok(())
}

both!(names_that_the_scheduler_does_not_take);

async fn names_that_the_scheduler_does_not_take(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    for name in ["a/b", "a\\b", "a#b", "a?b", "..", "a%2Fb"] {
        let told = schedule(&app, name, "schedule: @daily").await?;
        told.invalid("would change the path of its delivery");
    }
    for name in ["ü", "a b", "A.b-c_1"] {
        schedule(&app, name, "schedule: @daily").await?.done();
        app.ask("/jobs/get", &[("name", name)], "").await?.done();
    }
    Ok(())
}

both!(a_job_that_is_not_there);

async fn a_job_that_is_not_there(backend: Backend) -> Result<()> {
    let Some(app) = serve(backend, "\"*\"").await? else { return Ok(()) };
    let told = app.ask("/jobs/get", &[("name", "none")], "").await?;
    told.refused("NOT_FOUND", "DAPR_SCHEDULER_GET_JOB", "job not found: none");
    app.ask("/jobs/delete", &[("name", "none")], "").await?.done();
    Ok(())
}

#[tokio::test]
async fn a_daprd_without_a_scheduler_has_no_jobs() -> Result<()> {
    if Backend::DaprdMemory.is_left_out() {
        return Ok(());
    }
    let app = Probe::granting("jobs", "jobs = [\"*\"]").serve_plain(Backend::DaprdMemory).await?;
    let part = "scheduler clients are disabled";
    let told = schedule(&app, "j", "schedule: @daily").await?;
    told.refused("INTERNAL", SCHEDULE, part);
    for (path, reason) in [
        ("/jobs/get", "DAPR_SCHEDULER_GET_JOB"),
        ("/jobs/delete", "DAPR_SCHEDULER_DELETE_JOB"),
        ("/jobs/list", "DAPR_SCHEDULER_LIST_JOBS"),
    ] {
        let parameters: &[_] = if path == "/jobs/list" { NONE } else { &[("name", "j")] };
        app.ask(path, parameters, "").await?.refused("INTERNAL", reason, part);
    }
    Ok(())
}
