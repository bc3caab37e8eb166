//! What daprd asks of an app over its HTTP channel, answered without running a guest.

use http::{Method, Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use crate::entry::Table;
use crate::outcome::Outcome;

/// Below this path come topic events: the paths that `/dapr/subscribe` names.
const EVENTS: &str = "/dapr/events/";

/// The path at which events of a topic are delivered.
#[must_use]
pub fn topic_path(pubsub: &str, topic: &str) -> String {
    let encoded = |name: &str| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    format!("{EVENTS}{}/{}", encoded(pubsub), encoded(topic))
}

/// The path at which an input binding is delivered: its name, as Dapr has it.
#[must_use]
pub fn binding_path(name: &str) -> String {
    format!("/{name}")
}

/// What a request is to Dapr's app channel.
pub(crate) enum Question {
    /// Nothing: an ordinary request.
    NotDaprs,
    /// A question about the app, with its answer.
    Answered(StatusCode, Option<String>),
    /// A request of the app channel that may not come in.
    Refused(Outcome),
    /// A topic event.
    Topic(String, String),
    /// A binding's trigger.
    Binding(String),
}

/// The app channel: what the app subscribes to, and who may deliver.
pub(crate) struct DaprApp {
    subscriptions: String,
    bindings: Vec<String>,
    over_http: bool,
    token: Option<String>,
}

impl DaprApp {
    pub(crate) fn new(table: &Table, over_http: bool, token: Option<String>) -> Self {
        let mut topics: Vec<_> = table.topics.keys().collect();
        topics.sort_unstable();
        let subscriptions = topics.into_iter().map(|(pubsub, topic)| {
            json!({"pubsubname": pubsub, "topic": topic, "route": topic_path(pubsub, topic)})
        });
        let subscriptions = serde_json::Value::Array(subscriptions.collect()).to_string();
        let bindings = table.bindings.keys().cloned().collect();
        Self { subscriptions, bindings, over_http, token }
    }

    /// Classifies a request. Deliveries over the listener count only when a sidecar is
    /// configured: without one, anybody else's request to these paths is an ordinary one.
    pub(crate) fn ask<B>(&self, request: &Request<B>, embedded: bool) -> Question {
        if !embedded && !self.over_http {
            return Question::NotDaprs;
        }
        let question = self.classify(request.method(), request.uri().path());
        if matches!(question, Question::NotDaprs) || embedded || self.is_authentic(request) {
            return question;
        }
        Question::Refused(Outcome::Unauthenticated)
    }

    fn classify(&self, method: &Method, path: &str) -> Question {
        match (method, path) {
            (&Method::GET, "/dapr/subscribe") => {
                Question::Answered(StatusCode::OK, Some(self.subscriptions.clone()))
            }
            (&Method::GET, "/dapr/config") => Question::Answered(StatusCode::NOT_FOUND, None),
            (&Method::POST, _) if path.starts_with(EVENTS) => topic_of(path)
                .map_or(Question::Refused(Outcome::NoRoute), |(pubsub, topic)| {
                    Question::Topic(pubsub, topic)
                }),
            (&Method::OPTIONS | &Method::POST, _) => {
                let name = path.strip_prefix('/').unwrap_or(path);
                match self.bindings.iter().find(|known| *known == name) {
                    Some(_) if method == Method::OPTIONS => {
                        Question::Answered(StatusCode::OK, None)
                    }
                    Some(name) => Question::Binding(name.clone()),
                    None => Question::NotDaprs,
                }
            }
            _ => Question::NotDaprs,
        }
    }

    fn is_authentic<B>(&self, request: &Request<B>) -> bool {
        let Some(token) = &self.token else { return true };
        let given = request.headers().get("dapr-api-token").map(|value| value.as_bytes());
        given.is_some_and(|given| same(given, token.as_bytes()))
    }
}

/// Compares without stopping at the first difference, so that time tells nothing.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y));
    a.len() == b.len() && differences == 0
}

fn topic_of(path: &str) -> Option<(String, String)> {
    let (pubsub, topic) = path.strip_prefix(EVENTS)?.split_once('/')?;
    let decoded = |text| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
    Some((decoded(pubsub)?, decoded(topic)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topics_path_leads_back_to_it() {
        for (pubsub, topic) in [("bus", "placed"), ("b/s", "a b/ü%2F#?")] {
            let path = topic_path(pubsub, topic);
            assert!(path.is_ascii() && !path.contains(['?', '#', ' ']), "{path}");
            assert_eq!(topic_of(&path), Some((pubsub.to_owned(), topic.to_owned())));
        }
        assert_eq!(topic_of("/dapr/events/x"), None);
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"abcd"));
        assert!(!same(b"", b"a"));
    }
}
