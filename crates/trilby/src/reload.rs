//! Reloads: a new version of the application takes the place of the old one as a whole, or not at
//! all.

use std::collections::BTreeSet;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::signal::unix::Signal;
use trilby_dapr::Inbound;
use trilby_manifest::App;
use trilby_server::{Served, Service};
use trilby_sidecar::Sidecar;

use crate::cli::ServeOptions;
use crate::dapr::{self, Dapr};
use crate::deliveries::Groups;
use crate::failure::Failure;
use crate::prepare::{Prepared, Workshop};
use crate::serve;
use crate::subscriptions::{self, Subscriptions};
use crate::table::Shared;
use crate::wanted::Wanted;
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
    pub(crate) groups: Groups,
    /// The runtime refers to it without holding it.
    pub(crate) _inbound: Arc<dyn Inbound>,
    /// With `--watch`.
    pub(crate) watch: Option<Watch>,
    /// The version that is served.
    pub(crate) app: App,
    /// What it wants of Dapr.
    pub(crate) wanted: Wanted,
}

impl Reloads {
    /// Reloads at each SIGHUP, and at each change with `--watch`. It ends only when the terminal is
    /// gone from which the program was started. Cancel-safe: a reload that is under way is then left
    /// out.
    pub(crate) async fn run(&mut self, mut hangup: Signal) {
        let mut watch = self.watch.take();
        let on_terminal = stderr().is_terminal();
        let mut streamed = pin!(are_streamed(self.options.dapr.subscriptions, self.dapr.sidecar()));
        let mut asks = true;
        loop {
            tokio::select! {
                is_streamed = &mut streamed, if asks => {
                    asks = false;
                    self.subscribe(is_streamed);
                    continue;
                }
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

    /// Begins to take events in the way that was found out.
    fn subscribe(&mut self, is_streamed: bool) {
        let topics = self.wanted.subscriptions.len();
        if !is_streamed {
            if topics > 0 {
                tracing::info!(topics, "daprd brings events to its app port");
            }
            return;
        }
        self.service.close_app_channel();
        if topics > 0 {
            tracing::info!(topics, "events come over streams: daprd has no app port");
        }
        if !self.wanted.bindings.is_empty() || self.wanted.jobs.is_some() {
            tracing::warn!(
                "daprd has no app port, over which alone it brings bindings and jobs; give it one \
                 with --app-port, or the annotation dapr.io/app-port"
            );
        }
        self.groups.stream_topics();
        if let Err(failure) = self.groups.follow(&self.wanted) {
            tracing::error!("{}", failure.text());
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
        let wanted = &prepared.wanted;
        if let Err(failure) = self.groups.follow(wanted) {
            self.service.restore(before);
            return Err(failure);
        }
        if self.groups.lacks(wanted, &self.wanted) {
            tracing::warn!(
                "daprd asked for topics and bindings when it started; restart it for the new ones"
            );
        }
        self.warn_of_the_rest(app);
        self.app = app.clone();
        self.wanted = wanted.clone();
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

/// Whether topics come over streams of this process; never known without a sidecar.
async fn are_streamed(wanted: Subscriptions, sidecar: Option<Arc<Sidecar>>) -> bool {
    match sidecar {
        Some(sidecar) => subscriptions::are_streamed(wanted, sidecar).await,
        None => std::future::pending().await,
    }
}

async fn changed(watch: Option<&mut Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
