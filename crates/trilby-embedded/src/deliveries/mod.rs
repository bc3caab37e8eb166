//! What comes to the app by itself: topic events and cron triggers, each as an HTTP request.
//!
//! One task per subscription delivers its events one after the other, in the order of publishing;
//! only retries fall behind (`topic`). One task per cron binding delivers its triggers (`ticks`).
//! All of them end through the three signals of [`Deliveries`].

mod post;
mod retries;
#[cfg(test)]
mod tests;
mod ticks;
mod topic;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use trilby_dapr::Inbound;

use crate::Error;
use crate::bindings::Cron;
use crate::broker::{Backlog, Broker};

/// A topic whose events are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The pub/sub component.
    pub pubsub: String,
    /// The topic; one that ends in `*` stands for all that begin so.
    pub topic: String,
    /// Where its events are posted to, in the form of a URL's path.
    pub path: String,
}

/// An input binding whose triggers are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputBinding {
    /// The component.
    pub name: String,
    /// Where its triggers are posted to, in the form of a URL's path.
    pub path: String,
}

/// The tasks that deliver. Dropped without [`drain`](Self::drain), they break off.
#[derive(Debug)]
pub struct Deliveries {
    tasks: TaskTracker,
    backlog: Arc<Backlog>,
    /// No new triggers, and retries at once.
    draining: CancellationToken,
    /// No new events.
    closing: CancellationToken,
    /// No more of anything. Cancelled by dropping it.
    broken_off: DropGuard,
}

/// What a cron binding takes for the time.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Deliveries {
    /// Ends the deliveries within a bound.
    ///
    /// Cron triggers end at once. Events that were accepted are delivered, also those that guests
    /// publish meanwhile; retries do not wait any more. Once nothing is left, publishing to a
    /// subscribed topic fails. What is left when the bound passes is dropped, and a warning says
    /// how many that were.
    pub async fn drain(self, within: Duration) {
        self.draining.cancel();
        let finished = async {
            self.backlog.settled().await;
            self.closing.cancel();
            self.tasks.wait().await;
        };
        if tokio::time::timeout(within, finished).await.is_err() {
            let dropped = self.backlog.open();
            tracing::warn!(dropped, "deliveries were dropped: they did not end within {within:?}");
        }
        drop(self.broken_off);
    }
}

/// Starts delivering. Must be called on a tokio runtime.
pub(crate) fn start(
    inbound: Arc<dyn Inbound>,
    subscriptions: Vec<(Arc<Broker>, Subscription)>,
    bindings: Vec<(Arc<Cron>, InputBinding)>,
) -> Result<Deliveries, Error> {
    start_at(Arc::new(Timestamp::now), inbound, subscriptions, bindings)
}

fn start_at(
    clock: Clock,
    inbound: Arc<dyn Inbound>,
    subscriptions: Vec<(Arc<Broker>, Subscription)>,
    bindings: Vec<(Arc<Cron>, InputBinding)>,
) -> Result<Deliveries, Error> {
    let handle = Handle::try_current().map_err(|error| Error::Open {
        component: "deliveries".to_owned(),
        message: format!("{error}; start the embedded runtime on a tokio runtime"),
    })?;
    let broken_off = CancellationToken::new();
    let deliveries = Deliveries {
        tasks: TaskTracker::new(),
        backlog: Arc::default(),
        draining: CancellationToken::new(),
        closing: CancellationToken::new(),
        broken_off: broken_off.clone().drop_guard(),
    };
    for (broker, subscription) in subscriptions {
        let target = post::Target::new(Arc::clone(&inbound), broker.name(), &subscription.path)?;
        let events = broker.subscribe(&subscription.topic, Arc::clone(&deliveries.backlog))?;
        let task = topic::Delivery {
            target,
            subscription,
            draining: deliveries.draining.clone(),
            closing: deliveries.closing.clone(),
        };
        let task = broken_off.clone().run_until_cancelled_owned(task.run(events));
        deliveries.tasks.spawn_on(task, &handle);
    }
    for (cron, binding) in bindings {
        let target = post::Target::new(Arc::clone(&inbound), cron.name(), &binding.path)?;
        let task = ticks::Delivery {
            target,
            cron,
            clock: Arc::clone(&clock),
            backlog: Arc::clone(&deliveries.backlog),
            draining: deliveries.draining.clone(),
        };
        let task = broken_off.clone().run_until_cancelled_owned(task.run());
        deliveries.tasks.spawn_on(task, &handle);
    }
    deliveries.tasks.close();
    Ok(deliveries)
}
