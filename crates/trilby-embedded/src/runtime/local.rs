//! The calls of guests that work on this machine only: configuration, locks, encryption,
//! conversations, other apps, and the runtime itself.

use std::collections::BTreeMap;
use std::sync::Weak;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use trilby_dapr::configuration::{Configuration, ConfigurationItem, GetConfiguration};
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::crypto::{Crypto, Decrypt, Encrypt};
use trilby_dapr::invoke::{Invocation, InvokeService, ServiceReply};
use trilby_dapr::lock::{Locks, TryLock, Unlock, Unlocked};
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::stream::ByteStream;
use trilby_dapr::subscription::Subscription;
use trilby_dapr::{CallContext, Error, Inbound, Result};

use crate::conversation::refusals as conversation;
use crate::crypto::{LocalStorageCrypto, refusals as crypto};
use crate::lock::LockStore;
use crate::metadata::{SubscriptionType, capabilities};
use crate::{Kind, Runtime, refusals};

impl Runtime {
    /// From now on invocations of this app go to `inbound`, and no longer to whoever was attached
    /// before. Before the first call, and once `inbound` is dropped, they fail.
    pub fn attach(&self, inbound: Weak<dyn Inbound>) {
        self.apps.attach(inbound);
    }

    /// Changes of a key of a configuration store, or of all its keys, from now on: the key, and what
    /// it holds now, which is an item without a value when it is gone. Must be called on a tokio
    /// runtime.
    ///
    /// Whoever is slow to receive misses values that were changed again, but never the last one.
    ///
    /// # Errors
    ///
    /// When there is no such configuration store.
    pub fn watch_configuration(
        &self,
        store: &str,
        key: Option<String>,
    ) -> std::result::Result<mpsc::Receiver<(String, ConfigurationItem)>, crate::Error> {
        let found = self.configurations.get(store);
        Ok(found.ok_or_else(|| self.missing(Kind::Configuration, store))?.watch(key))
    }

    /// The subscriptions that the metadata is to name, and no others.
    pub fn set_subscriptions(&self, all: Vec<(Subscription, SubscriptionType)>) {
        self.metadata.set_subscriptions(all);
    }

    /// The store, after what daprd looks at before it.
    fn lock_store(&self, name: &str, resource: &str, owner: &str) -> Result<&LockStore> {
        if self.locks.is_empty() {
            return Err(refusals::no_lock_store());
        }
        refusals::empty_in_lock("ResourceId", resource, name)?;
        refusals::empty_in_lock("LockOwner", owner, name)?;
        let store = self.locks.get(name).ok_or_else(|| refusals::lock_store(name))?;
        refusals::too_long_in_lock("ResourceId", resource, name)?;
        refusals::too_long_in_lock("LockOwner", owner, name)?;
        Ok(store)
    }

    fn crypto(&self, name: &str) -> Result<&LocalStorageCrypto> {
        self.cryptos.get(name).ok_or_else(|| crypto::provider(name, self.cryptos.is_empty()))
    }
}

#[async_trait]
impl Configuration for Runtime {
    async fn get_configuration(
        &self,
        cx: &CallContext,
        request: GetConfiguration,
    ) -> Result<BTreeMap<String, ConfigurationItem>> {
        let store = self.configurations.get(&request.store).ok_or_else(|| {
            refusals::configuration_store(&request.store, self.configurations.is_empty())
        })?;
        store.get(cx, &request).await
    }
}

#[async_trait]
impl Locks for Runtime {
    async fn try_lock(&self, cx: &CallContext, request: TryLock) -> Result<bool> {
        if request.expiry.as_secs() == 0 {
            return Err(refusals::lock_expiry(&request.store));
        }
        let store = self.lock_store(&request.store, &request.resource, &request.owner)?;
        store.try_lock(cx, request).await
    }

    async fn unlock(&self, cx: &CallContext, request: Unlock) -> Result<Unlocked> {
        let store = self.lock_store(&request.store, &request.resource, &request.owner)?;
        store.unlock(cx, request).await
    }
}

#[async_trait]
impl Crypto for Runtime {
    async fn encrypt(
        &self,
        cx: &CallContext,
        request: Encrypt,
        plain: ByteStream,
    ) -> Result<ByteStream> {
        let provider = self.crypto(&request.component)?;
        let what = format!("the encryption with `{}`", request.component);
        let begun = timeout_at(cx.deadline, provider.encrypt(request, plain)).await;
        begun.unwrap_or_else(|_| Err(Error::deadline(&what)))
    }

    async fn decrypt(
        &self,
        cx: &CallContext,
        request: Decrypt,
        envelope: ByteStream,
    ) -> Result<ByteStream> {
        let provider = self.crypto(&request.component)?;
        let what = format!("the decryption with `{}`", request.component);
        let begun = timeout_at(cx.deadline, provider.decrypt(request, envelope)).await;
        begun.unwrap_or_else(|_| Err(Error::deadline(&what)))
    }
}

#[async_trait]
impl Conversation for Runtime {
    async fn converse(&self, _: &CallContext, request: Converse) -> Result<Bytes> {
        let found = self.conversations.get(&request.component);
        let component = found.ok_or_else(|| conversation::component(&request.component))?;
        component.converse(&request.request)
    }
}

#[async_trait]
impl Invocation for Runtime {
    async fn invoke_service(
        &self,
        cx: &CallContext,
        request: InvokeService,
        body: ByteStream,
    ) -> Result<ServiceReply> {
        self.apps.invoke(cx, request, body).await
    }
}

#[async_trait]
impl RuntimeApi for Runtime {
    async fn get_metadata(&self, _: &CallContext) -> Result<Bytes> {
        Ok(self.metadata.json(&self.app_id, &self.inventory, |info| {
            let store = self.secrets.get(&info.name);
            capabilities(info.kind, store.is_some_and(|store| store.is_multi_valued()))
        }))
    }

    async fn set_metadata(&self, _: &CallContext, key: String, value: String) -> Result<()> {
        self.metadata.set(key, value)
    }

    async fn call(&self, _: &CallContext, request: Call) -> Result<Bytes> {
        let rpc = request.rpc.escape_debug();
        Err(Error::unimplemented(format!(
            "the embedded runtime does not speak Dapr's wire form, so it cannot call `{rpc}`; use \
             the function of the ABI for it, or run with a Dapr sidecar"
        )))
    }
}
