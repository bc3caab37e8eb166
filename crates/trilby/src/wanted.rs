//! What an application wants to be told of by Dapr: the routes that no client starts.

use std::collections::BTreeMap;
use std::time::Duration;

use trilby_dapr::subscription::{
    Bulk, ConfigurationWatch, InputBinding, Rule, Subscription, Target,
};
use trilby_dapr::{Condition, ConditionError};
use trilby_manifest::{Loaded, Part, Pattern, Route, TopicOptions, Trigger};
use trilby_server::events;

use crate::failure::Failure;

/// All that Dapr is to bring.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// One for each topic, however many routes share its events.
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) bindings: Vec<InputBinding>,
    pub(crate) watches: Vec<ConfigurationWatch>,
    /// How long a job's receiver runs at most, if there is one.
    pub(crate) jobs: Option<Duration>,
    /// How long any route runs at most.
    pub(crate) longest: Duration,
}

impl Wanted {
    /// What the routes of an application are for. Conditions are read here: the manifest leaves them
    /// to those who know Dapr. All that are wrong are told.
    pub(crate) fn of(loaded: &Loaded) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        let mut problems = Vec::new();
        for route in &loaded.app.routes {
            if let Err(error) = wanted.add(route) {
                let title = format!("`match` is no condition in CEL: {error}");
                let help = "write an expression on `event`, as in `event.type == \"placed\"`";
                problems.push(loaded.report(&route.place, Part::Match, &title, Some(help)));
            }
            problems.extend(typed_calls(loaded, route));
        }
        if problems.is_empty() {
            Ok(wanted)
        } else {
            Err(Failure::configuration(problems.join("\n\n")))
        }
    }

    fn add(&mut self, route: &Route) -> Result<(), ConditionError> {
        let deadline = route.limits.deadline;
        self.longest = self.longest.max(deadline);
        match &route.trigger {
            Trigger::Http { .. } => {}
            Trigger::Topic { pubsub, topic, options } => {
                self.add_topic((pubsub, topic), options, deadline)?;
            }
            Trigger::Binding { name } => self.bindings.push(InputBinding {
                name: name.clone(),
                target: Target { path: events::binding_path(name), deadline },
            }),
            Trigger::Job { .. } => self.jobs = self.jobs.max(Some(deadline)),
            Trigger::Configuration { store, pattern } => self.add_watch(store, pattern, deadline),
        }
        Ok(())
    }

    fn add_topic(
        &mut self,
        (pubsub, topic): (&str, &str),
        options: &TopicOptions,
        deadline: Duration,
    ) -> Result<(), ConditionError> {
        let condition = options.condition.as_deref();
        let target = Target { path: events::topic_path(pubsub, topic, condition), deadline };
        let condition = condition.map(Condition::parse).transpose()?;
        let known = |known: &Subscription| known.pubsub == pubsub && known.topic == topic;
        let at = self.subscriptions.iter().position(known).unwrap_or(self.subscriptions.len());
        if at == self.subscriptions.len() {
            self.subscriptions.push(subscription((pubsub, topic), options));
        }
        if let Some(subscription) = self.subscriptions.get_mut(at) {
            match condition {
                None => subscription.default = Some(target),
                Some(condition) => subscription.rules.push(Rule { condition, target }),
            }
        }
        Ok(())
    }

    /// One watch for a key, or for all keys of a store when any route wants more than one.
    fn add_watch(&mut self, store: &str, pattern: &Pattern, deadline: Duration) {
        let key = match pattern {
            Pattern::Exact(key) => Some(key.clone()),
            Pattern::Prefix(_) => None,
        };
        let mut of_store: Vec<_> =
            self.watches.extract_if(.., |watch| watch.store == store).collect();
        let longest = of_store.iter().map(|watch| watch.deadline).max().unwrap_or_default();
        let deadline = deadline.max(longest);
        let watches_all = key.is_none() || of_store.iter().any(|watch| watch.key.is_none());
        if watches_all {
            of_store = vec![ConfigurationWatch { store: store.to_owned(), key: None, deadline }];
        } else if !of_store.iter().any(|watch| watch.key == key) {
            of_store.push(ConfigurationWatch { store: store.to_owned(), key, deadline });
        }
        self.watches.append(&mut of_store);
    }
}

fn subscription((pubsub, topic): (&str, &str), options: &TopicOptions) -> Subscription {
    let raw = options.raw_payload.then(|| ("rawPayload".to_owned(), "true".to_owned()));
    Subscription {
        pubsub: pubsub.to_owned(),
        topic: topic.to_owned(),
        rules: Vec::new(),
        default: None,
        dead_letter_topic: options.dead_letter_topic.clone(),
        bulk: options
            .bulk
            .map(|bulk| Bulk { max_messages: bulk.messages_max, max_await: bulk.await_max }),
        metadata: BTreeMap::from_iter(raw),
    }
}

/// Rpcs that may not be called by name, for there is a grant that is exact.
fn typed_calls(loaded: &Loaded, route: &Route) -> Vec<String> {
    let typed = route.grants.call.iter().filter_map(|rpc| {
        let (_, grant) = trilby_host::typed_rpcs().iter().find(|(name, _)| name == rpc)?;
        let title = format!("`{rpc}` is not called by `call`");
        let help = format!("grant `{grant}`, and use the functions that it is for");
        Some(loaded.report(&route.place, Part::Grants, &title, Some(&help)))
    });
    typed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watches(patterns: &[(&str, &str)]) -> Vec<(String, Option<String>, u64)> {
        let mut wanted = Wanted::default();
        for (seconds, (store, pattern)) in (1..).zip(patterns) {
            let pattern = Pattern::parse(pattern).expect("valid");
            wanted.add_watch(store, &pattern, Duration::from_secs(seconds));
        }
        let watch = |watch: ConfigurationWatch| (watch.store, watch.key, watch.deadline.as_secs());
        wanted.watches.into_iter().map(watch).collect()
    }

    #[test]
    fn a_store_is_watched_by_keys_or_as_a_whole() {
        let key = |key: &str| Some(key.to_owned());
        let s = || "s".to_owned();
        assert_eq!(
            watches(&[("s", "a"), ("s", "b"), ("s", "a"), ("t", "a")]),
            [(s(), key("a"), 1), (s(), key("b"), 2), ("t".to_owned(), key("a"), 4)]
        );
        assert_eq!(watches(&[("s", "a"), ("s", "b*")]), [(s(), None, 2)]);
        assert_eq!(watches(&[("s", "*"), ("s", "b")]), [(s(), None, 2)]);
    }

    #[test]
    fn routes_of_a_topic_are_one_subscription() {
        let mut wanted = Wanted::default();
        for condition in [Some("event.type == \"a\""), None] {
            let condition = condition.map(str::to_owned);
            let options = TopicOptions { condition, raw_payload: true, ..TopicOptions::default() };
            wanted.add_topic(("p", "t"), &options, Duration::from_secs(1)).expect("valid");
        }
        let [subscription] = wanted.subscriptions.as_slice() else { panic!("{wanted:?}") };
        let [rule] = subscription.rules.as_slice() else { panic!("{wanted:?}") };
        assert_eq!(rule.condition.text(), "event.type == \"a\"");
        let default = subscription.default.as_ref().expect("there is one");
        assert_ne!(rule.target.path, default.path);
        assert_eq!(subscription.metadata["rawPayload"], "true");
    }
}
