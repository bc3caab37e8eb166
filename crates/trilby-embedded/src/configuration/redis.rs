//! `configuration.redis`: the text keys of a Redis, in daprd's form: `value||version`.
//!
//! daprd lets Redis tell of changes, and for that changes a setting of the server. Here the keys
//! that are watched are read each second, which takes no right but to read.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Change;
use super::items::{Items, KEYS_MAX, versioned};
use crate::Error;
use crate::component::Component;
use crate::redis::{Failure, Redis};

/// Keys that Redis is asked to look at in one step, so that it serves others in between.
const SCAN_COUNT: usize = 1000;

/// The most that one look for watchers may take.
const LOOK_WITHIN: Duration = Duration::from_secs(30);

/// The keys.
pub(super) struct RedisItems {
    component: String,
    redis: Redis,
    seen: Mutex<Seen>,
}

/// What watchers were told last.
#[derive(Default)]
struct Seen {
    /// The keys that were read; `None` for all.
    keys: Option<BTreeSet<String>>,
    /// `None` before the first look.
    items: Option<Items>,
    /// Whether the last look failed, so that it is told only once.
    is_lost: bool,
}

impl RedisItems {
    pub(super) fn open(component: &Component) -> Result<Self, Error> {
        let (redis, seen) = (Redis::open(component)?, Mutex::default());
        Ok(Self { component: component.name.clone(), redis, seen })
    }

    /// Reads keys; no keys means all. Left out is, as in daprd, what is missing, empty or no text.
    pub(super) async fn get(&self, deadline: Instant, keys: &[String]) -> Result<Items, Failure> {
        let all = if keys.is_empty() { self.all_keys(deadline).await? } else { Vec::new() };
        let keys = if keys.is_empty() { &all } else { keys };
        if keys.is_empty() {
            return Ok(Items::new());
        }
        let command = redis::Cmd::mget(keys);
        let values: Vec<Option<Vec<u8>>> = self.redis.query(deadline, &command).await?;
        let found = keys.iter().zip(values).filter_map(|(key, value)| {
            let item = versioned(std::str::from_utf8(&value?).ok()?);
            (!item.value.is_empty()).then(|| (key.clone(), item))
        });
        Ok(found.collect())
    }

    async fn all_keys(&self, deadline: Instant) -> Result<Vec<String>, Failure> {
        let (mut cursor, mut keys) = (0_u64, BTreeSet::new());
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(cursor).arg("COUNT").arg(SCAN_COUNT).arg("TYPE").arg("string");
            let (next, found): (u64, Vec<Vec<u8>>) = self.redis.query(deadline, &command).await?;
            keys.extend(found.into_iter().filter_map(|key| String::from_utf8(key).ok()));
            if keys.len() > KEYS_MAX {
                return Err(Failure::Refused(format!(
                    "there are more than {KEYS_MAX} keys; name those that are wanted"
                )));
            }
            if next == 0 {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }

    /// What has changed since the last look, of keys that were watched then and are now; `None` for
    /// all. What is watched for the first time has no change yet, as in daprd.
    pub(super) async fn changes(&self, watched: Option<BTreeSet<String>>) -> Vec<Change> {
        let mut seen = self.seen.lock().await;
        let keys: Vec<String> = watched.iter().flatten().cloned().collect();
        let read = if watched.as_ref().is_some_and(BTreeSet::is_empty) {
            Ok(Items::new())
        } else {
            self.get(Instant::now() + LOOK_WITHIN, &keys).await
        };
        let items = match read {
            Ok(items) => items,
            Err(why) => {
                if !seen.is_lost {
                    tracing::warn!(
                        component = self.component,
                        "changes of the configuration are not seen for now: {why}"
                    );
                }
                seen.is_lost = true;
                return Vec::new();
            }
        };
        let mut changes =
            seen.items.as_ref().map_or_else(Vec::new, |old| super::changes(old, &items));
        changes.retain(|(key, _)| seen.keys.as_ref().is_none_or(|keys| keys.contains(key)));
        changes.retain(|(key, _)| watched.as_ref().is_none_or(|keys| keys.contains(key)));
        *seen = Seen { keys: watched, items: Some(items), is_lost: false };
        changes
    }
}
