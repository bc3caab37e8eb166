//! Apps on this machine that serve HTTP, as those of Dapr's SDKs do: they are asked what they want, as
//! daprd asks its app, and get it over HTTP.

mod channel;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trilby_dapr::Inbound;
use trilby_dapr::subscription::{InputBinding, Subscription, Target};

use self::channel::Channel;
use crate::backend::{Backend, Feed, Feeds};

/// How long after a question that found no app it is asked again, at first and at most.
const RETRY_AFTER: Duration = Duration::from_millis(100);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

/// How long an app may take for an event.
const EVENT_WITHIN: Duration = Duration::from_secs(60);

/// How long the events that were accepted may take to be brought when the process ends.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);

/// The apps, each with a task that asks it and then holds what it gets.
#[derive(Default)]
pub(crate) struct Apps(TaskTracker);

impl Apps {
    /// Asks every app, for as long as it takes until it is there.
    pub(crate) fn start(backend: &Backend, draining: &CancellationToken) -> Self {
        let tasks = TaskTracker::new();
        for app in &backend.apps {
            let channel = Arc::new(Channel::new(app, Arc::clone(&backend.blocks)));
            let app = App { channel, feeds: Arc::clone(&backend.feeds) };
            let draining = draining.clone();
            tasks.spawn(async move {
                let Some(feeds) = draining.run_until_cancelled(app.follow()).await else { return };
                draining.cancelled().await;
                let ends = feeds.into_iter().map(|feed| feed.finish(DRAIN_WITHIN));
                futures_util::future::join_all(ends).await;
            });
        }
        tasks.close();
        Self(tasks)
    }

    /// Waits for the end, after `draining`.
    pub(crate) async fn ended(&self) {
        self.0.wait().await;
    }
}

struct App {
    channel: Arc<Channel>,
    feeds: Arc<dyn Feeds>,
}

impl App {
    /// Begins to bring what the app wants.
    async fn follow(&self) -> Vec<Box<dyn Feed>> {
        let mut feeds = Vec::new();
        let app = self.channel.app();
        for subscription in self.subscriptions().await {
            let (pubsub, topic) = (subscription.pubsub.clone(), subscription.topic.clone());
            match self.feeds.subscribe(subscription, self.inbound()) {
                Ok(feed) => {
                    tracing::info!(app, pubsub, topic, "subscribed");
                    feeds.push(feed);
                }
                Err(error) => tracing::error!(app, pubsub, topic, "not subscribed: {error}"),
            }
        }
        for name in self.feeds.input_bindings() {
            if !self.takes(&name).await {
                continue;
            }
            let target = Target { path: wanted::path(&name), deadline: EVENT_WITHIN };
            match self.feeds.bind(InputBinding { name: name.clone(), target }, self.inbound()) {
                Ok(feed) => {
                    tracing::info!(app, binding = name, "gets triggers");
                    feeds.push(feed);
                }
                Err(error) => tracing::error!(app, binding = name, "gets no triggers: {error}"),
            }
        }
        feeds
    }

    /// What the app subscribes to. One that does not know the question subscribes to nothing.
    async fn subscriptions(&self) -> Vec<Subscription> {
        let app = self.channel.app();
        let mut after = RETRY_AFTER;
        loop {
            match self.channel.ask(Method::GET, "dapr/subscribe").await {
                Ok((StatusCode::OK, body)) => {
                    return wanted::subscriptions(app, &body, EVENT_WITHIN);
                }
                Ok((StatusCode::NOT_FOUND, _)) => return Vec::new(),
                Ok((status, _)) => {
                    tracing::warn!(app, "the answer to `GET /dapr/subscribe` was {status}");
                    return Vec::new();
                }
                Err(error) => tracing::debug!(app, "cannot be asked yet: {error}"),
            }
            sleep(after).await;
            after = after.saturating_mul(2).min(RETRY_AFTER_MAX);
        }
    }

    /// Whether the app takes the triggers of a binding: as for daprd, anything but a refusal.
    async fn takes(&self, binding: &str) -> bool {
        let path = wanted::path(binding);
        let asked = self.channel.ask(Method::OPTIONS, path.trim_start_matches('/'));
        let status = asked.await.map(|(status, _)| status);
        status.is_ok_and(|status| status.is_success() || status == StatusCode::METHOD_NOT_ALLOWED)
    }

    fn inbound(&self) -> Arc<dyn Inbound> {
        Arc::clone(&self.channel) as Arc<dyn Inbound>
    }
}
