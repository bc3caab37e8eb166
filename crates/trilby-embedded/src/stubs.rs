//! Blocks that are still to be built.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use trilby_dapr::actor::{Actor, ActorStateOperation, Actors, InvokeActor, Reminder, Timer};
use trilby_dapr::configuration::{Configuration, ConfigurationItem, GetConfiguration};
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::invoke::{Invocation, InvokeService, ServiceReply};
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::{CallContext, Error, Result};

use crate::Runtime;

#[async_trait]
impl Invocation for Runtime {
    async fn invoke_service(
        &self,
        _: &CallContext,
        _: InvokeService,
        _: ByteStream,
    ) -> Result<ServiceReply> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Configuration for Runtime {
    async fn get_configuration(
        &self,
        _: &CallContext,
        _: GetConfiguration,
    ) -> Result<BTreeMap<String, ConfigurationItem>> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Locks for Runtime {
    async fn try_lock(&self, _: &CallContext, _: TryLock) -> Result<bool> {
        Err(Error::unimplemented("not yet"))
    }

    async fn unlock(&self, _: &CallContext, _: Unlock) -> Result<Unlocked> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Crypto for Runtime {
    async fn encrypt(&self, _: &CallContext, _: Encrypt, _: ByteStream) -> Result<ByteStream> {
        Err(Error::unimplemented("not yet"))
    }

    async fn decrypt(&self, _: &CallContext, _: Decrypt, _: ByteStream) -> Result<ByteStream> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Conversation for Runtime {
    async fn converse(&self, _: &CallContext, _: Converse) -> Result<Bytes> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl Actors for Runtime {
    async fn invoke_actor(&self, _: &CallContext, _: InvokeActor) -> Result<Bytes> {
        Err(Error::unimplemented("not yet"))
    }

    async fn get_actor_state(&self, _: &CallContext, _: Actor, _: String) -> Result<Bytes> {
        Err(Error::unimplemented("not yet"))
    }

    async fn transact_actor_state(
        &self,
        _: &CallContext,
        _: Actor,
        _: Vec<ActorStateOperation>,
    ) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn register_reminder(&self, _: &CallContext, _: Reminder) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn get_reminder(&self, _: &CallContext, _: Actor, _: String) -> Result<Reminder> {
        Err(Error::unimplemented("not yet"))
    }

    async fn unregister_reminder(&self, _: &CallContext, _: Actor, _: String) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn register_timer(&self, _: &CallContext, _: Timer) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn unregister_timer(&self, _: &CallContext, _: Actor, _: String) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }
}

#[async_trait]
impl RuntimeApi for Runtime {
    async fn get_metadata(&self, _: &CallContext) -> Result<Bytes> {
        Err(Error::unimplemented("not yet"))
    }

    async fn set_metadata(&self, _: &CallContext, _: String, _: String) -> Result<()> {
        Err(Error::unimplemented("not yet"))
    }

    async fn call(&self, _: &CallContext, _: Call) -> Result<Bytes> {
        Err(Error::unimplemented("not yet"))
    }
}
