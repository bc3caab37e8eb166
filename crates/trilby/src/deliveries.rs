//! Deliveries of the embedded runtime: one group for each route that has a topic or a binding, so
//! that a reload can start and end them singly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use trilby_dapr::Inbound;
use trilby_embedded::{Deliveries, InputBinding, Runtime, Subscription};
use trilby_manifest::{App, Route, Trigger};
use trilby_server::events;

use crate::failure::Failure;

/// How long the events of a subscription that a reload took away may take to be delivered.
const RETIRE_WITHIN: Duration = Duration::from_secs(30);

/// What tells one group from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Topic { pubsub: String, topic: String },
    Binding { name: String },
}

/// All deliveries of an application.
pub(crate) struct Groups {
    runtime: Arc<Runtime>,
    inbound: Arc<dyn Inbound>,
    /// With the deadline that each was started with.
    running: BTreeMap<Source, (Duration, Deliveries)>,
    /// Those that a reload took away, until their last event is delivered.
    retiring: TaskTracker,
}

impl Groups {
    pub(crate) fn new(runtime: Arc<Runtime>, inbound: Arc<dyn Inbound>) -> Self {
        Self { runtime, inbound, running: BTreeMap::new(), retiring: TaskTracker::new() }
    }

    /// Starts what the application has and is not running yet, and ends what it has no more. When
    /// something cannot be started, all stays as it was.
    pub(crate) fn follow(&mut self, app: &App) -> Result<(), Failure> {
        let wanted: BTreeMap<Source, Duration> = app.routes.iter().filter_map(source).collect();
        let mut new = Vec::new();
        for (source, deadline) in &wanted {
            if self.running.contains_key(source) {
                continue;
            }
            match self.start(source, *deadline, None) {
                Ok(deliveries) => new.push((source.clone(), (*deadline, deliveries))),
                Err(failure) => {
                    new.into_iter().for_each(|(_, (_, deliveries))| deliveries.abandon());
                    return Err(failure);
                }
            }
        }
        let mut gone = Vec::new();
        for (source, (deadline, deliveries)) in std::mem::take(&mut self.running) {
            match wanted.get(&source) {
                Some(same) if *same == deadline => new.push((source, (deadline, deliveries))),
                Some(other) => {
                    // It has started before, so it starts again.
                    let next = self.start(&source, *other, Some(&deliveries))?;
                    new.push((source, (*other, next)));
                    gone.push(deliveries);
                }
                None => gone.push(deliveries),
            }
        }
        self.running.extend(new);
        for deliveries in gone {
            self.retiring.spawn(deliveries.retire(RETIRE_WITHIN));
        }
        Ok(())
    }

    fn start(
        &self,
        source: &Source,
        deadline: Duration,
        instead_of: Option<&Deliveries>,
    ) -> Result<Deliveries, Failure> {
        let (mut subscriptions, mut bindings) = (Vec::new(), Vec::new());
        match source.clone() {
            Source::Topic { pubsub, topic } => {
                let path = events::topic_path(&pubsub, &topic);
                subscriptions.push(Subscription { pubsub, topic, path, deadline });
            }
            Source::Binding { name } => {
                let path = events::binding_path(&name);
                bindings.push(InputBinding { name, path, deadline });
            }
        }
        let inbound = Arc::clone(&self.inbound);
        self.runtime
            .start(inbound, subscriptions, bindings, instead_of)
            .map_err(Failure::configuration)
    }

    /// Begins the end of all.
    pub(crate) fn begin_drain(&self) {
        for (_, deliveries) in self.running.values() {
            deliveries.begin_drain();
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
        let all = self.running.into_values().map(|(_, deliveries)| deliveries).collect();
        Deliveries::finish_all(all, end.saturating_duration_since(Instant::now())).await;
    }
}

fn source(route: &Route) -> Option<(Source, Duration)> {
    let deadline = route.limits.deadline;
    let source = match &route.trigger {
        Trigger::Http { .. } | Trigger::Job { .. } | Trigger::Configuration { .. } => return None,
        Trigger::Topic { pubsub, topic, .. } => {
            Source::Topic { pubsub: pubsub.clone(), topic: topic.clone() }
        }
        Trigger::Binding { name } => Source::Binding { name: name.clone() },
    };
    Some((source, deadline))
}
