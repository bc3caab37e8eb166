//! Jobs that are due come as requests. daprd brings them over its app channel only.

use anyhow::Result;
use trilby_testkit::{ControlPlane, Options};

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(way: Way) -> Result<Option<App>> {
    if way != Way::Embedded && ControlPlane::is_left_out() {
        return Ok(None);
    }
    let named = "job = \"report\"\nenv = { ROUTE = \"exact\" }";
    let rest = "job = \"r*\"\nenv = { ROUTE = \"prefix\" }";
    let options = Options { control_plane: true, ..Options::default() };
    let setup = Setup::new(&[named, rest]).and("jobs", "jobs = [\"*\"]").options(options);
    setup.serve(way).await.map(Some)
}

async fn schedule(app: &App, name: &str, more: &[(&str, &str)], data: &str) -> Result<()> {
    // daprd sends a request to the scheduler again when its connection breaks, and then finds the
    // job that it has just made.
    let parameters = [&[("name", name), ("overwrite", "true")], more].concat();
    app.ask("/jobs/schedule", &parameters, data.to_owned()).await?.done();
    Ok(())
}

const NOW: (&str, &str) = ("due-time", "0s");
const JSON: (&str, &str) = ("content-type", "application/json");

ways!(a_job_comes_with_its_data: embedded Embedded, http Http, grpc Grpc);

async fn a_job_comes_with_its_data(way: Way) -> Result<()> {
    let Some(app) = serve(way).await? else { return Ok(()) };
    schedule(&app, "report", &[NOW, JSON], r#"{"key":"json","n":1}"#).await?;
    schedule(&app, "rest", &[NOW], "bytes as they are").await?;
    schedule(&app, "rnothing", &[NOW], "").await?;
    let json = app.first("json").await?;
    assert_eq!(json.json()?, serde_json::json!({"key": "json", "n": 1}));
    for (name, value) in [
        ("TRILBY_TRIGGER", "job"),
        ("JOB_NAME", "report"),
        ("ROUTE", "exact"),
        ("REQUEST_METHOD", "POST"),
    ] {
        assert_eq!(json.variable(name), value, "{name}");
    }
    let bytes = app.first("bytes").await?;
    assert_eq!(bytes.text(), "bytes as they are");
    assert_eq!((bytes.variable("JOB_NAME"), bytes.variable("ROUTE")), ("rest", "prefix"));
    let nothing = app.first("rnothing").await?;
    assert_eq!((nothing.text(), nothing.variable("JOB_NAME")), ("", "rnothing"));
    Ok(())
}

ways!(a_job_that_fails_is_tried_as_its_policy_says: embedded Embedded, http Http, grpc Grpc);

async fn a_job_that_fails_is_tried_as_its_policy_says(way: Way) -> Result<()> {
    let Some(app) = serve(way).await? else { return Ok(()) };
    let constant = [
        NOW,
        ("failure-policy", "constant"),
        ("failure-interval", "100"),
        ("failure-retries", "2"),
    ];
    let drop = [NOW, ("failure-policy", "drop")];
    schedule(&app, "r1", &drop, "dropped retry").await?;
    schedule(&app, "r2", &constant, "again retry").await?;
    schedule(&app, "r3", &constant, "trapped trap").await?;
    schedule(&app, "r4", &constant, "never never").await?;
    app.came("again", 2).await?;
    app.came("trapped", 2).await?;
    app.came("never", 3).await?;
    schedule(&app, "r5", &[("due-time", "1s")], "last").await?;
    app.first("last").await?;
    for (key, times) in [("dropped", 1), ("again", 2), ("trapped", 2), ("never", 3)] {
        assert_eq!(app.seen(key).len(), times, "{key}");
    }
    Ok(())
}

ways!(a_job_comes_as_often_as_it_says: embedded Embedded, http Http, grpc Grpc);

async fn a_job_comes_as_often_as_it_says(way: Way) -> Result<()> {
    let Some(app) = serve(way).await? else { return Ok(()) };
    let thrice = [("schedule", "@every 1s"), ("repeats", "3")];
    schedule(&app, "rounds", &thrice, "round").await?;
    app.came("round", 3).await?;
    // Then it is gone.
    trilby_testkit::until("the end of the job", || async {
        let told = app.ask("/jobs/get", &[("name", "rounds")], "").await.ok()?;
        (told.code != "OK").then_some(())
    })
    .await?;
    assert_eq!(app.seen("round").len(), 3);
    Ok(())
}

ways!(a_job_that_is_deleted_does_not_come: embedded Embedded, http Http, grpc Grpc);

async fn a_job_that_is_deleted_does_not_come(way: Way) -> Result<()> {
    let Some(app) = serve(way).await? else { return Ok(()) };
    schedule(&app, "rgone", &[("due-time", "2s")], "gone").await?;
    app.ask("/jobs/delete", &[("name", "rgone")], "").await?.done();
    schedule(&app, "rlast", &[("due-time", "3s")], "last").await?;
    app.first("last").await?;
    assert_eq!(app.seen("gone").len(), 0);
    Ok(())
}
