//! What the embedded runtime brings to callers with a stream, and to other apps.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use trilby_dapr::configuration::ConfigurationItem;
use trilby_dapr::subscription::{InputBinding, Subscription};
use trilby_dapr::{Code, Error, Inbound, Result};
use trilby_embedded::{Deliveries, Kind, Runtime};

use crate::{Feed, Feeds};

/// Events and changes of the embedded runtime.
pub struct EmbeddedFeeds(Arc<Runtime>);

impl EmbeddedFeeds {
    /// Those of a runtime.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>) -> Self {
        Self(runtime)
    }
}

#[async_trait]
impl Feeds for EmbeddedFeeds {
    fn subscribe(
        &self,
        subscription: Subscription,
        inbound: Arc<dyn Inbound>,
    ) -> Result<Box<dyn Feed>> {
        let pubsub = subscription.pubsub.clone();
        let started = self.0.start(inbound, vec![subscription], Vec::new(), None);
        let deliveries = started.map_err(|error| refused(&pubsub, &error))?;
        Ok(Box::new(EmbeddedFeed(Some(deliveries))))
    }

    fn bind(&self, binding: InputBinding, inbound: Arc<dyn Inbound>) -> Result<Box<dyn Feed>> {
        let started = self.0.start(inbound, Vec::new(), vec![binding], None);
        let deliveries =
            started.map_err(|error| Error::new(Code::InvalidArgument, error.to_string()))?;
        Ok(Box::new(EmbeddedFeed(Some(deliveries))))
    }

    fn input_bindings(&self) -> Vec<String> {
        let components = self.0.inventory().components().iter();
        let inputs = components.filter(|component| component.kind == Kind::InputBinding);
        inputs.map(|component| component.name.clone()).collect()
    }

    fn watch(
        &self,
        store: &str,
        key: Option<String>,
    ) -> Result<mpsc::Receiver<(String, ConfigurationItem)>> {
        self.0.watch_configuration(store, key).map_err(|error| {
            Error::new(Code::InvalidArgument, error.to_string())
                .with_reason("ERR_CONFIGURATION_SUBSCRIBE")
        })
    }
}

/// A subscription that cannot be, in daprd's words.
fn refused(pubsub: &str, error: &trilby_embedded::Error) -> Error {
    match error {
        trilby_embedded::Error::Missing { .. } => {
            Error::new(Code::InvalidArgument, format!("pubsub {pubsub} is not found"))
                .with_reason("DAPR_PUBSUB_NOT_FOUND")
        }
        error => Error::new(
            Code::Unknown,
            format!("failed to create subscription for {pubsub}: {error}"),
        ),
    }
}

/// One subscription of a stream.
struct EmbeddedFeed(Option<Deliveries>);

#[async_trait]
impl Feed for EmbeddedFeed {
    async fn finish(mut self: Box<Self>, within: Duration) {
        if let Some(deliveries) = self.0.take() {
            deliveries.retire(within).await;
        }
    }
}

/// The topic is without it from now on: no event waits for nobody.
impl Drop for EmbeddedFeed {
    fn drop(&mut self) {
        if let Some(deliveries) = self.0.take() {
            deliveries.abandon();
        }
    }
}
