//! What one request sees, from its beginning to its end, while reloads go on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use ipnet::IpNet;

use crate::Admission;
use crate::dapr_app::paths::Kind;
use crate::dapr_app::{DaprApp, Question};
use crate::entry::{Entry, Table};
use crate::run::Trigger;
use crate::service::Door;

/// How long the routes of topics that a replacement took away are kept for what was accepted before.
const RETIRED_WITHIN: Duration = Duration::from_secs(60);

/// What a reload replaces as a whole.
pub struct Served {
    /// The routes.
    pub table: Table,
    /// The bound on running and waiting requests.
    pub admission: Admission,
    /// The proxies whose word about the client is taken.
    pub trusted_proxies: Vec<IpNet>,
}

/// What was served before a replacement.
pub struct Before(pub(crate) Arc<Generation>);

/// What is served from one replacement to the next.
pub(crate) struct Generation {
    pub(crate) served: Served,
    pub(crate) dapr_app: DaprApp,
    /// Topics that a replacement took away: events that were accepted before still come.
    retired: Retired,
}

/// Routes by their paths, and since when they are retired.
type Retired = HashMap<String, (Instant, Arc<Entry>)>;

impl Generation {
    /// The first one.
    pub(crate) fn new(served: Served, dapr_app: DaprApp) -> Self {
        Self { served, dapr_app, retired: HashMap::new() }
    }

    /// The one that takes the place of this.
    pub(crate) fn next(&self, served: Served, dapr_app: DaprApp) -> Self {
        let retired = self.retired_by(&served.table);
        Self { served, dapr_app, retired }
    }

    /// What a request is to Dapr's app channel.
    pub(crate) fn ask<B>(&self, request: &Request<B>, door: Door) -> Question {
        self.dapr_app.ask(request, door, |kind| self.find(kind))
    }

    /// Whom a delivery is for.
    fn find(&self, kind: Kind) -> Option<(Arc<Entry>, Trigger)> {
        // WASI strings end at a NUL: its guest could not be told such a name.
        let sane = |name: &str| !name.contains('\0');
        let table = &self.served.table;
        let (entry, trigger) = match kind {
            Kind::Topic(path) => (self.topic(&path)?, Trigger::Topic),
            Kind::Binding(name) => (table.bindings.get(&name)?, Trigger::Binding(name)),
            Kind::Job(name) if sane(&name) => (table.job(&name)?, Trigger::Job(name)),
            Kind::Configuration(store, key) if sane(&store) && sane(&key) => {
                (table.configuration(&store, &key)?, Trigger::Configuration(store, key))
            }
            Kind::Job(_) | Kind::Configuration(..) => return None,
        };
        Some((Arc::clone(entry), trigger))
    }

    fn topic(&self, path: &str) -> Option<&Arc<Entry>> {
        let retired = || self.retired.get(path).map(|(_, entry)| entry);
        self.served.table.topics.get(path).or_else(retired)
    }

    /// What is to answer for those topics that `table` does not have.
    fn retired_by(&self, table: &Table) -> Retired {
        let now = Instant::now();
        let own = self.served.table.topics.iter().map(|(path, entry)| (path, (now, entry)));
        let older = self.retired.iter().map(|(path, (since, entry))| (path, (*since, entry)));
        own.chain(older)
            .filter(|(path, _)| !table.topics.contains_key(*path))
            .filter(|(_, (since, _))| now.duration_since(*since) < RETIRED_WITHIN)
            .map(|(path, (since, entry))| (path.clone(), (since, Arc::clone(entry))))
            .collect()
    }
}
