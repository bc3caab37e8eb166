//! Subscriptions that files declare.

use std::time::Duration;

use trilby_dapr::subscription::{Rule, Subscription, Target};

use crate::load::subscription::DeclaredSubscription;
use crate::{Error, Inventory, Kind, Runtime};

impl Runtime {
    /// The subscriptions that files declare for this app, each with its name. Their events go to
    /// ordinary paths of the app, of which each may run until `deadline`.
    #[must_use]
    pub fn declared(&self, deadline: Duration) -> Vec<(String, Subscription)> {
        let named = |declared: &DeclaredSubscription| {
            (declared.name.clone(), subscription(declared, deadline))
        };
        self.declared.iter().map(named).collect()
    }
}

/// Every subscription must name a broker that is there.
pub(crate) fn check(all: &[DeclaredSubscription], inventory: &Inventory) -> Result<(), Error> {
    let Some(lost) = all.iter().find(|d| !inventory.has(Kind::Pubsub, &d.pubsub)) else {
        return Ok(());
    };
    let near = inventory.nearest(Kind::Pubsub, &lost.pubsub);
    let near = near.map_or_else(String::new, |near| format!("; there is `{near}`"));
    let message = format!("no component of type pubsub is named `{}`{near}", lost.pubsub);
    Err(Error::Component { file: lost.file.clone(), line: lost.line, message })
}

fn subscription(declared: &DeclaredSubscription, deadline: Duration) -> Subscription {
    let target = |path: &String| Target { path: path.clone(), deadline };
    let rule = |(condition, path): &(_, String)| Rule {
        condition: Clone::clone(condition),
        target: target(path),
    };
    Subscription {
        pubsub: declared.pubsub.clone(),
        topic: declared.topic.clone(),
        rules: declared.rules.iter().map(rule).collect(),
        default: declared.default.as_ref().map(target),
        dead_letter_topic: declared.dead_letter_topic.clone(),
        bulk: declared.bulk,
        metadata: declared.metadata.clone(),
    }
}
