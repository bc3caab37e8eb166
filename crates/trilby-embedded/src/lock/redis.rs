//! `lock.redis`: locks in daprd's own form, a key for each with its owner as the value.

use std::time::Duration;

use redis::Script;
use tokio::time::Instant;
use trilby_dapr::lock::Unlocked;

use crate::Error;
use crate::component::Component;
use crate::redis::{Failure, Redis};

/// Gives a lock back if this owner has it: 1 for done, 0 for another's, -1 for nobody's.
const UNLOCK: &str = "\
local owner = redis.call('GET', KEYS[1])
if not owner then return -1 end
if owner ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// The locks.
pub(super) struct RedisLocks {
    redis: Redis,
    unlock: Script,
}

impl RedisLocks {
    pub(super) fn open(component: &Component) -> Result<Self, Error> {
        Ok(Self { redis: Redis::open(component)?, unlock: Script::new(UNLOCK) })
    }

    pub(super) async fn try_lock(
        &self,
        deadline: Instant,
        key: &str,
        owner: &str,
        expiry: Duration,
    ) -> Result<bool, Failure> {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(owner).arg("NX").arg("EX").arg(expiry.as_secs());
        let done: Option<String> = self.redis.query(deadline, &command).await?;
        Ok(done.is_some())
    }

    pub(super) async fn unlock(
        &self,
        deadline: Instant,
        key: &str,
        owner: &str,
    ) -> Result<Unlocked, Failure> {
        let mut invocation = self.unlock.prepare_invoke();
        invocation.key(key).arg(owner);
        let invoke = async |mut shared| invocation.invoke_async::<i64>(&mut shared).await;
        Ok(match self.redis.run(deadline, invoke).await? {
            -1 => Unlocked::Missing,
            0 => Unlocked::OfOthers,
            _ => Unlocked::Done,
        })
    }
}
