//! Building blocks for a guest that runs before there are any.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use trilby_dapr::actor::{Actor, ActorStateOperation, Actors, InvokeActor, Reminder, Timer};
use trilby_dapr::configuration::{Configuration, ConfigurationItem, GetConfiguration};
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::invoke::{Invocation, InvokeService, ServiceReply};
use trilby_dapr::jobs::{Job, Jobs, ScheduleJob};
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::messaging::{
    BindingReply, Bindings, FailedEvent, InvokeBinding, Publish, PublishBulk, Pubsub,
};
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::secret::{GetSecret, GetSecrets, Secret, Secrets};
use trilby_dapr::state::{
    BulkStateItem, DeleteState, DeleteStates, GetState, GetStates, QueryReply, QueryState,
    SaveState, State, StateValue, TransactState,
};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{CallContext, Code, Error, Result};

/// Refuses every call: what a module gets when it is asked for its routes at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unavailable;

fn refused<T>() -> Result<T> {
    Err(Error::new(Code::Unavailable, "the building blocks are not there yet"))
}

#[async_trait]
impl State for Unavailable {
    async fn get_state(&self, _: &CallContext, _: GetState) -> Result<StateValue> {
        refused()
    }

    async fn get_states(&self, _: &CallContext, _: GetStates) -> Result<Vec<BulkStateItem>> {
        refused()
    }

    async fn save_state(&self, _: &CallContext, _: SaveState) -> Result<()> {
        refused()
    }

    async fn delete_state(&self, _: &CallContext, _: DeleteState) -> Result<()> {
        refused()
    }

    async fn delete_states(&self, _: &CallContext, _: DeleteStates) -> Result<()> {
        refused()
    }

    async fn transact_state(&self, _: &CallContext, _: TransactState) -> Result<()> {
        refused()
    }

    async fn query_state(&self, _: &CallContext, _: QueryState) -> Result<QueryReply> {
        refused()
    }
}

#[async_trait]
impl Pubsub for Unavailable {
    async fn publish(&self, _: &CallContext, _: Publish) -> Result<()> {
        refused()
    }

    async fn publish_bulk(&self, _: &CallContext, _: PublishBulk) -> Result<Vec<FailedEvent>> {
        refused()
    }
}

#[async_trait]
impl Bindings for Unavailable {
    async fn invoke_binding(&self, _: &CallContext, _: InvokeBinding) -> Result<BindingReply> {
        refused()
    }
}

#[async_trait]
impl Invocation for Unavailable {
    async fn invoke_service(
        &self,
        _: &CallContext,
        _: InvokeService,
        _: ByteStream,
    ) -> Result<ServiceReply> {
        refused()
    }
}

#[async_trait]
impl Secrets for Unavailable {
    async fn get_secret(&self, _: &CallContext, _: GetSecret) -> Result<Secret> {
        refused()
    }

    async fn get_secrets(
        &self,
        _: &CallContext,
        _: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>> {
        refused()
    }
}

#[async_trait]
impl Configuration for Unavailable {
    async fn get_configuration(
        &self,
        _: &CallContext,
        _: GetConfiguration,
    ) -> Result<BTreeMap<String, ConfigurationItem>> {
        refused()
    }
}

#[async_trait]
impl Locks for Unavailable {
    async fn try_lock(&self, _: &CallContext, _: TryLock) -> Result<bool> {
        refused()
    }

    async fn unlock(&self, _: &CallContext, _: Unlock) -> Result<Unlocked> {
        refused()
    }
}

#[async_trait]
impl Jobs for Unavailable {
    async fn schedule_job(&self, _: &CallContext, _: ScheduleJob) -> Result<()> {
        refused()
    }

    async fn get_job(&self, _: &CallContext, _: &str) -> Result<Job> {
        refused()
    }

    async fn delete_job(&self, _: &CallContext, _: &str) -> Result<()> {
        refused()
    }

    async fn list_jobs(&self, _: &CallContext) -> Result<Vec<Job>> {
        refused()
    }
}

#[async_trait]
impl Crypto for Unavailable {
    async fn encrypt(&self, _: &CallContext, _: Encrypt, _: ByteStream) -> Result<ByteStream> {
        refused()
    }

    async fn decrypt(&self, _: &CallContext, _: Decrypt, _: ByteStream) -> Result<ByteStream> {
        refused()
    }
}

#[async_trait]
impl Conversation for Unavailable {
    async fn converse(&self, _: &CallContext, _: Converse) -> Result<Bytes> {
        refused()
    }
}

#[async_trait]
impl Actors for Unavailable {
    async fn invoke_actor(&self, _: &CallContext, _: InvokeActor) -> Result<Bytes> {
        refused()
    }

    async fn get_actor_state(&self, _: &CallContext, _: Actor, _: String) -> Result<Bytes> {
        refused()
    }

    async fn transact_actor_state(
        &self,
        _: &CallContext,
        _: Actor,
        _: Vec<ActorStateOperation>,
    ) -> Result<()> {
        refused()
    }

    async fn register_reminder(&self, _: &CallContext, _: Reminder) -> Result<()> {
        refused()
    }

    async fn get_reminder(&self, _: &CallContext, _: Actor, _: String) -> Result<Reminder> {
        refused()
    }

    async fn unregister_reminder(&self, _: &CallContext, _: Actor, _: String) -> Result<()> {
        refused()
    }

    async fn register_timer(&self, _: &CallContext, _: Timer) -> Result<()> {
        refused()
    }

    async fn unregister_timer(&self, _: &CallContext, _: Actor, _: String) -> Result<()> {
        refused()
    }
}

#[async_trait]
impl RuntimeApi for Unavailable {
    async fn get_metadata(&self, _: &CallContext) -> Result<Bytes> {
        refused()
    }

    async fn set_metadata(&self, _: &CallContext, _: String, _: String) -> Result<()> {
        refused()
    }

    async fn call(&self, _: &CallContext, _: Call) -> Result<Bytes> {
        refused()
    }
}
