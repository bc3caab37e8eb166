//! Which part of the app gets an event, and in which form.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value};
use trilby_dapr::Metadata;
use trilby_dapr::delivery::{self, BulkEntry, BulkEvents, CLOUD_EVENT, Verdict};
use trilby_dapr::proto::runtime::v1::TopicEventRequest;
use trilby_dapr::subscription::{Subscription, Target};

/// Where an event goes: to the first rule that is true, else to the default, if there is one. A rule
/// without an answer is not true.
pub(super) fn target<'a>(subscription: &'a Subscription, envelope: &[u8]) -> Option<&'a Target> {
    if subscription.rules.is_empty() {
        return subscription.default.as_ref();
    }
    let envelope: Map<String, Value> = serde_json::from_slice(envelope).unwrap_or_default();
    let wanted = subscription.rules.iter().find(|rule| {
        rule.condition.matches(&envelope).unwrap_or_else(|error| {
            tracing::warn!(
                pubsub = subscription.pubsub,
                topic = subscription.topic,
                condition = rule.condition.text(),
                "a routing rule has no answer for an event: {error}"
            );
            false
        })
    });
    wanted.map(|rule| &rule.target).or(subscription.default.as_ref())
}

/// The request for an event: its envelope, or that alone in a list where the subscription takes
/// several at once, as daprd does it for brokers that have them one by one.
pub(super) fn request(
    subscription: &Subscription,
    target: &Target,
    event: &TopicEventRequest,
    envelope: Bytes,
) -> Request<Bytes> {
    if subscription.bulk.is_none() {
        return delivery::post(&target.path, CLOUD_EVENT, envelope);
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
    delivery::post(&target.path, "application/json", events.to_json())
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
