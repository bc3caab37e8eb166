//! daprd's HTTP app channel: what a request is to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use trilby_dapr::subscription::Subscription;

use super::paths::{self, Kind};
use crate::Entry;
use crate::entry::Table;
use crate::outcome::Outcome;
use crate::run::Trigger;
use crate::service::Door;

/// What a request is to Dapr's app channel.
pub(crate) enum Question {
    /// Nothing: an ordinary request.
    NotDaprs,
    /// A question about the app, with its answer.
    Answered(StatusCode, Option<String>),
    /// A request of the app channel that may not come in.
    Refused(Outcome),
    /// A delivery, and whom it is for.
    Delivery(Arc<Entry>, Trigger),
}

/// The app channel: what the app subscribes to, and who may deliver.
pub(crate) struct DaprApp {
    subscriptions: String,
    over_http: bool,
    token: Option<String>,
}

impl DaprApp {
    pub(crate) fn new(table: &Table, over_http: bool, token: Option<String>) -> Self {
        let subscriptions = Value::from_iter(table.subscriptions.iter().map(subscription));
        Self { subscriptions: subscriptions.to_string(), over_http, token }
    }

    /// Classifies a request; `find` knows whom a delivery is for. Deliveries over the listener count
    /// only when a sidecar is configured: without one, anybody else's request to these paths is an
    /// ordinary one.
    pub(crate) fn ask<B>(
        &self,
        request: &Request<B>,
        door: Door,
        find: impl Fn(Kind) -> Option<(Arc<Entry>, Trigger)>,
    ) -> Question {
        let is_open = match door {
            Door::Listener => self.over_http && !is_invocation(request.headers()),
            Door::Embedded | Door::Sidecar => true,
            Door::Invocation => false,
        };
        if !is_open {
            return Question::NotDaprs;
        }
        let question = self.classify((request.method(), request.uri().path()), door, find);
        let is_daprs = !matches!(question, Question::NotDaprs);
        if is_daprs && door == Door::Listener && !self.is_authentic(request.headers()) {
            return Question::Refused(Outcome::Unauthenticated);
        }
        question
    }

    fn classify(
        &self,
        (method, path): (&Method, &str),
        door: Door,
        find: impl Fn(Kind) -> Option<(Arc<Entry>, Trigger)>,
    ) -> Question {
        match (method, path) {
            (&Method::GET, "/dapr/subscribe") => {
                return Question::Answered(StatusCode::OK, Some(self.subscriptions.clone()));
            }
            (&Method::GET, "/dapr/config") => {
                return Question::Answered(StatusCode::NOT_FOUND, None);
            }
            (&Method::POST | &Method::OPTIONS, _) => {}
            _ => return Question::NotDaprs,
        }
        let Some(kind) = paths::kind(path) else { return Question::NotDaprs };
        if method == Method::OPTIONS {
            let is_binding = matches!(kind, Kind::Binding(_)) && find(kind).is_some();
            return match is_binding {
                true => Question::Answered(StatusCode::OK, None),
                false => Question::NotDaprs,
            };
        }
        let otherwise = match &kind {
            // An event must never reach a guest that did not ask for it.
            Kind::Topic(_) => Question::Refused(Outcome::NoRoute),
            Kind::Job(_) | Kind::Configuration(..) if door != Door::Listener => {
                Question::Refused(Outcome::NoRoute)
            }
            // The app may have such a path of its own.
            Kind::Job(_) | Kind::Configuration(..) | Kind::Binding(_) => Question::NotDaprs,
        };
        find(kind).map_or(otherwise, |(entry, trigger)| Question::Delivery(entry, trigger))
    }

    pub(crate) fn is_authentic(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get("dapr-api-token").map(|value| value.as_bytes());
        given.is_some_and(|given| same(given, token.as_bytes()))
    }
}

/// Whether another app sent this through daprd, which says so and gives it the app's token like its
/// own requests. Another app delivers nothing.
fn is_invocation(headers: &HeaderMap) -> bool {
    headers.contains_key("dapr-caller-app-id")
}

/// Compares without stopping at the first difference, so that time tells nothing.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y));
    a.len() == b.len() && differences == 0
}

/// A subscription as `/dapr/subscribe` has it. What is not set is left out: daprd takes an empty
/// dead-letter topic for none, but does not say so.
fn subscription(subscription: &Subscription) -> Value {
    let rules = subscription.rules.iter();
    let rules = rules.map(|rule| json!({"match": rule.condition.text(), "path": rule.target.path}));
    let mut routes = BTreeMap::new();
    if !subscription.rules.is_empty() {
        routes.insert("rules", Value::from_iter(rules));
    }
    if let Some(default) = &subscription.default {
        routes.insert("default", json!(default.path));
    }
    let mut members = BTreeMap::from([
        ("pubsubname", json!(subscription.pubsub)),
        ("topic", json!(subscription.topic)),
        ("routes", json!(routes)),
    ]);
    if let Some(topic) = &subscription.dead_letter_topic {
        members.insert("deadLetterTopic", json!(topic));
    }
    if let Some(bulk) = &subscription.bulk {
        let await_ms = i32::try_from(bulk.max_await.as_millis()).unwrap_or(i32::MAX);
        let messages = i32::try_from(bulk.max_messages).unwrap_or(i32::MAX);
        let bulk = json!({
            "enabled": true, "maxMessagesCount": messages, "maxAwaitDurationMs": await_ms
        });
        members.insert("bulkSubscribe", bulk);
    }
    if !subscription.metadata.is_empty() {
        members.insert("metadata", json!(subscription.metadata));
    }
    json!(members)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use trilby_dapr::subscription::{Bulk, Rule, Target};
    use trilby_dapr::{Condition, Metadata};

    use super::*;

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"abcd"));
        assert!(!same(b"", b"a"));
    }

    #[test]
    fn subscriptions_are_told_in_daprs_words() {
        let target = |path: &str| Target { path: path.into(), deadline: Duration::from_secs(1) };
        let condition = Condition::parse("event.type == 'a'").expect("CEL");
        let plain = Subscription {
            pubsub: "bus".into(),
            topic: "t".into(),
            rules: Vec::new(),
            default: Some(target("/d")),
            dead_letter_topic: None,
            bulk: None,
            metadata: Metadata::new(),
        };
        let expected = json!({"pubsubname": "bus", "topic": "t", "routes": {"default": "/d"}});
        assert_eq!(subscription(&plain), expected);
        let full = Subscription {
            rules: vec![Rule { condition, target: target("/r") }],
            default: None,
            dead_letter_topic: Some("dead".into()),
            bulk: Some(Bulk { max_messages: 7, max_await: Duration::from_millis(250) }),
            metadata: Metadata::from([("rawPayload".into(), "true".into())]),
            ..plain
        };
        let expected = json!({
            "pubsubname": "bus",
            "topic": "t",
            "routes": {"rules": [{"match": "event.type == 'a'", "path": "/r"}]},
            "deadLetterTopic": "dead",
            "bulkSubscribe": {"enabled": true, "maxMessagesCount": 7, "maxAwaitDurationMs": 250},
            "metadata": {"rawPayload": "true"},
        });
        assert_eq!(subscription(&full), expected);
    }
}
