//! What Dapr brings: one group for each topic, binding, configuration key, and for all jobs, so that
//! a reload can start and end them singly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use trilby_dapr::Inbound;
use trilby_dapr::subscription::{ConfigurationWatch, InputBinding, Subscription};
use trilby_embedded::{Deliveries, Runtime, SubscriptionType};
use trilby_sidecar::{Sidecar, Streams};

use crate::failure::Failure;
use crate::wanted::Wanted;

/// How long the events of a subscription that a reload took away may take to be delivered, at least.
const RETIRE_WITHIN: Duration = Duration::from_secs(30);

/// How long those may take of one that only changed. They are nobody's mistake, so only the end of
/// the process cuts them off.
const CHANGE_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What tells one group from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Topic {
        pubsub: String,
        topic: String,
    },
    /// A subscription that a file declares.
    Declared {
        name: String,
    },
    Binding {
        name: String,
    },
    Configuration {
        store: String,
        key: Option<String>,
    },
    Jobs,
}

/// What a group brings. One that has changed starts anew.
#[derive(Clone, Debug, PartialEq)]
enum Load {
    Topic(Subscription),
    Binding(InputBinding),
    Configuration(ConfigurationWatch),
    Jobs(Duration),
}

/// Who brings.
pub(crate) enum Bringer {
    Embedded(Arc<Runtime>),
    /// Streams that this process opens. daprd brings the rest over the app channel by itself.
    Sidecar(Arc<Sidecar>),
}

/// A group that is running.
enum Running {
    Embedded(Deliveries),
    Streams(Streams),
}

/// All groups of an application.
pub(crate) struct Groups {
    bringer: Bringer,
    inbound: Arc<dyn Inbound>,
    /// Whether topics come over streams of this process, where there is a sidecar.
    streams_topics: bool,
    running: BTreeMap<Source, (Load, Running)>,
    /// Those that a reload took away, until their last event is delivered.
    retiring: TaskTracker,
}

impl Groups {
    pub(crate) fn new(bringer: Bringer, inbound: Arc<dyn Inbound>) -> Self {
        Self {
            bringer,
            inbound,
            streams_topics: false,
            running: BTreeMap::new(),
            retiring: TaskTracker::new(),
        }
    }

    /// From now on topics come over streams of this process. They start with the next
    /// [`Self::follow`].
    pub(crate) fn stream_topics(&mut self) {
        self.streams_topics = true;
    }

    /// Starts what the application wants and is not running yet, and ends what it wants no more. When
    /// something cannot be started, all stays as it was.
    pub(crate) fn follow(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        let loads = self.loads(wanted);
        let mut new = Vec::new();
        for (source, load) in &loads {
            if self.running.contains_key(source) {
                continue;
            }
            match self.start(load, None) {
                Ok(running) => new.push((source.clone(), (load.clone(), running))),
                Err(failure) => {
                    new.into_iter().for_each(|(_, (_, running))| running.abandon());
                    return Err(failure);
                }
            }
        }
        if let Err(failure) = self.change(&loads) {
            new.into_iter().for_each(|(_, (_, running))| running.abandon());
            return Err(failure);
        }
        let within = RETIRE_WITHIN.max(wanted.longest.saturating_mul(3));
        let gone = self.running.extract_if(.., |source, _| !loads.contains_key(source));
        for (_, (_, running)) in gone.collect::<Vec<_>>() {
            self.retiring.spawn(running.retire(within));
        }
        self.running.extend(new);
        self.tell();
        Ok(())
    }

    /// Starts those anew that have changed. When one cannot be started, those before it get back what
    /// they had.
    fn change(&mut self, loads: &BTreeMap<Source, Load>) -> Result<(), Failure> {
        let mut changed: Vec<(Source, (Load, Running))> = Vec::new();
        for (source, load) in loads {
            let Some((old, running)) = self.running.get(source).filter(|(old, _)| old != load)
            else {
                continue;
            };
            tracing::debug!(?source, from = ?old, to = ?load, "starts anew");
            match self.start(load, Some(running)) {
                Ok(next) => {
                    let before = self.running.insert(source.clone(), (load.clone(), next));
                    changed.extend(before.map(|before| (source.clone(), before)));
                }
                Err(failure) => {
                    self.change_back(changed);
                    return Err(failure);
                }
            }
        }
        for (_, (_, running)) in changed {
            self.retiring.spawn(running.retire(CHANGE_WITHIN));
        }
        Ok(())
    }

    fn change_back(&mut self, changed: Vec<(Source, (Load, Running))>) {
        for (source, (load, running)) in changed {
            let Some((_, next)) = self.running.remove(&source) else { continue };
            match self.start(&load, Some(&next)) {
                Ok(again) => {
                    self.running.insert(source, (load, again));
                }
                // It was started like this before.
                Err(failure) => tracing::error!(?source, "not started again: {}", failure.text()),
            }
            for running in [running, next] {
                self.retiring.spawn(running.retire(CHANGE_WITHIN));
            }
        }
    }

