//! Actors, as their clients see them.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CallContext, Metadata, Result};

/// Calls to actors. Dapr gives state and timers only for actors that this sidecar hosts.
#[async_trait]
pub trait Actors: Send + Sync {
    /// Calls a method.
    async fn invoke_actor(&self, cx: &CallContext, request: InvokeActor) -> Result<Bytes>;

    /// Reads a key of an actor's state; empty when it is missing.
    async fn get_actor_state(&self, cx: &CallContext, actor: Actor, key: String) -> Result<Bytes>;

    /// Changes an actor's state, all or nothing.
    async fn transact_actor_state(
        &self,
        cx: &CallContext,
        actor: Actor,
        operations: Vec<ActorStateOperation>,
    ) -> Result<()>;

    /// Adds a reminder, which outlives the actor's host.
    async fn register_reminder(&self, cx: &CallContext, request: Reminder) -> Result<()>;

    /// Reads a reminder.
    async fn get_reminder(&self, cx: &CallContext, actor: Actor, name: String) -> Result<Reminder>;

    /// Deletes a reminder.
    async fn unregister_reminder(&self, cx: &CallContext, actor: Actor, name: String)
    -> Result<()>;

    /// Adds a timer, which ends with the actor.
    async fn register_timer(&self, cx: &CallContext, request: Timer) -> Result<()>;

    /// Deletes a timer.
    async fn unregister_timer(&self, cx: &CallContext, actor: Actor, name: String) -> Result<()>;
}

/// Which actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Its type.
    pub actor_type: String,
    /// Its id within the type.
    pub id: String,
}

/// Calls a method of an actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeActor {
    /// Which actor.
    pub actor: Actor,
    /// The method.
    pub method: String,
    /// What the method gets.
    pub data: Bytes,
    /// Passed to the actor's host.
    pub metadata: Metadata,
}

/// One step of a change of an actor's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorStateOperation {
    /// Writes a key.
    Upsert {
        /// The key.
        key: String,
        /// JSON text.
        value: Bytes,
        /// Such as `ttlInSeconds`.
        metadata: Metadata,
    },
    /// Deletes a key.
    Delete {
        /// The key.
        key: String,
    },
}

/// A reminder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reminder {
    /// Of which actor.
    pub actor: Actor,
    /// Its name within the actor.
    pub name: String,
    /// When it is due first, as Dapr writes it; empty for at once.
    pub due_time: String,
    /// The time between; empty for once only.
    pub period: String,
    /// When it ends; empty for never.
    pub ttl: String,
    /// JSON text that comes with it; may be empty.
    pub data: Bytes,
    /// Whether it may take the place of one of the same name; `None` leaves it to Dapr.
    pub overwrite: Option<bool>,
}

/// A timer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    /// Of which actor.
    pub actor: Actor,
    /// Its name within the actor.
    pub name: String,
    /// When it is due first; empty for at once.
    pub due_time: String,
    /// The time between; empty for once only.
    pub period: String,
    /// When it ends; empty for never.
    pub ttl: String,
    /// The method that it calls.
    pub callback: String,
    /// JSON text that comes with it; may be empty.
    pub data: Bytes,
}
