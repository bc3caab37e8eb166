//! `lock.in-memory`: locks between the requests of this process.
//!
//! The type is of the embedded runtime: Dapr's only lock store needs a Redis. It answers as that
//! one does: a lock is not re-entrant, and is free again when its time is over.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trilby_dapr::lock::{TryLock, Unlock, Unlocked};
use trilby_dapr::{Code, Error as DaprError};

use crate::component::Component;
use crate::{Error, refusals};

mod keys;

use self::keys::KeyPrefix;

/// Locks that are held at the same time.
const LOCKS_MAX: usize = 100_000;

/// Locks whose time is over that one call forgets, so that no call waits for many. More than one, so
/// that forgetting keeps up with locking.
const EXPIRED_REMOVED_MAX: usize = 16;

/// Dapr counts the seconds of a lock in 32 bits.
const EXPIRY_MAX: Duration = Duration::from_secs(0x7fff_ffff);

/// One lock store.
pub(crate) struct LockStore {
    name: String,
    prefix: KeyPrefix,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    owners: HashMap<Arc<str>, (String, Instant)>,
    /// When each is free by itself, the earliest first.
    expiries: BTreeSet<(Instant, Arc<str>)>,
}

impl LockStore {
    /// Opens the store that a component describes.
    pub(crate) fn open(component: &Component, app_id: &str) -> Result<Self, Error> {
        let prefix = KeyPrefix::of(component, app_id)?;
        Ok(Self { name: component.name.clone(), prefix, held: Mutex::default() })
    }

    /// Takes a lock, if nobody holds it.
    pub(crate) fn try_lock(&self, request: TryLock) -> trilby_dapr::Result<bool> {
        let key = self.prefix.apply(&request.resource).map_err(refusals::try_lock)?;
        let now = Instant::now();
        let mut held = self.held();
        held.remove_expired(now);
        if held.owner(&key, now).is_some() {
            return Ok(false);
        }
        held.remove(&key);
        if held.owners.len() >= LOCKS_MAX {
            let message = format!(
                "{LOCKS_MAX} locks of the lock store `{}` are held; give some of them back",
                self.name
            );
            return Err(DaprError::new(Code::ResourceExhausted, message)
                .with_reason("TRILBY_TOO_MANY_LOCKS"));
        }
        let end = now + request.expiry.min(EXPIRY_MAX);
        let key: Arc<str> = key.into();
        held.expiries.insert((end, Arc::clone(&key)));
        held.owners.insert(key, (request.owner, end));
        Ok(true)
    }

    /// Gives a lock back.
    pub(crate) fn unlock(&self, request: &Unlock) -> trilby_dapr::Result<Unlocked> {
        let key = self.prefix.apply(&request.resource).map_err(refusals::unlock)?;
        let mut held = self.held();
        let now = Instant::now();
        held.remove_expired(now);
        match held.owner(&key, now) {
            None => Ok(Unlocked::Missing),
            Some(owner) if owner != request.owner => Ok(Unlocked::OfOthers),
            Some(_) => {
                held.remove(&key);
                Ok(Unlocked::Done)
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Who holds a lock now.
    fn owner(&self, key: &str, now: Instant) -> Option<&str> {
        let (owner, end) = self.owners.get(key)?;
        (*end > now).then_some(owner)
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, (_, end))) = self.owners.remove_entry(key) {
            self.expiries.remove(&(end, key));
        }
    }

    fn remove_expired(&mut self, now: Instant) {
        for _ in 0..EXPIRED_REMOVED_MAX {
            if self.expiries.first().is_none_or(|(end, _)| *end > now) {
                return;
            }
            if let Some((_, key)) = self.expiries.pop_first() {
                self.owners.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
