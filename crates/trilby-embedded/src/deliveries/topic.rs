//! The events of one subscription.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, Response, StatusCode};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use trilby_dapr::delivery::{CLOUD_EVENT, Verdict};
use trilby_dapr::subscription::Subscription;

use super::Clock;
use super::bulk::BatchMax;
use super::event::{self, Unwanted};
use super::post::Target;
use super::retries::{DRAINING_BACK_OFF_MAX, RETRIES_MAX, Retries, back_off};
use super::routes::Routes;
use super::tries::{Posted, Tries};
use crate::broker::{Broker, Events, Message, Unsent};

/// Delivers one event at a time, or several together to a subscription that wants it so, as daprd's
/// in-memory broker does; a broker may also want several deliveries at the same time. Unlike
/// daprd's, which loses an event whose delivery fails, this tries again: later, so that other events
/// are not held up.
pub(super) struct Delivery {
    pub(super) broker: Arc<Broker>,
    pub(super) subscription: Subscription,
    pub(super) routes: Routes,
    pub(super) tries: Tries,
    /// Whether messages are put into an envelope here, whatever they are.
    pub(super) is_raw: bool,
    pub(super) events: Events,
    pub(super) waiting: Retries<Waiting>,
    /// Taken, but too large for the deliveries before it.
    pub(super) held: Option<Pending>,
    pub(super) batch_max: BatchMax,
    pub(super) clock: Clock,
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
            self.deliver_each().await;
        }
    }

    /// Delivers events, so many at the same time as the broker wants.
    async fn deliver_each(&mut self) {
        let at_once_max = self.broker.at_once_max();
        let mut under_way = FuturesUnordered::new();
        // Whether there may be more to begin.
        let mut open = true;
        loop {
            let has_room = open && under_way.len() < at_once_max;
            tokio::select! {
                biased;
                Some(done) = under_way.next(), if !under_way.is_empty() => {
                    let (pending, posted) = done;
                    self.settle_posted(pending, posted);
                    // It may be to be tried again.
                    open = true;
                }
                next = self.next(), if has_room => match next {
                    Some(pending) => under_way.push(deliver(self.tries.clone(), pending)),
                    None => open = false,
                },
                else => return,
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
        match event::caught(|| {
            event::read(&message, pubsub, self.is_raw, &self.routes, (self.clock)())
        }) {
            Ok(event::Wanted { id, target, headers, body }) => {
                let begun = Instant::now();
                return Some(Pending { id, target, headers, body, begun, failures: 0, message });
            }
            Err(why @ Unwanted::NoRule { .. }) if dead_letter_topic.is_none() => {
                tracing::debug!(pubsub, topic, "acknowledged: {why}");
                message.settle();
            }
            Err(why @ Unwanted::Expired { .. }) if dead_letter_topic.is_none() => {
                tracing::warn!(pubsub, topic, "dropped: {why}");
                message.settle();
            }
            Err(why) => self.give_up(message, why.to_string()),
        }
        None
    }

    /// Does what came of one event's delivery says.
    fn settle_posted(&mut self, pending: Pending, posted: Posted) {
        match posted {
            Posted::Answer(answer) => {
                let verdict = Verdict::of(answer.status(), answer.body());
                self.settle(pending, verdict, Some(answer.status()), &reason(&answer));
            }
            Posted::Failed(why) => self.settle(pending, Verdict::Retry, None, &why),
            Posted::Shut(wait) => self.shut(pending, wait),
        }
    }

    /// The circuit breaker is open: as in daprd the event is a dead letter. Where there is no place
    /// for those, daprd leaves it to its broker; here it waits, unless the broker brings it again.
    pub(super) fn shut(&mut self, pending: Pending, wait: Duration) {
        if self.subscription.dead_letter_topic.is_some() {
            let why = format!("the event `{}` met an open circuit breaker", pending.id);
            return self.give_up(pending.message, why);
        }
        if self.draining.is_cancelled() && pending.message.comes_again() {
            let Subscription { pubsub, topic, .. } = &self.subscription;
            tracing::debug!(pubsub, topic, event = pending.id, "left for later: circuit breaker");
            return;
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
            Verdict::Ack => pending.message.settle(),
            Verdict::Drop if dead_letter_topic.is_none() => {
                tracing::warn!(pubsub, topic, event, "dropped, as the app asks: {why}");
                pending.message.settle();
            }
            Verdict::Drop => {
                let why = format!("the event `{event}` was dropped, as the app asks: {why}");
                self.give_up(pending.message, why);
            }
            Verdict::Retry if endless && pending.message.comes_again() => {
                tracing::debug!(pubsub, topic, event, "left for later: {why}");
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
            None if message.comes_again() => {
                tracing::error!(pubsub, topic, "to be delivered again later: {why}");
            }
            None => {
                tracing::error!(pubsub, topic, "dropped: {why}");
                message.settle();
            }
        }
    }

    fn send(&mut self, letter: DeadLetter) {
        let Subscription { pubsub, topic, .. } = &self.subscription;
        let DeadLetter { message, topic: dead_letter, why, mut failures } = letter;
        let draining = self.draining.is_cancelled();
        match self.broker.republish(message, &dead_letter) {
            Ok(0) => tracing::error!(
                pubsub,
                topic,
                dead_letter,
                "dropped, since nobody subscribes to the dead-letter topic: {why}"
            ),
            Ok(_) => {
                tracing::warn!(pubsub, topic, dead_letter, "sent to the dead-letter topic: {why}");
            }
            Err(unsent) if draining || failures < RETRIES_MAX => {
                let Unsent { message, error } = *unsent;
                tracing::debug!(pubsub, topic, dead_letter, "to be sent again: {error}");
                failures += u32::from(!draining);
                let due = Instant::now() + back_off(failures);
                let letter = DeadLetter { message, topic: dead_letter, why, failures };
                self.waiting.add(due, Waiting::DeadLetter(letter));
            }
            Err(unsent) => {
                let Unsent { message, error } = *unsent;
                tracing::error!(pubsub, topic, dead_letter, "dropped: {why}, and then: {error}");
                message.settle();
            }
        }
    }
}

/// Delivers one event, and says what came of it.
async fn deliver(tries: Tries, pending: Pending) -> (Pending, Posted) {
    let (headers, body) = (pending.headers.clone(), pending.body.clone());
    let posted = tries.once(is_failure, pending.target.post(CLOUD_EVENT, headers, body)).await;
    (pending, posted)
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
