//! Subscriptions to changes of configuration, each with an id by which it can be ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream, SelectAll};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trilby_dapr::configuration::{ConfigurationItem, GetConfiguration};
use trilby_dapr::{CallContext, Code, Error, Metadata, Result, delivery};
use uuid::Uuid;

use crate::api::Shared;

/// Subscriptions at once.
const WATCHES_MAX: usize = 1024;

/// Keys of one subscription.
const KEYS_MAX: usize = 1024;

/// All subscriptions, by id, with what ends each of them.
#[derive(Default)]
pub(crate) struct Watches {
    open: Arc<Mutex<HashMap<String, CancellationToken>>>,
}

/// One subscription. It ends when it is dropped.
pub(crate) struct Watch {
    id: String,
    changes: SelectAll<BoxStream<'static, (String, ConfigurationItem)>>,
    ended: CancellationToken,
    of: Weak<Mutex<HashMap<String, CancellationToken>>>,
}

/// What comes of a subscription.
pub(crate) enum Change {
    /// A key has changed. One that is gone has an item without a value.
    Item(String, ConfigurationItem),
    /// It was ended.
    Unsubscribed,
}

impl Watches {
    /// Subscribes to keys of a store; to all of them if there are none.
    pub(crate) async fn open(
        &self,
        shared: &Shared,
        cx: &CallContext,
        store: &str,
        keys: &[String],
    ) -> Result<Watch> {
        check_store(shared, cx, store).await?;
        if keys.len() > KEYS_MAX {
            return Err(Error::invalid(format!(
                "a subscription may have {KEYS_MAX} keys; subscribe to all keys instead"
            )));
        }
        let wanted =
            if keys.is_empty() { vec![None] } else { keys.iter().cloned().map(Some).collect() };
        let mut changes = SelectAll::new();
        for key in wanted {
            let receiver = shared.backend.feeds.watch(store, key)?;
            changes.push(stream_of(receiver));
        }
        let (id, ended) = (Uuid::new_v4().to_string(), CancellationToken::new());
        let mut open = lock(&self.open);
        if open.len() >= WATCHES_MAX {
            return Err(Error::new(
                Code::ResourceExhausted,
                format!("there are {WATCHES_MAX} subscriptions to configuration already"),
            )
            .with_reason("TRILBY_TOO_MANY_SUBSCRIPTIONS"));
        }
        open.insert(id.clone(), ended.clone());
        Ok(Watch { id, changes, ended, of: Arc::downgrade(&self.open) })
    }

    /// Ends a subscription, and says whether there was such a one.
    pub(crate) fn end(&self, id: &str) -> bool {
        lock(&self.open).remove(id).map(|ended| ended.cancel()).is_some()
    }

    /// Subscribes on behalf of the app, which gets each change as daprd posts it over HTTP, and
    /// says the subscription's id.
    pub(crate) async fn deliver(
        &self,
        shared: &Arc<Shared>,
        cx: &CallContext,
        store: &str,
        keys: &[String],
    ) -> Result<String> {
        let mut watch = self.open(shared, cx, store, keys).await?;
        let (id, store) = (watch.id.clone(), store.to_owned());
        let (draining, app) = (shared.draining.clone(), shared.backend.app.clone());
        tokio::spawn(draining.run_until_cancelled_owned(async move {
            while let Change::Item(key, item) = watch.next().await {
                let Some(app) = app.upgrade() else { return };
                let mut request = delivery::configuration(&store, &key, &item);
                *request.body_mut() = told(&watch.id, &key, &item);
                let answer = app.deliver(request).await;
                if !answer.status().is_success() {
                    let status = answer.status().as_u16();
                    tracing::warn!(store, key, status, "the app did not take a change");
                }
            }
        }));
        Ok(id)
    }
}

impl Watch {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The next change.
    pub(crate) async fn next(&mut self) -> Change {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Change::Unsubscribed,
            Some((key, item)) = self.changes.next() => Change::Item(key, item),
            else => Change::Unsubscribed,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(open) = self.of.upgrade() {
            lock(&open).remove(&self.id);
        }
    }
}

/// Refuses a store that is not there, with daprd's error.
pub(crate) async fn check_store(shared: &Shared, cx: &CallContext, store: &str) -> Result<()> {
    // A key that no store has: only the store is asked for.
    let request = GetConfiguration {
        store: store.to_owned(),
        keys: vec![String::new()],
        metadata: Metadata::new(),
    };
    shared.backend.blocks.get_configuration(cx, request).await.map(drop)
}

/// A change as daprd tells it, with the subscription that it is of.
fn told(id: &str, key: &str, item: &ConfigurationItem) -> Bytes {
    let item = json!({
        "value": item.value, "version": item.version, "metadata": item.metadata
    });
    json!({ "id": id, "items": { key: item } }).to_string().into()
}

fn stream_of(
    receiver: mpsc::Receiver<(String, ConfigurationItem)>,
) -> BoxStream<'static, (String, ConfigurationItem)> {
    stream::unfold(receiver, |mut receiver| async move {
        let change = receiver.recv().await?;
        Some((change, receiver))
    })
    .boxed()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
