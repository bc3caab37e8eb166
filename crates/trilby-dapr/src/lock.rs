//! Distributed locks.

use std::time::Duration;

use async_trait::async_trait;

use crate::{CallContext, Result};

/// Lock stores.
#[async_trait]
pub trait Locks: Send + Sync {
    /// Takes a lock, if nobody holds it: not even the same owner.
    async fn try_lock(&self, cx: &CallContext, request: TryLock) -> Result<bool>;

    /// Gives a lock back.
    async fn unlock(&self, cx: &CallContext, request: Unlock) -> Result<Unlocked>;
}

/// Takes a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TryLock {
    /// The component's name.
    pub store: String,
    /// What is locked.
    pub resource: String,
    /// Who locks it.
    pub owner: String,
    /// When it is free again by itself; whole seconds.
    pub expiry: Duration,
}

/// Gives a lock back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unlock {
    /// The component's name.
    pub store: String,
    /// What is locked.
    pub resource: String,
    /// Who has locked it.
    pub owner: String,
}

/// What became of giving a lock back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// It is free.
    Done,
    /// Nobody held it.
    Missing,
    /// Somebody else holds it.
    OfOthers,
}
