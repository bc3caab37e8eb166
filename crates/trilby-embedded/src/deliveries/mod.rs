//! What comes to the app by itself: topic events, cron triggers, jobs and changes of configuration,
//! each as an HTTP request.
//!
//! One task per subscription delivers its events in the order of publishing (`topic`, `bulk`),
//! unless its broker wants several at a time; only retries fall behind. `event` and `routes` say
//! what becomes of a message, `changes` has one task per watched configuration, `ticks` one per cron
//! binding, and `crate::jobs` one for all jobs.
//! All of them end through the three signals of [`Deliveries`].

mod bulk;
mod changes;
mod event;
mod post;
mod retries;
mod routes;
#[cfg(test)]
mod tests;
mod ticks;
mod topic;
mod tries;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use trilby_dapr::Inbound;
use trilby_dapr::event::Event;
use trilby_dapr::messaging::Publish;
use trilby_dapr::subscription::{ConfigurationWatch, InputBinding, Subscription};

use crate::Error;
use crate::bindings::Cron;
use crate::broker::{Backlog, Broker};
use crate::jobs::{self, Jobs};
use crate::resiliency::ByComponent;
pub(crate) use changes::Changes;
pub(crate) use post::Receiver;
use tries::Tries;

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

/// What cron bindings, jobs and the ends of events take for the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

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
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) subscriptions: Vec<(Arc<Broker>, Subscription)>,
    pub(crate) bindings: Vec<(Arc<Cron>, InputBinding)>,
    pub(crate) watches: Vec<(ConfigurationWatch, Changes)>,
    /// All jobs, and how long a receiver of one runs at most.
    pub(crate) jobs: Option<(Arc<Jobs>, Duration)>,
    /// The policies for what components bring.
    pub(crate) policies: Arc<ByComponent>,
}

/// Starts delivering. Must be called on a tokio runtime.
pub(crate) fn start(
    inbound: Arc<dyn Inbound>,
    sources: Sources,
    instead_of: Option<&Deliveries>,
) -> Result<Deliveries, Error> {
    start_at(Arc::new(Timestamp::now), inbound, sources, instead_of)
}

fn start_at(
    clock: Clock,
    inbound: Arc<dyn Inbound>,
    sources: Sources,
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
    let Sources { subscriptions, bindings, watches, jobs, policies } = sources;
    let start = Start { deliveries, broken_off, handle, inbound, clock, policies };
    for (broker, subscription) in subscriptions {
        start.topic(broker, subscription, instead_of)?;
    }
    let others = !(bindings.is_empty() && watches.is_empty() && jobs.is_none());
    if let Some(old) = instead_of.filter(|_| others) {
        old.begin_drain();
    }
    for (cron, binding) in bindings {
        start.ticks(cron, &binding)?;
    }
    for (watch, changes) in watches {
        start.changes(watch, changes);
    }
    if let Some((jobs, deadline)) = jobs {
        start.jobs(jobs, deadline);
    }
    start.deliveries.tasks.close();
    Ok(start.deliveries)
}

/// Deliveries whose tasks are being started.
struct Start {
    deliveries: Deliveries,
    broken_off: CancellationToken,
    handle: Handle,
    inbound: Arc<dyn Inbound>,
    clock: Clock,
    policies: Arc<ByComponent>,
}

impl Start {
    fn topic(
        &self,
        broker: Arc<Broker>,
        subscription: Subscription,
        instead_of: Option<&Deliveries>,
    ) -> Result<(), Error> {
        let topic = &subscription.topic;
        let routes = routes::Routes::of(&self.inbound, &subscription)?;
        if let Some(dead_letter) = &subscription.dead_letter_topic {
            broker.check_dead_letter(topic, dead_letter)?;
        }
        let metadata = subscription.metadata.clone();
        let is_raw = Event::is_raw(&Publish { metadata, ..Publish::default() });
        let is_raw = is_raw.map_err(|error| Error::Open {
            component: broker.name().to_owned(),
            message: format!("subscription to topic '{topic}': {error}; write `true` or `false`"),
        })?;
        let backlog = Arc::clone(&self.deliveries.backlog);
        let instead_of = instead_of.map(|old| &*old.backlog);
        let draining = self.deliveries.draining.clone();
        let events = broker.subscribe(topic, backlog, instead_of, &draining)?;
        let delivery = topic::Delivery {
            tries: self.tries(broker.name()),
            broker,
            subscription,
            routes,
            is_raw,
            events,
            waiting: retries::Retries::new(),
            held: None,
            batch_max: bulk::BatchMax::default(),
            clock: Arc::clone(&self.clock),
            draining,
            closing: self.deliveries.closing.clone(),
        };
        self.spawn(delivery.run());
        Ok(())
    }

    fn ticks(&self, cron: Arc<Cron>, binding: &InputBinding) -> Result<(), Error> {
        let target = post::Target::new(&self.inbound, cron.name(), &binding.target)?;
        let delivery = ticks::Delivery {
            target,
            tries: self.tries(cron.name()),
            cron,
            clock: Arc::clone(&self.clock),
            backlog: Arc::clone(&self.deliveries.backlog),
            draining: self.deliveries.draining.clone(),
        };
        self.spawn(delivery.run());
        Ok(())
    }

    fn changes(&self, watch: ConfigurationWatch, changes: Changes) {
        let delivery = changes::Delivery {
            receiver: Receiver::new(Arc::clone(&self.inbound), watch.deadline),
            tries: self.tries(&watch.store),
            store: watch.store,
            changes,
            backlog: Arc::clone(&self.deliveries.backlog),
            draining: self.deliveries.draining.clone(),
        };
        self.spawn(delivery.run());
    }

    fn jobs(&self, jobs: Arc<Jobs>, deadline: Duration) {
        let delivery = jobs::Delivery {
            receiver: Receiver::new(Arc::clone(&self.inbound), deadline),
            jobs,
            backlog: Arc::clone(&self.deliveries.backlog),
            draining: self.deliveries.draining.clone(),
        };
        self.spawn(delivery.run());
    }

    fn tries(&self, component: &str) -> Tries {
        Tries::new(self.policies.get(component))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.broken_off.clone().run_until_cancelled_owned(task);
        self.deliveries.tasks.spawn_on(task, &self.handle);
    }
}
