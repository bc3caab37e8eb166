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

/// Looks at files: another time or size is a change, unless a build of ours has written the file.
pub(crate) struct Watch {
    options: AppOptions,
    /// Files, and folders with all that is below; the system's watcher only says when to look.
    paths: BTreeSet<PathBuf>,
    /// Among them, what a reload may write itself.
    made: BTreeSet<PathBuf>,
    seen: Seen,
    watcher: Option<RecommendedWatcher>,
    woken: std::sync::Arc<Notify>,
}

type Seen = BTreeMap<PathBuf, State>;

/// Time and size; `None` when it is not there.
type State = Option<(SystemTime, u64)>;

impl Watch {
    /// Looks at the files of an application.
    pub(crate) fn of(options: &AppOptions, app: &App) -> Self {
        let mut watch = Self::new(options);
        watch.follow(&[app], None);
        watch
    }

    fn new(options: &AppOptions) -> Self {
        let woken = std::sync::Arc::new(Notify::new());
        let waker = std::sync::Arc::clone(&woken);
        let watcher = notify::recommended_watcher(move |_| waker.notify_one())
            .inspect_err(|error| tracing::warn!(%error, "looking for changes every 2 s instead"))
            .ok();
        Self {
            options: options.clone(),
            paths: BTreeSet::new(),
            made: BTreeSet::new(),
            seen: Seen::new(),
            watcher,
            woken,
        }
    }

    /// From now on looks at the files of these versions of the application, as they are now: the one
    /// that is served, and one that could not be; and at all that is in `folder`, where something is
    /// missing that cannot be named.
    pub(crate) fn follow(&mut self, versions: &[&App], folder: Option<&Path>) {
        let mut paths: BTreeSet<PathBuf> = self.options.env_file.iter().cloned().collect();
        paths.extend(folder.map(Path::to_owned));
        self.made.clear();
        for app in versions {
            paths.insert(app.file.clone());
            for route in &app.routes {
                let module = route.target.module().map(Path::to_owned);
                if let Some(build) = &route.build {
                    self.made.extend(module.clone());
                    paths.extend(build.sources.iter().map(|source| app.root.join(source)));
                }
                paths.extend(module);
            }
        }
        self.listen(&paths);
        self.seen = look(&paths);
        self.paths = paths;
    }

    /// What has changed since the last look, but for what builds make, and looks again.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<PathBuf> {
        let now = look(&self.paths);
        let is_new = |(path, state): &(&PathBuf, &State)| self.seen.get(*path) != Some(*state);
        let changed = now.iter().filter(is_new).map(|(path, _)| path.clone());
        let changed = changed.filter(|path| !self.made.contains(path)).collect();
        self.seen = now;
        changed
    }

    /// Has the system tell of changes in the folders of these files.
    fn listen(&mut self, paths: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let (old, new) = (folders(&self.paths), folders(paths));
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

/// The folders of these files, and of those below them that are folders.
fn folders(paths: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let files = paths.iter().flat_map(|path| build::files_below(path));
    files.chain(paths.iter().cloned()).filter_map(|path| folder_of(&path)).collect()
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
    let files = paths.iter().flat_map(|path| build::files_below(path));
    files.map(|path| (path.clone(), state(&path))).collect()
}
