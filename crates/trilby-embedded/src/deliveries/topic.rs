//! The events of one subscription.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use trilby_dapr::delivery::{CLOUD_EVENT, Verdict};
use trilby_dapr::subscription::Subscription;

use super::bulk::BatchMax;
use super::event::{self, Unwanted};
use super::post::Target;
use super::retries::{DRAINING_BACK_OFF_MAX, RETRIES_MAX, Retries, back_off};
use super::routes::Routes;
use super::tries::{Posted, Tries};
use crate::broker::{Broker, Message};

/// Delivers one event at a time, or several at once to a subscription that wants it so, as daprd's
/// in-memory broker does. Unlike that one, which loses an event whose delivery fails, this tries
/// again: later, so that other events are not held up.
pub(super) struct Delivery {
    pub(super) broker: Arc<Broker>,
    pub(super) subscription: Subscription,
    pub(super) routes: Routes,
    pub(super) tries: Tries,
    /// Whether messages are put into an envelope here, whatever they are.
    pub(super) is_raw: bool,
    pub(super) events: mpsc::Receiver<Message>,
    pub(super) waiting: Retries<Waiting>,
    /// Taken, but too large for the deliveries before it.
    pub(super) held: Option<Pending>,
    pub(super) batch_max: BatchMax,
    pub(super) draining: CancellationToken,
    pub(super) closing: CancellationToken,
}

/// An event that is not settled.
pub(super) struct Pending {
    /// As messages show it.
    pub(super) id: String,
    pub(super) target: Arc<Target>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When it was taken from the queue.
    begun: Instant,
    failures: u32,
    /// Gives the event back to the backlog when it is settled.
    pub(super) message: Message,
}

/// What is to be tried again.
pub(super) enum Waiting {
    Delivery(Pending),
    /// What is on its way to the dead-letter topic.
    DeadLetter(DeadLetter),
}

pub(super) struct DeadLetter {
    message: Message,
    topic: String,
    why: String,
    failures: u32,
}

impl Delivery {
    pub(super) async fn run(mut self) {
        if let Some(bulk) = self.subscription.bulk {
            while let Some(batch) = self.gather(bulk).await {
                self.deliver_all(batch).await;
            }
        } else {
            while let Some(pending) = self.next().await {
                self.deliver(pending).await;
            }
        }
    }

    /// The next event to deliver: a retry that is due, or else a new one. None at the end. Nothing
    /// is lost when this is given up.
    pub(super) async fn next(&mut self) -> Option<Pending> {
        if let Some(pending) = self.held.take() {
            return Some(pending);
        }
        let mut open = true;
        loop {
            let draining = self.draining.is_cancelled();
            let closing = self.events.is_closed();
            if draining {
                self.waiting.hasten(Instant::now() + DRAINING_BACK_OFF_MAX);
            }
            match self.waiting.take(Instant::now()) {
                Some(Waiting::Delivery(pending)) => return Some(pending),
                Some(Waiting::DeadLetter(letter)) => {
                    self.send(letter);
                    continue;
                }
                None => {}
            }
            let due = self.waiting.due();
            tokio::select! {
                biased;
                event = self.events.recv(), if open && self.waiting.has_room() => match event {
                    Some(message) => if let Some(pending) = self.accept(message) {
                        return Some(pending);
                    },
                    None => open = false,
                },
                () = until(due), if due.is_some() => {}
                () = self.draining.cancelled(), if !draining => {}
                () = self.closing.cancelled(), if !closing => self.events.close(),
                else => return None,
            }
        }
    }

    fn accept(&mut self, message: Message) -> Option<Pending> {
        let Subscription { pubsub, topic, dead_letter_topic, .. } = &self.subscription;
        match event::caught(|| event::read(&message, pubsub, self.is_raw, &self.routes)) {
            Ok(event::Wanted { id, target, headers, body }) => {
                let begun = Instant::now();
                return Some(Pending { id, target, headers, body, begun, failures: 0, message });
            }
            Err(why @ Unwanted::NoRule { .. }) if dead_letter_topic.is_none() => {
                tracing::debug!(pubsub, topic, "acknowledged: {why}");
            }
            Err(why @ Unwanted::Expired { .. }) if dead_letter_topic.is_none() => {
                tracing::warn!(pubsub, topic, "dropped: {why}");
            }
            Err(why) => self.give_up(message, why.to_string()),
        }
        None
    }

