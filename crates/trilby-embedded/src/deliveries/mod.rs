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
    /// How long its receiver runs at most, and at most waits before that. A delivery that takes
    /// even longer is broken off, and tried again.
    pub deadline: Duration,
}

/// An input binding whose triggers are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputBinding {
    /// The component.
    pub name: String,
    /// Where its triggers are posted to, in the form of a URL's path.
    pub path: String,
    /// How long its receiver runs at most, and at most waits before that. A delivery that takes
    /// even longer is broken off.
    pub deadline: Duration,
}

/// The tasks that deliver. Dropped without [`finish`](Self::finish), they break off.
#[derive(Debug)]
pub struct Deliveries {
    tasks: TaskTracker,
    backlog: Arc<Backlog>,
    /// No new triggers, and retries soon.
    draining: CancellationToken,
    /// No new events.
    closing: CancellationToken,
    /// No more of anything. Cancelled by dropping it.
    _broken_off: DropGuard,
}

/// What a cron binding takes for the time.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Deliveries {
    /// Begins the end: no more cron triggers, and retries that do not wait for long.
    ///
    /// Events are delivered as before, also those that are published from now on. While a receiver
    /// keeps failing, an event is tried again until the bound of [`finish`](Self::finish) passes.
    pub fn begin_drain(&self) {
        self.draining.cancel();
    }

    /// Gives up deliveries that never came to work: their topics are without these subscriptions again.
    pub fn abandon(self) {
        self.backlog.retire();
    }

    /// Ends the deliveries while the runtime goes on, as when a reload takes their routes away: from
    /// now on their topics are without these subscriptions, and what was accepted before is delivered
    /// within the bound. Says how many were dropped because it passed.
    ///
    /// The subscriptions end when this is called, not when its future is first polled.
    pub fn retire(self, within: Duration) -> impl Future<Output = usize> {
        self.backlog.retire();
        self.finish(within)
    }

    /// Ends the deliveries within a bound, and says how many were dropped because it passed.
    ///
    /// Events that were accepted are delivered, also those that guests publish meanwhile. Once
    /// nothing is left, publishing to a subscribed topic fails: who else may still publish, such as
    /// requests in flight, must be waited for before. A warning tells of what was dropped.
    pub async fn finish(self, within: Duration) -> usize {
        Self::finish_all(vec![self], within).await
    }

    /// The same for several at once: an event of one may lead to events of another, so none is closed
    /// before all are settled.
    pub async fn finish_all(all: Vec<Self>, within: Duration) -> usize {
        for deliveries in &all {
            deliveries.begin_drain();
        }
        let finished = async {
            loop {
                let before = issued(&all);
                for deliveries in &all {
                    deliveries.backlog.settled().await;
                }
                // One that was settled first may have got an event from the last one of another.
                if issued(&all) == before {
                    break;
                }
            }
            for deliveries in &all {
                deliveries.closing.cancel();
            }
            for deliveries in &all {
                deliveries.tasks.wait().await;
            }
        };
        let dropped = match tokio::time::timeout(within, finished).await {
            Ok(()) => 0,
            Err(_) => all.iter().map(|deliveries| deliveries.backlog.open()).sum(),
        };
        if dropped > 0 {
            tracing::warn!(dropped, "deliveries were dropped: the time to drain has passed");
        }
        dropped
    }
}

fn issued(all: &[Deliveries]) -> u64 {
    all.iter().map(|deliveries| deliveries.backlog.issued()).sum()
}

/// What is delivered, and where it comes from.
type Sources = (Vec<(Arc<Broker>, Subscription)>, Vec<(Arc<Cron>, InputBinding)>);

/// Starts delivering. Must be called on a tokio runtime.
pub(crate) fn start(
    inbound: Arc<dyn Inbound>,
    subscriptions: Vec<(Arc<Broker>, Subscription)>,
    bindings: Vec<(Arc<Cron>, InputBinding)>,
    instead_of: Option<&Deliveries>,
) -> Result<Deliveries, Error> {
    start_at(Arc::new(Timestamp::now), inbound, (subscriptions, bindings), instead_of)
}

fn start_at(
    clock: Clock,
    inbound: Arc<dyn Inbound>,
    (subscriptions, bindings): Sources,
    instead_of: Option<&Deliveries>,
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
        _broken_off: broken_off.clone().drop_guard(),
    };
    for (broker, subscription) in subscriptions {
        let (path, deadline) = (&subscription.path, subscription.deadline);
        let target = post::Target::new(Arc::clone(&inbound), broker.name(), path, deadline)?;
        let events = broker.subscribe(
            &subscription.topic,
            Arc::clone(&deliveries.backlog),
            instead_of.map(|old| &*old.backlog),
        )?;
        let task = topic::Delivery {
            target,
            subscription,
            draining: deliveries.draining.clone(),
            closing: deliveries.closing.clone(),
        };
        let task = broken_off.clone().run_until_cancelled_owned(task.run(events));
        deliveries.tasks.spawn_on(task, &handle);
    }
    if let Some(old) = instead_of.filter(|_| !bindings.is_empty()) {
        old.begin_drain();
    }
    for (cron, binding) in bindings {
        let (path, deadline) = (&binding.path, binding.deadline);
        let target = post::Target::new(Arc::clone(&inbound), cron.name(), path, deadline)?;
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
