//! Configuration stores: values that an operator may change while the app runs.
//!
//! Two types are of the embedded runtime, since Dapr has none that needs no server.
//! `configuration.in-memory` has values from the component itself and from a [`file`](mod@file)
//! beside it: the metadata `items` holds values as JSON or YAML; `file` names a file of the same
//! form, which wins where both have a key. `configuration.sqlite` has them in a [`table`] that any
//! SQLite shell can write. `configuration.redis` is Dapr's: keys of a [`redis`].
//!
//! Whatever may change is looked at each second for those who watch, and at each call. What a text
//! means, [`items`] reads; what a change is, [`watchers`] tell.

mod file;
mod items;
mod redis;
mod table;
mod watchers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use trilby_dapr::configuration::{ConfigurationItem, GetConfiguration};
use trilby_dapr::{CallContext, Code, Error as DaprError};

use self::file::WatchedFile;
use self::items::Items;
use self::redis::RedisItems;
use self::table::WatchedTable;
use self::watchers::Watchers;
use crate::Error;
use crate::component::Component;

/// How often the source is looked at for watchers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A key, and what it holds now: an item without a value when it is gone.
pub(crate) type Change = (String, ConfigurationItem);

/// One configuration store.
pub(crate) struct ConfigurationStore {
    name: String,
    shared: Arc<Shared>,
    /// The task that looks at the source, once there is a watcher.
    looking: Mutex<Option<AbortOnDropHandle<()>>>,
}

struct Shared {
    /// Values that no file changes.
    fixed: Items,
    source: Source,
    /// One look at a time: the others wait without a thread.
    turn: Arc<Semaphore>,
    /// Never locked while the source is read.
    now: Mutex<Now>,
}

/// Where values come from. Files are locked while they are read, which blocks.
enum Source {
    Component,
    File(Mutex<WatchedFile>),
    Table(Mutex<WatchedTable>),
    Redis(Box<RedisItems>),
}

#[derive(Default)]
struct Now {
    /// Of a Redis only what is watched.
    items: Items,
    watchers: Watchers,
}

impl ConfigurationStore {
    /// Opens the store that a component describes, and reads its file, if it has one.
    pub(crate) fn open(component: &Component) -> Result<Self, Error> {
        let fixed = match component.get("items") {
            Some(text) => items::parse(text)
                .map_err(|why| component.mistake_in("items", format!("`items`: {why}")))?,
            None => Items::new(),
        };
        let (source, read) = Source::open(component)?;
        let items = over(&fixed, read);
        let shared = Shared {
            fixed,
            source,
            turn: Arc::new(Semaphore::new(1)),
            now: Mutex::new(Now { items, watchers: Watchers::default() }),
        };
        Ok(Self {
            name: component.name.clone(),
            shared: Arc::new(shared),
            looking: Mutex::default(),
        })
    }

    /// Reads keys; no keys means all. Missing keys are left out.
    pub(crate) async fn get(
        &self,
        cx: &CallContext,
        request: &GetConfiguration,
    ) -> trilby_dapr::Result<BTreeMap<String, ConfigurationItem>> {
        if let Source::Redis(redis) = &self.shared.source {
            let read = redis.get(cx.deadline, &request.keys).await;
            return read.map_err(|why| self.failed(&request.keys, &why));
        }
        let may_change = !matches!(self.shared.source, Source::Component);
        if may_change && timeout_at(cx.deadline, look(&self.shared)).await.is_err() {
            return Err(DaprError::deadline(&format!("the configuration store `{}`", self.name)));
        }
        let now = self.shared.now();
        if request.keys.is_empty() {
            return Ok(now.items.clone());
        }
        let found = request.keys.iter().filter_map(|key| now.items.get_key_value(key));
        Ok(found.map(|(key, item)| (key.clone(), item.clone())).collect())
    }

    /// Changes of one key, or of all, from now on. Must be called on a tokio runtime.
    ///
    /// A watcher that is slow misses values that were changed again, but never the last one.
    pub(crate) fn watch(&self, key: Option<String>) -> mpsc::Receiver<Change> {
        let changes = self.shared.now().watchers.add(key);
        if !matches!(self.shared.source, Source::Component) {
            let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
            looking.get_or_insert_with(|| {
                let looker = keep_looking(Arc::downgrade(&self.shared));
                AbortOnDropHandle::new(tokio::spawn(looker))
            });
        }
        changes
    }

    /// daprd's words.
    fn failed(&self, keys: &[String], why: &crate::redis::Failure) -> DaprError {
        let (keys, name) = (keys.join(" "), &self.name);
        let message = format!("failed to get [{keys}] from Configuration store {name}: {why}");
        DaprError::new(Code::Internal, message).with_reason("ERR_CONFIGURATION_GET")
    }

    /// Looks at the file now, on this thread.
    #[cfg(test)]
    fn poll(&self) {
        self.shared.poll();
    }
}

impl Source {
    /// The source that a component describes, and what it holds now, if that takes no server.
    fn open(component: &Component) -> Result<(Self, Items), Error> {
        Ok(match component.type_name.as_str() {
            "configuration.redis" => {
                (Self::Redis(Box::new(RedisItems::open(component)?)), Items::new())
            }
            "configuration.sqlite" => {
                let (table, items) = WatchedTable::open(component)?;
                (Self::Table(Mutex::new(table)), items)
            }
            _ if component.get("file").is_some() => {
                let (file, items) = WatchedFile::open(component)?;
                (Self::File(Mutex::new(file)), items)
            }
            _ => (Self::Component, Items::new()),
        })
    }

    /// What is there, if it has changed and is good. Blocks.
    fn read_if_changed(&self) -> Option<Items> {
        match self {
            Self::File(file) => {
                file.lock().unwrap_or_else(PoisonError::into_inner).read_if_changed()
            }
            Self::Table(table) => {
                table.lock().unwrap_or_else(PoisonError::into_inner).read_if_changed()
            }
            Self::Component | Self::Redis(_) => None,
        }
    }
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the source if it has changed, and tells the watchers. Blocks.
    fn poll(&self) {
        let read = self.source.read_if_changed();
        let mut now = self.now();
        if let Some(items) = read {
            let items = over(&self.fixed, items);
            let changes = changes(&now.items, &items);
            now.items = items;
            now.watchers.tell(&changes);
        } else {
            now.watchers.flush();
        }
    }
}

/// Looks at the source; at a file on a thread that may block.
async fn look(shared: &Arc<Shared>) {
    // Held until watchers are told, so that they hear of changes in their order.
    let Ok(turn) = Arc::clone(&shared.turn).acquire_owned().await else { return };
    if let Source::Redis(redis) = &shared.source {
        let watched = shared.now().watchers.keys();
        let changes = redis.changes(watched).await;
        shared.now().watchers.tell(&changes);
        return;
    }
    let shared = Arc::clone(shared);
    let looked = tokio::task::spawn_blocking(move || {
        // Held until the thread is done, however long the caller waits.
        let _turn = turn;
        shared.poll();
    });
    if let Err(error) = looked.await {
        tracing::error!(%error, "cannot look at a configuration file");
    }
}

async fn keep_looking(shared: Weak<Shared>) {
    let mut every = interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        if shared.now().watchers.is_any() {
            look(&shared).await;
        }
    }
}

/// `items` where they have a key, else what is `fixed`.
fn over(fixed: &Items, items: Items) -> Items {
    let mut all = fixed.clone();
    all.extend(items);
    all
}

/// What is new, and what is gone.
fn changes(old: &Items, new: &Items) -> Vec<Change> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    changed.map(|key| (key.clone(), new.get(key).cloned().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests;
