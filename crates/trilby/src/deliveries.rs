//! Deliveries of the embedded runtime: one group for each route that has a topic or a binding, so
//! that a reload can start and end them singly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trilby_dapr::Inbound;
use trilby_embedded::{Deliveries, InputBinding, Runtime, Subscription};
use trilby_manifest::{App, Trigger};
use trilby_server::events;

use crate::failure::Failure;

/// How long the events of a subscription that a reload took away may take to be delivered.
const RETIRE_WITHIN: Duration = Duration::from_secs(30);

/// What tells one group from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Topic { pubsub: String, topic: String, deadline: Duration },
    Binding { name: String, deadline: Duration },
}

/// All deliveries of an application.
pub(crate) struct Groups {
    runtime: Arc<Runtime>,
    inbound: Arc<dyn Inbound>,
    running: BTreeMap<Source, Deliveries>,
}

impl Groups {
    pub(crate) fn new(runtime: Arc<Runtime>, inbound: Arc<dyn Inbound>) -> Self {
        Self { runtime, inbound, running: BTreeMap::new() }
    }

    /// Starts what the application has and is not running yet, and ends what it has no more. When
    /// something cannot be started, all stays as it was.
    pub(crate) fn follow(&mut self, app: &App) -> Result<(), Failure> {
        let wanted: Vec<Source> = app.routes.iter().filter_map(source).collect();
        let mut new = Vec::new();
        for source in wanted.iter().filter(|source| !self.running.contains_key(source)) {
            new.push((source.clone(), self.start(source)?));
        }
        let old = std::mem::take(&mut self.running);
        for (source, deliveries) in old {
            if wanted.contains(&source) {
                self.running.insert(source, deliveries);
            } else {
                tokio::spawn(deliveries.retire(RETIRE_WITHIN));
            }
        }
        self.running.extend(new);
        Ok(())
    }

    fn start(&self, source: &Source) -> Result<Deliveries, Failure> {
        let (mut subscriptions, mut bindings) = (Vec::new(), Vec::new());
        match source.clone() {
            Source::Topic { pubsub, topic, deadline } => {
                let path = events::topic_path(&pubsub, &topic);
                subscriptions.push(Subscription { pubsub, topic, path, deadline });
            }
            Source::Binding { name, deadline } => {
                let path = events::binding_path(&name);
                bindings.push(InputBinding { name, path, deadline });
            }
        }
        let inbound = Arc::clone(&self.inbound);
        self.runtime.start(inbound, subscriptions, bindings).map_err(Failure::configuration)
    }

    /// Begins the end of all.
    pub(crate) fn begin_drain(&self) {
        for deliveries in self.running.values() {
            deliveries.begin_drain();
        }
    }

    /// Ends all within a bound. A guest may publish to any topic until the last event is handled, so
    /// all groups end together.
    pub(crate) async fn finish(self, within: Duration) {
        let all: Vec<Deliveries> = self.running.into_values().collect();
        Deliveries::finish_all(all, within).await;
    }
}

fn source(route: &trilby_manifest::Route) -> Option<Source> {
    let deadline = route.limits.deadline;
    match &route.trigger {
        Trigger::Http { .. } => None,
        Trigger::Topic { pubsub, topic } => {
            Some(Source::Topic { pubsub: pubsub.clone(), topic: topic.clone(), deadline })
        }
        Trigger::Binding { name } => Some(Source::Binding { name: name.clone(), deadline }),
    }
}
