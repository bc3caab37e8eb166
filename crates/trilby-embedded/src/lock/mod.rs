//! Lock stores: in memory, in a file of SQLite that several processes share, and in a Redis.
//!
//! The first two are types of the embedded runtime: Dapr's only lock store is `lock.redis`. All
//! answer as that one does: a lock is not re-entrant, and is free again when its time is over.

mod keys;
mod memory;
mod redis;
mod sqlite;
#[cfg(test)]
mod tests;

use std::time::Duration;

use trilby_dapr::lock::{TryLock, Unlock, Unlocked};
use trilby_dapr::{CallContext, Code, Error as DaprError};

use self::keys::KeyPrefix;
use self::memory::{Full, LOCKS_MAX, Memory};
use self::redis::RedisLocks;
use self::sqlite::SqliteLocks;
use crate::Error;
use crate::component::Component;

/// Dapr counts the seconds of a lock in 32 bits.
const EXPIRY_MAX: Duration = Duration::from_secs(0x7fff_ffff);

/// One lock store.
pub(crate) struct LockStore {
    name: String,
    prefix: KeyPrefix,
    locks: Locks,
}

enum Locks {
    Memory(Memory),
    Sqlite(SqliteLocks),
    Redis(Box<RedisLocks>),
}

impl LockStore {
    /// Opens the store that a component describes.
    pub(crate) fn open(component: &Component, app_id: &str) -> Result<Self, Error> {
        let prefix = KeyPrefix::of(component, app_id)?;
        let locks = match component.type_name.as_str() {
            "lock.redis" => Locks::Redis(Box::new(RedisLocks::open(component)?)),
            "lock.sqlite" => Locks::Sqlite(SqliteLocks::open(component)?),
            _ => Locks::Memory(Memory::default()),
        };
        Ok(Self { name: component.name.clone(), prefix, locks })
    }

    /// Takes a lock, if nobody holds it.
    pub(crate) async fn try_lock(
        &self,
        cx: &CallContext,
        request: TryLock,
    ) -> trilby_dapr::Result<bool> {
        let failed = |why: &dyn std::fmt::Display| {
            DaprError::new(Code::Internal, format!("failed to try acquiring lock: {why}"))
                .with_reason("ERR_TRY_LOCK")
        };
        let key = self.prefix.apply(&request.resource).map_err(|why| failed(&why))?;
        let (owner, expiry) = (request.owner, request.expiry.min(EXPIRY_MAX));
        match &self.locks {
            Locks::Memory(memory) => {
                memory.try_lock(key, owner, expiry).map_err(|Full| self.full())
            }
            Locks::Sqlite(sqlite) => {
                let taken = sqlite.try_lock(cx.deadline, key, owner, expiry).await;
                taken.map_err(|why| failed(&why))
            }
            Locks::Redis(redis) => {
                let taken = redis.try_lock(cx.deadline, &key, &owner, expiry).await;
                taken.map_err(|why| failed(&why))
            }
        }
    }

    /// Gives a lock back.
    pub(crate) async fn unlock(
        &self,
        cx: &CallContext,
        request: Unlock,
    ) -> trilby_dapr::Result<Unlocked> {
        let failed = |why: &dyn std::fmt::Display| {
            DaprError::new(Code::Internal, format!("failed to release lock: {why}"))
                .with_reason("ERR_UNLOCK")
        };
        let key = self.prefix.apply(&request.resource).map_err(|why| failed(&why))?;
        match &self.locks {
            Locks::Memory(memory) => Ok(memory.unlock(&key, &request.owner)),
            Locks::Sqlite(sqlite) => {
                let given = sqlite.unlock(cx.deadline, key, request.owner).await;
                given.map_err(|why| failed(&why))
            }
            Locks::Redis(redis) => {
                let given = redis.unlock(cx.deadline, &key, &request.owner).await;
                given.map_err(|why| failed(&why))
            }
        }
    }

    fn full(&self) -> DaprError {
        let message = format!(
            "{LOCKS_MAX} locks of the lock store `{}` are held; give some of them back",
            self.name
        );
        DaprError::new(Code::ResourceExhausted, message).with_reason("TRILBY_TOO_MANY_LOCKS")
    }
}
