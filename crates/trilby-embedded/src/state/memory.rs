//! `state.in-memory`: gone when the process ends.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use trilby_dapr::Metadata;
use trilby_dapr::state::StateValue;

use super::clock::{Clock, rfc3339};
use super::ttl;
use super::write::{Delete, Failure, Guard, Set, Value, Write};

/// Expired keys that one write removes, so that no write waits for many. More than one, so that
/// removal keeps up with writing.
const EXPIRED_REMOVED_MAX: usize = 16;

pub(super) struct Memory {
    clock: Clock,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// Every entry that expires, the earliest first.
    expiries: BTreeSet<(Timestamp, String)>,
}

struct Entry {
    data: Bytes,
    etag: String,
    expires: Option<Timestamp>,
}

/// A write that nothing is wrong with.
struct Change {
    key: String,
    guard: Guard,
    /// What the key is to hold; nothing if it is to go.
    entry: Option<Entry>,
}

impl Change {
    fn of(write: Write, now: Timestamp) -> Result<Self, Failure> {
        let Set { key, value, guard, ttl, .. } = match write {
            Write::Delete(Delete { key, guard }) => return Ok(Self { key, guard, entry: None }),
            Write::Set(set) => set,
        };
        let seconds = ttl::lenient(ttl.as_deref()).map_err(Failure::Failed)?;
        // A time beyond the calendar is as good as none.
        let expires =
            seconds.and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok());
        let data = match value {
            Value::Bytes(bytes) => bytes,
            Value::Json(text) => Bytes::from(text),
        };
        let etag = uuid::Uuid::new_v4().to_string();
        Ok(Self { key, guard, entry: Some(Entry { data, etag, expires }) })
    }
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, table: Mutex::default() }
    }

    pub(super) fn get(&self, key: &str) -> StateValue {
        let now = self.clock.now();
        let table = self.table();
        let Some(entry) = table.live(key, now) else { return StateValue::default() };
        let expires = entry.expires.map(|time| ("ttlExpireTime".to_owned(), rfc3339(time)));
        StateValue {
            data: entry.data.clone(),
            etag: Some(entry.etag.clone()),
            metadata: expires.into_iter().collect::<Metadata>(),
        }
    }

    pub(super) fn write(&self, write: Write) -> Result<(), Failure> {
        self.transact(vec![write])
    }

    /// Makes all of the changes, in order, or none of them.
    ///
    /// As in daprd, every guard is about the state before the first change.
    pub(super) fn transact(&self, writes: Vec<Write>) -> Result<(), Failure> {
        let now = self.clock.now();
        let changes = writes.into_iter().map(|write| Change::of(write, now));
        let changes = changes.collect::<Result<Vec<Change>, Failure>>()?;
        let mut table = self.table();
        for change in &changes {
            table.check(&change.key, &change.guard, now)?;
        }
        for change in changes {
            table.make(change);
            table.remove_expired(now);
        }
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table().entries.len()
    }
}

impl Table {
    fn live(&self, key: &str, now: Timestamp) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires.is_none_or(|time| now <= time))
    }

    /// The details are daprd's, word for word.
    fn check(&self, key: &str, guard: &Guard, now: Timestamp) -> Result<(), Failure> {
        let detail = match (guard, self.live(key, now)) {
            (Guard::None, _) | (Guard::Missing, None) => return Ok(()),
            (Guard::Missing, Some(_)) => "item already exists and no etag was passed".to_owned(),
            (Guard::Etag(_), None) => format!("state not exist or expired for key={key}"),
            (Guard::Etag(etag), Some(entry)) if entry.etag == *etag => return Ok(()),
            (Guard::Etag(etag), Some(entry)) => {
                format!("state etag not match for key={key}: current={}, expect={etag}", entry.etag)
            }
        };
        Err(Failure::Mismatch(Some(detail)))
    }

    fn make(&mut self, change: Change) {
        self.remove(&change.key);
        if let Some(entry) = change.entry {
            if let Some(time) = entry.expires {
                self.expiries.insert((time, change.key.clone()));
            }
            self.entries.insert(change.key, entry);
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key)
            && let Some(time) = entry.expires
        {
            self.expiries.remove(&(time, key.to_owned()));
        }
    }

    fn remove_expired(&mut self, now: Timestamp) {
        for _ in 0..EXPIRED_REMOVED_MAX {
            if self.expiries.first().is_none_or(|(time, _)| now <= *time) {
                return;
            }
            if let Some((_, key)) = self.expiries.pop_first() {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_remove_what_has_expired() {
        let clock = Clock::set("2026-01-01T00:00:00Z");
        let memory = Memory::new(clock.clone());
        let set = |key: String, ttl: Option<&str>| {
            let value = Value::Bytes(Bytes::new());
            let ttl = ttl.map(str::to_owned);
            let set = Set { key, value, guard: Guard::None, is_first: false, ttl };
            memory.write(Write::Set(set)).expect("written");
        };
        for number in 0..40 {
            set(format!("short-{number}"), Some("5"));
        }
        set("short-0".to_owned(), None);
        clock.advance(6);
        assert_eq!(memory.len(), 40);
        for expected in [25, 10, 4] {
            set(format!("new-{expected}"), None);
            assert_eq!(memory.len(), expected);
        }
        assert!(memory.get("short-0").etag.is_some());
    }
}
