//! Groups of cases, each with a daprd and a `trilby` of its own.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use trilby_testkit::{Backend, Components, Options, World};

use super::case::{Case, Protocol};
use super::compare::compare;
use super::components::Place;
use super::run::{Transcript, names, run};
use crate::outbound_server::Server;
use crate::wat;

/// What the two sides of a group are started with.
pub(super) struct Setup {
    /// The name of the group.
    pub(super) name: &'static str,
    pub(super) options: fn() -> Options,
    pub(super) components: fn(&Place<'_>) -> Components,
    /// What is in the Redis from the start.
    pub(super) redis: &'static [(&'static str, &'static str)],
}

/// The app behind both: what it is called with, its environment, and a failure.
const MANIFEST: &str = r#"
version = 1
name = "app"
[[route]]
path = "/echo/..."
module = "echo.wat"
[[route]]
path = "/show/..."
module = "show.wat"
[[route]]
path = "/trap"
module = "trap.wat"
"#;

/// Runs all cases against a daprd and against `trilby`, and compares what they tell.
pub(super) async fn check(setup: &Setup, cases: impl IntoIterator<Item = Vec<Case>>) -> Result<()> {
    if Backend::DaprdRedis.is_left_out() {
        return Ok(());
    }
    // With this set, the second side is another daprd: it shows which transcripts are not stable.
    let is_twice = std::env::var_os("TRILBY_TEST_DAPRD_TWICE").is_some();
    let second = if is_twice { Backend::DaprdMemory } else { Backend::EmbeddedMemory };
    sides(setup, second, cases.into_iter().flatten().collect()).await
}

/// The same, with a back end of choice as the second side.
pub(super) async fn sides(setup: &Setup, second: Backend, cases: Vec<Case>) -> Result<()> {
    let app = app()?;
    // Both sides call the same server.
    let server = Server::start().await?;
    let (daprd, ours) = tokio::try_join!(
        world(setup, Backend::DaprdMemory, &app, server.port),
        world(setup, second, &app, server.port)
    )?;
    let (theirs, ours) = tokio::try_join!(run(&daprd, &cases), run(&ours, &cases))?;
    let names = names(&cases);
    keep(setup, "daprd", &names, &theirs)?;
    keep(setup, "trilby", &names, &ours)?;
    let expected = cases.iter().flat_map(|case| {
        let over = Protocol::ALL.into_iter();
        over.filter(|protocol| case.runs_over(*protocol)).map(|over| case.differences(over))
    });
    let mut reports = Vec::new();
    let pairs = theirs.iter().zip(&ours).zip(names).zip(expected);
    let mut count = 0;
    for ((((_, theirs), (_, ours)), name), expected) in pairs {
        count += 1;
        // Two daprds differ in nothing.
        let expected = if second.is_sidecar() { Vec::new() } else { expected };
        reports.extend(compare(&name, theirs, ours, &expected));
    }
    ensure!(count == theirs.len() && count == ours.len(), "transcripts are missing");
    if !reports.is_empty() {
        bail!("{} of {count} cases differ\n\n{}", reports.len(), reports.join("\n"));
    }
    Ok(())
}

/// A folder with the app.
pub(super) fn app() -> Result<TempDir> {
    let app = tempfile::tempdir()?;
    wat::write(&app, "trilby.toml", MANIFEST, |launch| launch)?;
    Ok(app)
}

/// One side.
///
/// `server` is the port of an HTTP server, if its components need one.
pub(super) async fn world(
    setup: &Setup,
    backend: Backend,
    app: &TempDir,
    server: u16,
) -> Result<World> {
    let mut options = (setup.options)();
    options.api = true;
    options.redis = true;
    let served = app.path().display().to_string();
    let world = World::start(backend, &served, options, |given, folder| {
        let is_daprd = backend.is_sidecar();
        let (redis, app) = (given.redis_host(), app);
        let place = Place { folder, is_daprd, redis, app: app.path(), server };
        (setup.components)(&place)
    })
    .await?;
    for (key, value) in setup.redis {
        world.redis.as_ref().context("no Redis")?.set(key, value).await?;
    }
    Ok(world)
}

/// With this set to a folder, the transcripts are written there: one file for each group and side.
fn keep(setup: &Setup, side: &str, names: &[String], all: &[(Protocol, Transcript)]) -> Result<()> {
    let Some(folder) = std::env::var_os("TRILBY_TEST_TRANSCRIPTS") else { return Ok(()) };
    let mut text = String::new();
    for (name, (_, transcript)) in names.iter().zip(all) {
        text.push_str(&format!("{name}\n    {}\n", transcript.lines.join("\n    ")));
    }
    let path = Path::new(&folder).join(format!("{}.{side}.txt", setup.name));
    std::fs::write(&path, text).with_context(|| path.display().to_string())
}
