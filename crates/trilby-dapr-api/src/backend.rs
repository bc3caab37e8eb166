//! What the API is served over.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use trilby_dapr::configuration::ConfigurationItem;
use trilby_dapr::subscription::{InputBinding, Subscription};
use trilby_dapr::{Blocks, Inbound, Result};

use crate::ApiAccess;

/// What the API is served over, and its rules.
pub struct Backend {
    /// The app's id in Dapr, which errors and events name.
    pub app_id: String,
    /// The app's namespace; errors of jobs name it.
    pub namespace: String,
    /// The building blocks.
    pub blocks: Arc<dyn Blocks>,
    /// Who brings events and changes to callers with a stream.
    pub feeds: Arc<dyn Feeds>,
    /// The app itself: it gets the changes of configuration that were asked for over HTTP.
    pub app: Weak<dyn Inbound>,
    /// Other apps that service invocation reaches: they are asked for their subscriptions, and get
    /// events over HTTP.
    pub apps: Vec<String>,
    /// What callers may use.
    pub access: Arc<dyn ApiAccess>,
    /// What callers must send as `dapr-api-token`, if anything.
    pub token: Option<String>,
    /// Ends the process gracefully; asked for by `Shutdown`.
    pub shutdown: Arc<dyn Fn() + Send + Sync>,
    /// The largest message, and the largest body of an HTTP request that is not streamed. daprd's
    /// default is 4 MiB.
    pub message_bytes_max: usize,
}

/// Brings events and changes to callers that hold a stream.
#[async_trait]
pub trait Feeds: Send + Sync + 'static {
    /// Begins to bring the events of a topic to `inbound`, until the feed ends.
    ///
    /// # Errors
    ///
    /// When there is no such component, or the app may not subscribe to the topic.
    fn subscribe(
        &self,
        subscription: Subscription,
        inbound: Arc<dyn Inbound>,
    ) -> Result<Box<dyn Feed>>;

    /// Begins to bring the triggers of an input binding to `inbound`, until the feed ends.
    ///
    /// # Errors
    ///
    /// When there is no such component.
    fn bind(&self, binding: InputBinding, inbound: Arc<dyn Inbound>) -> Result<Box<dyn Feed>>;

    /// The input bindings that there are.
    fn input_bindings(&self) -> Vec<String>;

    /// Changes of a key of a configuration store, or of all its keys. Dropping the receiver ends it.
    ///
    /// # Errors
    ///
    /// When there is no such component.
    fn watch(
        &self,
        store: &str,
        key: Option<String>,
    ) -> Result<mpsc::Receiver<(String, ConfigurationItem)>>;
}

/// A subscription. Dropped, it ends at once.
#[async_trait]
pub trait Feed: Send {
    /// Ends it: no new events, and those that were accepted are brought within the bound.
    async fn finish(self: Box<Self>, within: Duration);
}
