//! Groups of cases, each with a daprd and a `trilby` of its own.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use tempfile::TempDir;
use trilby_testkit::{Backend, Components, Options, World};

use super::case::Case;
use super::compare::compare;
use super::run::{names, run};
use crate::wat;

/// What the two sides of a group are started with.
pub(super) struct Setup {
    pub(super) options: fn() -> Options,
    pub(super) components: fn(Components, &Path) -> Components,
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
pub(super) async fn check(setup: &Setup, cases: Vec<Case>) -> Result<()> {
    if Backend::DaprdRedis.is_left_out() {
        return Ok(());
    }
    // With this set, the second side is another daprd: it shows which transcripts are not stable.
    let is_twice = std::env::var_os("TRILBY_TEST_DAPRD_TWICE").is_some();
    let second = if is_twice { Backend::DaprdMemory } else { Backend::EmbeddedMemory };
    sides(setup, second, cases).await
}

/// The same, with a back end of choice as the second side.
pub(super) async fn sides(setup: &Setup, second: Backend, cases: Vec<Case>) -> Result<()> {
    let app = tempfile::tempdir()?;
    wat::write(&app, "trilby.toml", MANIFEST, |launch| launch)?;
    let (daprd, ours) =
        tokio::try_join!(world(setup, Backend::DaprdMemory, &app), world(setup, second, &app))?;
    let (theirs, ours) = tokio::try_join!(run(&daprd, &cases), run(&ours, &cases))?;
    let expected = cases.iter().flat_map(|case| {
        let over = super::case::Protocol::ALL.into_iter();
        over.filter(|protocol| case.runs_over(*protocol)).map(|over| case.differences(over))
    });
    let mut reports = Vec::new();
    let pairs = theirs.iter().zip(&ours).zip(names(&cases)).zip(expected);
    let mut count = 0;
    for ((((_, theirs), (_, ours)), name), expected) in pairs {
        count += 1;
        reports.extend(compare(&name, theirs, ours, &expected));
    }
    ensure!(count == theirs.len() && count == ours.len(), "transcripts are missing");
    if !reports.is_empty() {
        bail!("{} of {count} cases differ\n\n{}", reports.len(), reports.join("\n"));
    }
    Ok(())
}

async fn world(setup: &Setup, backend: Backend, app: &TempDir) -> Result<World> {
    let mut options = (setup.options)();
    options.api = true;
    options.redis = true;
    let app = app.path().display().to_string();
    World::start(backend, &app, options, setup.components).await
}
