//! The events of one subscription.

use bytes::Bytes;
use http::{HeaderValue, Request};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use trilby_dapr::delivery::Verdict;

use super::Subscription;
use super::post::{Target, headers};
use super::retries::{DRAINING_BACK_OFF_MAX, RETRIES_MAX, Retries, back_off};
use crate::broker::{Message, Ticket};

/// Delivers one event at a time, as daprd's in-memory broker does. Unlike that one, which loses
/// an event whose delivery fails, this tries again: later, so that other events are not held up.
pub(super) struct Delivery {
    pub(super) target: Target,
    pub(super) subscription: Subscription,
    pub(super) draining: CancellationToken,
    pub(super) closing: CancellationToken,
}

/// An event that is not settled.
struct Pending {
    request: Request<Bytes>,
    id: String,
    failures: u32,
    /// Gives the event back to the backlog when it is settled.
    _ticket: Ticket,
}

impl Delivery {
    pub(super) async fn run(self, mut events: mpsc::Receiver<Message>) {
        let mut retries = Retries::new();
        while let Some(pending) = self.next(&mut events, &mut retries).await {
            self.deliver(pending, &mut retries).await;
        }
    }

    /// The next event to deliver: a retry that is due, or else a new one. None at the end.
    async fn next(
        &self,
        events: &mut mpsc::Receiver<Message>,
        retries: &mut Retries<Pending>,
    ) -> Option<Pending> {
        let mut open = true;
        loop {
            let draining = self.draining.is_cancelled();
            let closing = events.is_closed();
            if draining {
                retries.hasten(Instant::now() + DRAINING_BACK_OFF_MAX);
            }
            if let Some(pending) = retries.take(Instant::now()) {
                return Some(pending);
            }
            let due = retries.due();
            tokio::select! {
                biased;
                event = events.recv(), if open && retries.has_room() => match event {
                    Some(message) => if let Some(pending) = self.accept(message) {
                        return Some(pending);
                    },
                    None => open = false,
                },
                () = until(due), if due.is_some() => {}
                () = self.draining.cancelled(), if !draining => {}
                () = self.closing.cancelled(), if !closing => events.close(),
                else => return None,
            }
        }
    }

    /// Makes the request of an event, unless the event is not to be delivered.
    fn accept(&self, message: Message) -> Option<Pending> {
        let Subscription { pubsub, topic, .. } = &self.subscription;
        // As to daprd, a name that comes twice has its last value.
        let Ok(mut envelope) = serde_json::from_slice::<Map<String, Value>>(&message.data) else {
            tracing::error!(
                pubsub,
                topic,
                "dropped: a raw payload that is not a JSON object; \
                without an envelope, this subscription cannot take it"
            );
            return None;
        };
        let mut text = |name: &str| match envelope.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let id = text("id").unwrap_or_default();
        let expiration = text("expiration").and_then(|time| time.parse().ok());
        if expiration.is_some_and(|time: Timestamp| time < Timestamp::now()) {
            tracing::warn!(pubsub, topic, event = id, "dropped: the event has expired");
            return None;
        }
        let mut headers = headers(&message.metadata);
        let trace = text("traceparent").or_else(|| text("traceid"));
        let trace = [("traceparent", trace), ("tracestate", text("tracestate"))];
        let name = ("pubsubname", Some(pubsub.clone()));
        for (header, value) in trace.into_iter().chain([name]) {
            let value = value.filter(|value| !value.is_empty());
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(header, value);
            }
        }
        let request = self.target.request("application/cloudevents+json", headers, message.data);
        Some(Pending { request, id, failures: 0, _ticket: message.ticket })
    }

    async fn deliver(&self, mut pending: Pending, retries: &mut Retries<Pending>) {
        let Subscription { pubsub, topic, .. } = &self.subscription;
        let answer = self.target.post(pending.request.clone()).await;
        let (verdict, why) = match answer {
            Ok(answer) => {
                let verdict = Verdict::of(answer.status(), answer.body());
                (verdict, format!("the answer was {}", answer.status().as_u16()))
            }
            Err(why) => (Verdict::Retry, why),
        };
        let event = &pending.id;
        let draining = self.draining.is_cancelled();
        match verdict {
            Verdict::Ack => {}
            Verdict::Drop => {
                tracing::warn!(pubsub, topic, event, "dropped, as the app asks: {why}");
            }
            // While draining, its bound ends the tries, and tells how many events were left.
            Verdict::Retry if draining || pending.failures < RETRIES_MAX => {
                pending.failures += u32::from(!draining);
                let (event, tries) = (&pending.id, pending.failures);
                tracing::debug!(pubsub, topic, event, tries, "to be tried again: {why}");
                retries.add(Instant::now() + back_off(pending.failures), pending);
            }
            Verdict::Retry => {
                let tries = RETRIES_MAX + 1;
                tracing::error!(pubsub, topic, event, tries, "dropped: every try failed: {why}");
            }
        }
    }
}

/// Waits until a time; never done without one.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
