//! The events that this process has in hand: they are not to be fetched a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Common;

/// The numbers of entries, by their stream. Subscriptions to one stream, as the old and the new one
/// during a reload, share them.
#[derive(Debug, Default)]
pub(super) struct Held {
    entries: Mutex<BTreeMap<Arc<str>, BTreeSet<String>>>,
}

/// One entry in hand, until it is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    common: Arc<Common>,
    stream: Arc<str>,
    pub(super) id: String,
}

impl Held {
    /// What is in hand of a stream.
    pub(super) fn of(&self, stream: &str) -> Vec<String> {
        let entries = self.lock();
        entries.get(stream).into_iter().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, BTreeSet<String>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Takes an entry in hand. `None` if it is already.
    pub(super) fn new(common: &Arc<Common>, stream: &Arc<str>, id: String) -> Option<Self> {
        let mut entries = common.held.lock();
        let is_new = entries.entry(Arc::clone(stream)).or_default().insert(id.clone());
        is_new.then(|| Self { common: Arc::clone(common), stream: Arc::clone(stream), id })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut entries = self.common.held.lock();
        if let Some(of_stream) = entries.get_mut(&self.stream) {
            of_stream.remove(&self.id);
            if of_stream.is_empty() {
                entries.remove(&self.stream);
            }
        }
    }
}
