//! `--watch`: tells when the files of an application have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::sleep;
use trilby_manifest::App;

use crate::build;
use crate::cli::AppOptions;

/// How long files must be quiet: an editor or a compiler writes one in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// Where the system tells of no changes, files are looked at this often.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Looks at files. A file that was only touched, or written by a build of ours, is no change.
pub(crate) struct Watch {
    options: AppOptions,
    /// What is looked at; the system's watcher only says when.
    paths: BTreeSet<PathBuf>,
    seen: Seen,
    watcher: Option<RecommendedWatcher>,
    woken: std::sync::Arc<Notify>,
}

type Seen = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

impl Watch {
    pub(crate) fn new(options: &AppOptions) -> Self {
        let woken = std::sync::Arc::new(Notify::new());
        let waker = std::sync::Arc::clone(&woken);
        let watcher = notify::recommended_watcher(move |_| waker.notify_one())
            .inspect_err(|error| tracing::warn!(%error, "looking for changes every 2 s instead"))
            .ok();
        Self { options: options.clone(), paths: BTreeSet::new(), seen: Seen::new(), watcher, woken }
    }

    /// From now on looks at the files of this application, as they are now.
    pub(crate) fn follow(&mut self, app: &App) {
        let paths = paths_of(app, &self.options);
        if let Some(watcher) = &mut self.watcher {
            let folders = |paths: &BTreeSet<PathBuf>| -> BTreeSet<PathBuf> {
                paths.iter().filter_map(|path| folder_of(path)).collect()
            };
            let (old, new) = (folders(&self.paths), folders(&paths));
            for gone in old.difference(&new) {
                // It may be gone itself.
                let _ = watcher.unwatch(gone);
            }
            for folder in new.difference(&old) {
                if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                    tracing::debug!(folder = %folder.display(), %error, "cannot watch");
                }
            }
        }
        self.seen = look(&paths);
        self.paths = paths;
    }

    /// Waits for a change. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        loop {
            tokio::select! {
                () = self.woken.notified() => {}
                () = sleep(POLL_INTERVAL) => {}
            }
            let mut now = look(&self.paths);
            if now == self.seen {
                continue;
            }
            loop {
                sleep(QUIET).await;
                let later = look(&self.paths);
                if later == now {
                    break;
                }
                now = later;
            }
            self.seen = now;
            return;
        }
    }
}

/// The manifest, the modules with the sources of their builds, and the files of variables.
fn paths_of(app: &App, options: &AppOptions) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::from([app.file.clone()]);
    paths.extend(options.env_file.iter().cloned());
    for route in &app.routes {
        paths.extend(route.target.module().map(Path::to_owned));
        if let Some(build) = &route.build {
            for source in &build.sources {
                paths.extend(build::files_below(&app.root.join(source)));
            }
        }
    }
    paths
}

/// The folder whose entries tell of a file: a file that is replaced is another one.
fn folder_of(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    let parent = path.parent()?;
    Some(if parent == Path::new("") { PathBuf::from(".") } else { parent.to_owned() })
}

fn look(paths: &BTreeSet<PathBuf>) -> Seen {
    let state = |path: &PathBuf| {
        let data = path.metadata().ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    paths.iter().map(|path| (path.clone(), state(path))).collect()
}
