//! `lock.in-memory`: locks between the requests of this process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trilby_dapr::lock::Unlocked;

/// Locks that are held at the same time.
pub(super) const LOCKS_MAX: usize = 100_000;

/// Locks whose time is over that one call forgets, so that no call waits for many. More than one, so
/// that forgetting keeps up with locking.
const EXPIRED_REMOVED_MAX: usize = 16;

/// The locks.
#[derive(Default)]
pub(super) struct Memory(Mutex<Held>);

#[derive(Default)]
struct Held {
    owners: HashMap<Arc<str>, (String, Instant)>,
    /// When each is free by itself, the earliest first.
    expiries: BTreeSet<(Instant, Arc<str>)>,
}

/// There are as many locks as there may be.
pub(super) struct Full;

impl Memory {
    pub(super) fn try_lock(
        &self,
        key: String,
        owner: String,
        expiry: Duration,
    ) -> Result<bool, Full> {
        let now = Instant::now();
        let mut held = self.held();
        held.remove_expired(now);
        if held.owner(&key, now).is_some() {
            return Ok(false);
        }
        held.remove(&key);
        if held.owners.len() >= LOCKS_MAX {
            return Err(Full);
        }
        let end = now + expiry;
        let key: Arc<str> = key.into();
        held.expiries.insert((end, Arc::clone(&key)));
        held.owners.insert(key, (owner, end));
        Ok(true)
    }

    pub(super) fn unlock(&self, key: &str, owner: &str) -> Unlocked {
        let mut held = self.held();
        let now = Instant::now();
        held.remove_expired(now);
        match held.owner(key, now) {
            None => Unlocked::Missing,
            Some(holder) if holder != owner => Unlocked::OfOthers,
            Some(_) => {
                held.remove(key);
                Unlocked::Done
            }
        }
    }

    /// How many locks there are, and how many times at which one ends.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let held = self.held();
        (held.owners.len(), held.expiries.len())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
