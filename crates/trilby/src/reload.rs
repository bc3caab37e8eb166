//! Reloads: a new version of the application takes the place of the old one as a whole, or not at
//! all.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
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

/// What a reload works with.
pub(crate) struct Reloads {
    pub(crate) options: ServeOptions,
    pub(crate) workshop: Option<Workshop>,
    pub(crate) dapr: Dapr,
    pub(crate) shared: Shared,
    pub(crate) service: Arc<Service>,
    pub(crate) groups: Option<Groups>,
    /// The version that is served.
    pub(crate) app: App,
}

impl Reloads {
    /// Reloads at each SIGHUP, and at each change with `--watch`, for ever. Cancel-safe: a reload that
    /// is under way is then left out.
    pub(crate) async fn run(&mut self) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => Some(hangup),
            Err(error) => {
                tracing::warn!(%error, "cannot listen for SIGHUP");
                None
            }
        };
        let mut watch = self.options.watch.then(|| Watch::new(&self.options.app));
        if let Some(watch) = &mut watch {
            watch.follow(&self.app);
        }
        loop {
            tokio::select! {
                () = received(hangup.as_mut()) => {
                    if let Some(log) = &self.shared.log {
                        log.reopen();
                    }
                }
                () = changed(watch.as_mut()) => {}
            }
            self.reload().await;
            if let Some(watch) = &mut watch {
                watch.follow(&self.app);
            }
        }
    }

    async fn reload(&mut self) {
        let started = Instant::now();
        match self.try_reload().await {
            Ok(()) => tracing::info!(
                millis = started.elapsed().as_millis(),
                routes = self.app.routes.len(),
                "reloaded {}",
                self.app.file.display()
            ),
            Err(failure) => {
                tracing::error!("not reloaded, the old version serves on:\n{}", failure.text());
            }
        }
    }

    async fn try_reload(&mut self) -> Result<(), Failure> {
        let Some(mut workshop) = self.workshop.take() else { return Ok(()) };
        let runtime = Handle::current();
        // Building and compiling block.
        let work = tokio::task::spawn_blocking(move || {
            let prepared = workshop.prepare(&runtime);
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
        } else if topics(app) != topics(&self.app) {
            tracing::warn!(
                "daprd asked for the topics when it started; restart it for the new ones"
            );
        }
        if app.server.limits != self.app.server.limits {
            tracing::warn!("new `connections` and timeouts of the process count after a restart");
        }
        self.app = app.clone();
        Ok(())
    }
}

fn topics(app: &App) -> Vec<&Trigger> {
    let is_topic = |trigger: &&Trigger| matches!(trigger, Trigger::Topic { .. });
    app.routes.iter().map(|route| &route.trigger).filter(is_topic).collect()
}

async fn received(hangup: Option<&mut Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

async fn changed(watch: Option<&mut Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
