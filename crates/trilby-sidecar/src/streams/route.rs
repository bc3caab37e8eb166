//! Which part of the app gets an event, and in which form.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde_json::{Map, Value};
use trilby_dapr::delivery::{self, BulkEntry, BulkEvents, CLOUD_EVENT, Verdict};
use trilby_dapr::proto::runtime::v1::TopicEventRequest;
use trilby_dapr::subscription::{Subscription, Target};
use trilby_dapr::{Condition, ConditionError, Metadata};

/// Where an event goes, if anywhere.
///
/// # Errors
///
/// When a rule cannot be told for the event. daprd then makes a dead letter of it, or tries it
/// again, and so it does on a retry.
pub(super) fn target<'a>(
    subscription: &'a Subscription,
    envelope: &[u8],
) -> Result<Option<&'a Target>, ConditionError> {
    if subscription.rules.is_empty() {
        return Ok(subscription.default.as_ref());
    }
    let envelope: Map<String, Value> = serde_json::from_slice(envelope).unwrap_or_default();
    let rules = subscription.rules.iter().map(|rule| (&rule.condition, &rule.target));
    Condition::route(rules, subscription.default.as_ref(), &envelope)
}

/// The request for an event: its envelope, or that alone in a list where the subscription takes
/// several at once, as daprd does it for brokers that have them one by one.
pub(super) fn request(
    subscription: &Subscription,
    target: &Target,
    event: &TopicEventRequest,
    envelope: Bytes,
) -> Request<Bytes> {
    let post = |content_type, body| {
        delivery::post(delivery::path(&target.path), HeaderMap::new(), content_type, body)
    };
    if subscription.bulk.is_none() {
        return post(CLOUD_EVENT, envelope);
    }
    let events = BulkEvents {
        id: event.id.clone(),
        pubsub: event.pubsub_name.clone(),
        topic: event.topic.clone(),
        metadata: Metadata::new(),
        entries: vec![BulkEntry {
            id: event.id.clone(),
            event: envelope,
            content_type: CLOUD_EVENT.to_owned(),
            metadata: Metadata::new(),
        }],
    };
    post("application/json", events.to_json())
}

/// What the app's answer means for the event.
pub(super) fn verdict(
    subscription: &Subscription,
    event_id: &str,
    answer: &Response<Bytes>,
) -> Verdict {
    if subscription.bulk.is_none() {
        return Verdict::of(answer.status(), answer.body());
    }
    let verdicts = Verdict::of_each(answer.status(), answer.body(), [event_id]);
    verdicts.first().copied().unwrap_or(Verdict::Retry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use trilby_dapr::subscription::Rule;

    use super::*;

    #[test]
    fn the_first_rule_that_is_true_gets_the_event() {
        let target = |path: &str| Target { path: path.into(), deadline: Duration::from_secs(1) };
        let rule = |condition: &str, path| Rule {
            condition: Condition::parse(condition).expect(condition),
            target: target(path),
        };
        let subscription = Subscription {
            pubsub: "bus".into(),
            topic: "t".into(),
            rules: vec![
                rule("event.type == 'a'", "/a"),
                rule("event.data.n > 1", "/n"),
                rule("event.type != 'b'", "/b"),
            ],
            default: Some(target("/default")),
            dead_letter_topic: None,
            bulk: None,
            metadata: Metadata::new(),
        };
        let table = [
            (r#"{"type":"a"}"#, Some("/a")),
            (r#"{"type":"b","data":{"n":2}}"#, Some("/n")),
            (r#"{"type":"c","data":{"n":1}}"#, Some("/b")),
            (r#"{"type":"b","data":{"n":1}}"#, Some("/default")),
            (r#"{"type":"b"}"#, None),
        ];
        for (envelope, expected) in table {
            let found = target_path(&subscription, envelope);
            assert_eq!(found.as_deref(), expected, "{envelope}");
        }
    }

    /// Where the event goes; `None` if that cannot be told.
    fn target_path(subscription: &Subscription, envelope: &str) -> Option<String> {
        let target = target(subscription, envelope.as_bytes()).ok()?;
        Some(target.expect("has a default").path.clone())
    }
}
