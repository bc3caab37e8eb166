//! Those who want to know of changes.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use trilby_dapr::configuration::ConfigurationItem;

use super::Change;

/// Changes that wait for one watcher. Of those beyond, only the last of each key waits.
const QUEUE_DEPTH: usize = 256;

/// All watchers of a store.
#[derive(Default)]
pub(super) struct Watchers(Vec<Watcher>);

struct Watcher {
    /// The one key, or else all.
    key: Option<String>,
    queue: mpsc::Sender<Change>,
    /// What does not fit into the queue: no more than there are keys.
    behind: BTreeMap<String, ConfigurationItem>,
}

impl Watchers {
    pub(super) fn add(&mut self, key: Option<String>) -> mpsc::Receiver<Change> {
        let (queue, changes) = mpsc::channel(QUEUE_DEPTH);
        self.0.push(Watcher { key, queue, behind: BTreeMap::new() });
        changes
    }

    /// Whether anybody is watching.
    pub(super) fn is_any(&self) -> bool {
        self.0.iter().any(|watcher| !watcher.queue.is_closed())
    }

    /// The keys that are watched; `None` if all are.
    pub(super) fn keys(&self) -> Option<BTreeSet<String>> {
        let open = self.0.iter().filter(|watcher| !watcher.queue.is_closed());
        open.map(|watcher| watcher.key.clone()).collect()
    }

    pub(super) fn tell(&mut self, changes: &[Change]) {
        for watcher in &mut self.0 {
            for (key, item) in changes.iter().filter(|(key, _)| wants(watcher.key.as_deref(), key))
            {
                watcher.behind.insert(key.clone(), item.clone());
            }
        }
        self.flush();
    }

    /// Hands over what did not fit before.
    pub(super) fn flush(&mut self) {
        self.0.retain_mut(Watcher::flush);
    }
}

fn wants(only: Option<&str>, key: &str) -> bool {
    only.is_none_or(|only| only == key)
}

impl Watcher {
    /// Whether it is still there.
    fn flush(&mut self) -> bool {
        while let Some(change) = self.behind.pop_first() {
            match self.queue.try_send(change) {
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => return false,
                Err(TrySendError::Full((key, item))) => {
                    self.behind.insert(key, item);
                    return true;
                }
            }
        }
        !self.queue.is_closed()
    }
}
