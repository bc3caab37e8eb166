//! Reloads: a new version of the application takes the place of the old one as a whole, or not at
//! all.

use std::collections::BTreeSet;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::signal::unix::Signal;
use trilby_manifest::{App, Trigger};
use trilby_server::{Served, Service};

use crate::cli::ServeOptions;
use crate::dapr::{self, Dapr};
use crate::deliveries::Groups;
use crate::failure::Failure;
use crate::prepare::{Prepared, Workshop};
use crate::serve;
use crate::table::Shared;
use crate::watch::Watch;

/// How a reload went.
struct Done {
    result: Result<(), Failure>,
    took: Duration,
}

/// What a reload works with.
pub(crate) struct Reloads {
    pub(crate) options: ServeOptions,
    pub(crate) workshop: Option<Workshop>,
    pub(crate) dapr: Dapr,
    pub(crate) shared: Shared,
    pub(crate) service: Arc<Service>,
    pub(crate) groups: Option<Groups>,
    /// With `--watch`.
    pub(crate) watch: Option<Watch>,
    /// The version that is served.
    pub(crate) app: App,
}

impl Reloads {
    /// Reloads at each SIGHUP, and at each change with `--watch`. It ends only when the terminal is
    /// gone from which the program was started. Cancel-safe: a reload that is under way is then left
    /// out.
    pub(crate) async fn run(&mut self, mut hangup: Signal) {
        let mut watch = self.watch.take();
        let on_terminal = stderr().is_terminal();
        loop {
            tokio::select! {
                _ = hangup.recv() => {
                    // A closed terminal is no wish for a reload: nobody is left to end the program.
                    if on_terminal && !stderr().is_terminal() {
                        return;
                    }
                    if let Some(log) = &self.shared.log {
                        log.reopen();
                    }
                }
                () = changed(watch.as_mut()) => {}
            }
            let mut done = vec![self.reload(BTreeSet::new()).await];
            if let Some(watch) = &mut watch {
                // What was saved while a build ran may not be in what it made. Only once more, though:
                // a build may write to its own sources each time.
                let missed = watch.take_changed();
                if !missed.is_empty() {
                    done.push(self.reload(missed).await);
                }
                self.follow(watch, done.last().is_some_and(|done| done.result.is_err()));
            }
            // Only now: whoever reads it may change a file at once.
            done.into_iter().for_each(|done| self.tell(done));
        }
    }

    /// Has the files looked at that count from now on.
    fn follow(&self, watch: &mut Watch, failed: bool) {
        // What the failed version lacks may come to be.
        match failed.then(|| trilby_manifest::load(&self.options.app.path)) {
            None => watch.follow(&[&self.app], None),
            Some(Ok(other)) => watch.follow(&[&self.app, &other.app], None),
            Some(Err(_)) => watch.follow(&[&self.app], Some(&self.app.root)),
        }
    }

    async fn reload(&mut self, changed: BTreeSet<PathBuf>) -> Done {
        let started = Instant::now();
        let result = self.try_reload(changed).await;
        Done { result, took: started.elapsed() }
    }

    fn tell(&self, done: Done) {
        match done.result {
            Ok(()) => tracing::info!(
                millis = u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX),
                routes = self.app.routes.len(),
                "reloaded {}",
                self.app.file.display()
            ),
            Err(failure) => {
                tracing::error!("not reloaded, the old version serves on:\n{}", failure.text());
            }
        }
    }

    async fn try_reload(&mut self, changed: BTreeSet<PathBuf>) -> Result<(), Failure> {
        let Some(mut workshop) = self.workshop.take() else { return Ok(()) };
        let runtime = Handle::current();
        // Building and compiling block.
        let work = tokio::task::spawn_blocking(move || {
            let prepared = workshop.prepare_changed(&runtime, &changed);
            (workshop, prepared)
        });
        let (workshop, prepared) = match work.await {
            Ok(done) => done,
            Err(error) => {
                self.workshop = Some(Workshop::new(&self.options.app));
                return Err(Failure::Other(error.into()));
            }
        };
        self.workshop = Some(workshop);
        let prepared = prepared?;
        dapr::check_open(&prepared.loaded, &self.dapr)?;
        let served = serve::served(&prepared, &self.shared, &self.options)?;
        self.replace(&prepared, served)
    }

    /// Puts the new version in the place of the old one. Its deliveries start when its routes are
    /// there to take them.
    fn replace(&mut self, prepared: &Prepared, served: Served) -> Result<(), Failure> {
        let app = prepared.app();
        let before = self.service.replace(served);
        if let Some(groups) = &mut self.groups {
            if let Err(failure) = groups.follow(app) {
                self.service.restore(before);
                return Err(failure);
            }
        } else if deliveries(app) != deliveries(&self.app) {
            tracing::warn!(
                "daprd asked for topics and bindings when it started; restart it for the new ones"
            );
        }
        self.warn_of_the_rest(app);
        self.app = app.clone();
        Ok(())
    }

    /// What a new version cannot have without a restart.
    fn warn_of_the_rest(&self, app: &App) {
        let connections = |app: &App| {
            let limits = &app.server.limits;
            (limits.connections_max, limits.head_timeout, limits.write_timeout)
        };
        if connections(app) != connections(&self.app) {
            tracing::warn!(
                "`connections`, `head-timeout` and `write-timeout` stay as they were until a restart"
            );
        }
        if self.dapr.has_other_files(app, &self.options.dapr) {
            tracing::warn!("component files have changed: components are opened at the start only");
        }
    }
}

/// What daprd delivers.
fn deliveries(app: &App) -> BTreeSet<String> {
    let is_delivered = |trigger: &&Trigger| !matches!(trigger, Trigger::Http { .. });
    let triggers = app.routes.iter().map(|route| &route.trigger).filter(is_delivered);
    triggers.map(|trigger| format!("{trigger:?}")).collect()
}

async fn changed(watch: Option<&mut Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