    /// What this bringer is to bring.
    fn loads(&self, wanted: &Wanted) -> BTreeMap<Source, Load> {
        let embedded = matches!(self.bringer, Bringer::Embedded(_));
        let mut loads = BTreeMap::new();
        if let Bringer::Embedded(runtime) = &self.bringer {
            for (name, subscription) in runtime.declared(wanted.longest) {
                loads.insert(Source::Declared { name }, Load::Topic(subscription));
            }
        }
        for subscription in wanted.subscriptions.iter().filter(|_| embedded || self.streams_topics)
        {
            let (pubsub, topic) = (subscription.pubsub.clone(), subscription.topic.clone());
            loads.insert(Source::Topic { pubsub, topic }, Load::Topic(subscription.clone()));
        }
        for watch in &wanted.watches {
            let (store, key) = (watch.store.clone(), watch.key.clone());
            loads.insert(Source::Configuration { store, key }, Load::Configuration(watch.clone()));
        }
        if embedded {
            for binding in &wanted.bindings {
                let name = binding.name.clone();
                loads.insert(Source::Binding { name }, Load::Binding(binding.clone()));
            }
            loads.extend(wanted.jobs.map(|deadline| (Source::Jobs, Load::Jobs(deadline))));
        }
        loads
    }

    /// Has the metadata name what is subscribed to.
    fn tell(&self) {
        let Bringer::Embedded(runtime) = &self.bringer else { return };
        let named = |(source, (load, _)): (&Source, &(Load, Running))| match (source, load) {
            (Source::Declared { .. }, Load::Topic(subscription)) => {
                Some((subscription.clone(), SubscriptionType::Declarative))
            }
            (_, Load::Topic(subscription)) => {
                Some((subscription.clone(), SubscriptionType::Programmatic))
            }
            _ => None,
        };
        runtime.set_subscriptions(self.running.iter().filter_map(named).collect());
    }

    fn start(&self, load: &Load, instead_of: Option<&Running>) -> Result<Running, Failure> {
        let inbound = Arc::clone(&self.inbound);
        let instead_of = match instead_of {
            Some(Running::Embedded(deliveries)) => Some(deliveries),
            _ => None,
        };
        let runtime = match &self.bringer {
            Bringer::Embedded(runtime) => runtime,
            Bringer::Sidecar(sidecar) => {
                let (topics, watches) = match load.clone() {
                    Load::Topic(subscription) => (vec![subscription], Vec::new()),
                    Load::Configuration(watch) => (Vec::new(), vec![watch]),
                    Load::Binding(_) | Load::Jobs(_) => (Vec::new(), Vec::new()),
                };
                return Ok(Running::Streams(sidecar.subscribe(inbound, topics, watches)));
            }
        };
        let started = match load.clone() {
            Load::Topic(subscription) => {
                runtime.start(inbound, vec![subscription], Vec::new(), instead_of)
            }
            Load::Binding(binding) => runtime.start(inbound, Vec::new(), vec![binding], instead_of),
            Load::Configuration(watch) => runtime.start_watch(inbound, watch, instead_of),
            Load::Jobs(deadline) => runtime.start_jobs(inbound, deadline, instead_of),
        };
        started.map(Running::Embedded).map_err(Failure::configuration)
    }

    /// Whether daprd must ask again for what a new version wants: it brings that over the app channel.
    pub(crate) fn lacks(&self, wanted: &Wanted, before: &Wanted) -> bool {
        let asked_for = |wanted: &Wanted| {
            let topics = if self.streams_topics { &[][..] } else { &wanted.subscriptions };
            (topics.to_vec(), wanted.bindings.clone())
        };
        matches!(self.bringer, Bringer::Sidecar(_)) && asked_for(wanted) != asked_for(before)
    }

    /// Begins the end of all.
    pub(crate) fn begin_drain(&self) {
        for (_, running) in self.running.values() {
            match running {
                Running::Embedded(deliveries) => deliveries.begin_drain(),
                Running::Streams(streams) => streams.begin_drain(),
            }
        }
    }

    /// Ends all within a bound. A guest may publish to any topic until the last event is handled, so
    /// all groups end together.
    pub(crate) async fn finish(self, within: Duration) {
        let end = Instant::now() + within;
        self.retiring.close();
        let retired = timeout_at(end, self.retiring.wait()).await;
        if retired.is_err() {
            tracing::warn!("events of topics that a reload took away were dropped");
        }
        let (mut embedded, mut streams) = (Vec::new(), Vec::new());
        for (_, running) in self.running.into_values() {
            match running {
                Running::Embedded(deliveries) => embedded.push(deliveries),
                Running::Streams(open) => streams.push(open),
            }
        }
        let left = || end.saturating_duration_since(Instant::now());
        Deliveries::finish_all(embedded, left()).await;
        let mut broken_off = 0;
        for open in streams {
            broken_off += open.finish(left()).await;
        }
        if broken_off > 0 {
            tracing::warn!(broken_off, "deliveries were broken off; the broker brings them again");
        }
    }
}

impl Running {
    /// Gives up what never came to work.
    fn abandon(self) {
        match self {
            Self::Embedded(deliveries) => deliveries.abandon(),
            Self::Streams(streams) => drop(streams),
        }
    }

    /// Ends it while the rest goes on.
    fn retire(self, within: Duration) -> impl Future<Output = ()> + Send {
        let (deliveries, streams) = match self {
            Self::Embedded(deliveries) => (Some(deliveries.retire(within)), None),
            Self::Streams(streams) => {
                streams.begin_drain();
                (None, Some(streams.finish(within)))
            }
        };
        async move {
            if let Some(deliveries) = deliveries {
                deliveries.await;
            }
            if let Some(streams) = streams {
                streams.await;
            }
        }
    }
}