    async fn deliver(&mut self, pending: Pending) {
        let (headers, body) = (pending.headers.clone(), pending.body.clone());
        let post = pending.target.post(CLOUD_EVENT, headers, body);
        match self.tries.once(is_failure, post).await {
            Posted::Answer(answer) => {
                let verdict = Verdict::of(answer.status(), answer.body());
                self.settle(pending, verdict, Some(answer.status()), &reason(&answer));
            }
            Posted::Failed(why) => self.settle(pending, Verdict::Retry, None, &why),
            Posted::Shut(wait) => self.shut(pending, wait),
        }
    }

    /// The circuit breaker is open: as in daprd the event is a dead letter. Where there is no place
    /// for those, daprd leaves it to its broker; here it waits.
    pub(super) fn shut(&mut self, pending: Pending, wait: Duration) {
        if self.subscription.dead_letter_topic.is_some() {
            let why = format!("the event `{}` met an open circuit breaker", pending.id);
            return self.give_up(pending.message, why);
        }
        self.waiting.add(Instant::now() + wait, Waiting::Delivery(pending));
    }

    /// Does what a verdict says.
    pub(super) fn settle(
        &mut self,
        mut pending: Pending,
        verdict: Verdict,
        status: Option<StatusCode>,
        why: &str,
    ) {
        let Subscription { pubsub, topic, dead_letter_topic, .. } = &self.subscription;
        let event = &pending.id;
        let draining = self.draining.is_cancelled();
        // While draining, its bound ends the tries, and tells how many events were left. Those that
        // have another place to go end up there.
        let endless = draining && dead_letter_topic.is_none();
        let failures = pending.failures.saturating_add(1);
        let wait = self.tries.wait(failures, pending.begun.elapsed(), status);
        let wait = wait.or_else(|| endless.then(|| back_off(failures)));
        match verdict {
            Verdict::Ack => {}
            Verdict::Drop if dead_letter_topic.is_none() => {
                tracing::warn!(pubsub, topic, event, "dropped, as the app asks: {why}");
            }
            Verdict::Drop => {
                let why = format!("the event `{event}` was dropped, as the app asks: {why}");
                self.give_up(pending.message, why);
            }
            Verdict::Retry => {
                let Some(wait) = wait else {
                    let why = format!(
                        "all {failures} tries to deliver the event `{event}` failed: {why}"
                    );
                    return self.give_up(pending.message, why);
                };
                tracing::debug!(pubsub, topic, event, failures, "to be tried again: {why}");
                // Tries while draining are not counted.
                pending.failures += u32::from(!endless);
                self.waiting.add(Instant::now() + wait, Waiting::Delivery(pending));
            }
        }
    }

    /// The end of an event that is not delivered: the dead-letter topic, if there is one.
    fn give_up(&mut self, message: Message, why: String) {
        let Subscription { pubsub, topic, dead_letter_topic, .. } = &self.subscription;
        match dead_letter_topic.clone() {
            Some(topic) => self.send(DeadLetter { message, topic, why, failures: 0 }),
            None => tracing::error!(pubsub, topic, "dropped: {why}"),
        }
    }

    fn send(&mut self, mut letter: DeadLetter) {
        let Subscription { pubsub, topic, .. } = &self.subscription;
        let (why, dead_letter) = (&letter.why, &letter.topic);
        let draining = self.draining.is_cancelled();
        match self.broker.republish(&letter.message, dead_letter) {
            Ok(0) => tracing::error!(
                pubsub,
                topic,
                dead_letter,
                "dropped, since nobody subscribes to the dead-letter topic: {why}"
            ),
            Ok(_) => {
                tracing::warn!(pubsub, topic, dead_letter, "sent to the dead-letter topic: {why}");
            }
            Err(error) if draining || letter.failures < RETRIES_MAX => {
                tracing::debug!(pubsub, topic, dead_letter, "to be sent again: {error}");
                letter.failures += u32::from(!draining);
                let due = Instant::now() + back_off(letter.failures);
                self.waiting.add(due, Waiting::DeadLetter(letter));
            }
            Err(error) => {
                tracing::error!(pubsub, topic, dead_letter, "dropped: {why}, and then: {error}");
            }
        }
    }
}

/// Whether an answer speaks against the app, to a circuit breaker.
pub(super) fn is_failure(answer: &Response<Bytes>) -> bool {
    matches!(Verdict::of(answer.status(), answer.body()), Verdict::Retry)
}

/// What a message says of an answer that is no acknowledgement.
pub(super) fn reason(answer: &Response<Bytes>) -> String {
    format!("the answer was {}", answer.status().as_u16())
}

/// Waits until a time; never done without one.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
