//! Jobs of the embedded runtime outlive its process.

use anyhow::Result;
use rustix::process::Signal;
use tempfile::TempDir;
use trilby_testkit::{Launch, Trilby, repository, until};

use crate::blocks::probe::{NONE, ask};

struct App {
    trilby: Trilby,
    folder: TempDir,
}

impl App {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("out"))?;
        let release = |name: &str, module: &str| {
            let path = repository().join("tests/guests").join(name);
            path.join("target/wasm32-wasip1/release").join(module).display().to_string()
        };
        let (jobs, inbound) =
            (release("dapr", "jobs.wasm"), release("inbound", "inbound-probe.wasm"));
        let manifest = format!(
            "version = 1\nname = \"kept\"\n\
             [[route]]\npath = \"/jobs/...\"\nmodule = {jobs:?}\ngrants = {{ jobs = [\"*\"] }}\n\
             [[route]]\njob = \"due*\"\nmodule = {inbound:?}\n\
             volumes = {{ \"/out\" = {{ host = \"out\", writable = true }} }}\n\
             limits = {{ deadline = \"30s\" }}\n"
        );
        std::fs::write(folder.path().join("trilby.toml"), manifest)?;
        let trilby = Launch::new(folder.path(), folder.path()).start().await?;
        Ok(Self { trilby, folder })
    }

    /// Ends the process with a signal, and starts another.
    async fn again(&mut self, signal: Signal) -> Result<()> {
        self.trilby.process().signal(signal)?;
        self.trilby.process().ended().await?;
        self.trilby = Launch::new(self.folder.path(), self.folder.path()).start().await?;
        Ok(())
    }

    async fn schedule(&self, name: &str, more: &[(&str, &str)], data: &str) -> Result<()> {
        let parameters = [&[("name", name)], more].concat();
        ask(&self.trilby.http, "/jobs/schedule", &parameters, data.to_owned()).await?.done();
        Ok(())
    }

    fn times(&self, key: &str) -> usize {
        let there =
            |number: &usize| self.folder.path().join(format!("out/{key}.{number}.json")).exists();
        (1..).take_while(there).count()
    }

    async fn comes(&self, key: &str, times: usize) -> Result<()> {
        let what = format!("{key} to come {times} times");
        let came = until(&what, || async { (self.times(key) >= times).then_some(()) }).await;
        came.map_err(|error| error.context(self.trilby.output()))
    }
}

#[tokio::test]
async fn jobs_are_there_after_any_end() -> Result<()> {
    let mut app = App::start().await?;
    for (round, signal) in [Signal::TERM, Signal::KILL].into_iter().enumerate() {
        let name = format!("later{round}");
        app.schedule(&name, &[("schedule", "@daily"), ("repeats", "3")], "data").await?;
        app.schedule(&format!("gone{round}"), &[("schedule", "@daily")], "").await?;
        let gone = format!("gone{round}");
        ask(&app.trilby.http, "/jobs/delete", &[("name", &*gone)], "").await?.done();
        app.again(signal).await?;
        let told = ask(&app.trilby.http, "/jobs/get", &[("name", &*name)], "").await?.done();
        assert_eq!((&*told.text(), told.header("repeats")), ("data", Some("3")));
    }
    let listed = ask(&app.trilby.http, "/jobs/list", NONE, "").await?.done().records()?;
    let names: Vec<_> = listed.iter().map(|job| job["name"].as_str()).collect();
    assert_eq!(names, [Some("later0"), Some("later1")]);
    Ok(())
}

/// A job that became due while nobody was there comes as soon as somebody is.
#[tokio::test]
async fn a_job_that_became_due_meanwhile_comes() -> Result<()> {
    let mut app = App::start().await?;
    app.schedule("due", &[("due-time", "1s")], "due").await?;
    app.again(Signal::KILL).await?;
    app.comes("due", 1).await?;
    until("the end of the job", || async {
        let told = ask(&app.trilby.http, "/jobs/get", &[("name", "due")], "").await.ok()?;
        (told.code == "NOT_FOUND").then_some(())
    })
    .await
}

/// Only what was acknowledged is done.
#[tokio::test]
async fn a_job_that_was_under_way_when_the_process_died_comes_again() -> Result<()> {
    let mut app = App::start().await?;
    app.schedule("due", &[("due-time", "0s")], "held hold").await?;
    app.comes("held", 1).await?;
    app.again(Signal::KILL).await?;
    app.comes("held", 2).await?;
    std::fs::write(app.folder.path().join("out/go"), "")?;
    until("the end of the job", || async {
        let told = ask(&app.trilby.http, "/jobs/get", &[("name", "due")], "").await.ok()?;
        (told.code == "NOT_FOUND").then_some(())
    })
    .await
}

/// An end in good order waits for what is under way, and does not repeat it.
#[tokio::test]
async fn a_job_under_way_is_finished_first() -> Result<()> {
    let mut app = App::start().await?;
    app.schedule("due", &[("due-time", "0s")], "held hold").await?;
    app.comes("held", 1).await?;
    app.trilby.process().signal(Signal::TERM)?;
    app.trilby.logged("shutting down").await?;
    std::fs::write(app.folder.path().join("out/go"), "")?;
    assert_eq!(app.trilby.process().ended().await?.code(), Some(0), "{}", app.trilby.output());
    app.trilby = Launch::new(app.folder.path(), app.folder.path()).start().await?;
    app.schedule("due-last", &[("due-time", "0s")], "last").await?;
    app.comes("last", 1).await?;
    assert_eq!(app.times("held"), 1);
    Ok(())
}
