//! Actors, which need a placement service and so a sidecar: every call fails as with a daprd that
//! has none.

use async_trait::async_trait;
use bytes::Bytes;
use trilby_dapr::actor::{Actor, ActorStateOperation, Actors, InvokeActor, Reminder, Timer};
use trilby_dapr::{CallContext, Code, Error, Result};

use crate::Runtime;

fn no_placement<T>() -> Result<T> {
    Err(Error::new(Code::Unavailable, "placement service is not configured"))
}

#[async_trait]
impl Actors for Runtime {
    async fn invoke_actor(&self, _: &CallContext, _: InvokeActor) -> Result<Bytes> {
        no_placement()
    }

    async fn get_actor_state(&self, _: &CallContext, _: Actor, _: String) -> Result<Bytes> {
        no_placement()
    }

    async fn transact_actor_state(
        &self,
        _: &CallContext,
        _: Actor,
        _: Vec<ActorStateOperation>,
    ) -> Result<()> {
        no_placement()
    }

    async fn register_reminder(&self, _: &CallContext, _: Reminder) -> Result<()> {
        no_placement()
    }

    async fn get_reminder(&self, _: &CallContext, _: Actor, _: String) -> Result<Reminder> {
        no_placement()
    }

    async fn unregister_reminder(&self, _: &CallContext, _: Actor, _: String) -> Result<()> {
        no_placement()
    }

    async fn register_timer(&self, _: &CallContext, _: Timer) -> Result<()> {
        no_placement()
    }

    async fn unregister_timer(&self, _: &CallContext, _: Actor, _: String) -> Result<()> {
        no_placement()
    }
}
