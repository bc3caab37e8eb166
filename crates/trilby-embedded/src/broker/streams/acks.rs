//! What Redis is told of the events of one subscription: that they are done, or that they are still
//! in hand.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, FromRedisValue};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::Common;
use super::held::Hold;
use super::options::Redelivery;
use crate::broker::backlog::Ticket;
use crate::redis::Failure;

/// Events that are acknowledged together.
const TOGETHER_MAX: usize = 100;

/// Tries to tell a Redis that cannot be reached, and the time between them.
const TRIES_MAX: u32 = 10;
const TRY_EVERY: Duration = Duration::from_millis(200);

/// The longest time for one call.
const CALL_MAX: Duration = Duration::from_secs(10);

/// How often Redis is told of what is in hand, in the time after which it would count as lost.
const KEEPS: u32 = 3;

/// The shortest such time between.
const KEEP_EVERY_MIN: Duration = Duration::from_millis(50);

/// An entry of a stream, for which this process is to answer.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(super) hold: Hold,
    pub(super) done: UnboundedSender<Done>,
    /// Whether the event comes again when this is dropped.
    pub(super) comes_again: bool,
}

/// An event that needs no more delivery.
#[derive(Debug)]
pub(super) struct Done {
    hold: Hold,
    /// Given back when Redis knows.
    ticket: Ticket,
    /// What is to be done before it is acknowledged.
    first: Option<Box<Cmd>>,
}

impl Receipt {
    /// Acknowledges the event.
    pub(in crate::broker) fn settle(self, ticket: Ticket) {
        let _ = self.done.send(Done { hold: self.hold, ticket, first: None });
    }

    /// Acknowledges the event once a command has been run, which puts it elsewhere.
    pub(super) fn letter(self, first: Cmd, ticket: Ticket) {
        let first = Some(Box::new(first));
        let _ = self.done.send(Done { hold: self.hold, ticket, first });
    }

    pub(in crate::broker) fn comes_again(&self) -> bool {
        self.comes_again
    }
}

/// Tells Redis until nobody reads and nothing is in hand any more.
pub(super) async fn run(common: Arc<Common>, stream: Arc<str>, mut told: UnboundedReceiver<Done>) {
    let redelivery = common.options.redelivery;
    let every = redelivery.map_or(Duration::MAX, |Redelivery { idle, .. }| idle / KEEPS);
    // A year is as good as never, and no overflow.
    let every = every.clamp(KEEP_EVERY_MIN, Duration::from_secs(365 * 86_400));
    let mut keep = interval(every);
    keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = told.recv_many(&mut batch, TOGETHER_MAX) => {
                if count == 0 {
                    return;
                }
                common.acknowledge(&stream, batch.drain(..)).await;
            }
            _ = keep.tick() => common.keep(&stream).await,
        }
    }
}

impl Common {
    async fn acknowledge(&self, stream: &str, batch: impl Iterator<Item = Done>) {
        let mut done = Vec::new();
        for Done { hold, ticket, first } in batch {
            let put = match &first {
                None => Ok(()),
                Some(first) => self.insist::<String>(first).await.map(|_| ()),
            };
            match put {
                Ok(()) => done.push((hold, ticket)),
                Err(failure) => tracing::error!(
                    pubsub = self.name,
                    topic = stream,
                    "a dead letter was not sent, and comes again: {failure}"
                ),
            }
        }
        if done.is_empty() {
            return;
        }
        let mut ack = redis::cmd("XACK");
        ack.arg(stream).arg(&self.options.group);
        for (hold, _) in &done {
            ack.arg(&hold.id);
        }
        if let Err(failure) = self.insist::<u64>(&ack).await {
            let events = done.len();
            tracing::error!(
                pubsub = self.name,
                topic = stream,
                events,
                "cannot acknowledge events, which may come again: {failure}"
            );
        }
    }

    /// Runs a command, several times if Redis cannot be reached.
    async fn insist<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        let mut tries = 1;
        loop {
            match self.redis.query(Instant::now() + CALL_MAX, command).await {
                Err(Failure::Lost(_)) if tries < TRIES_MAX => {
                    tries += 1;
                    sleep(TRY_EVERY).await;
                }
                other => return other,
            }
        }
    }

    /// Tells that what is in hand is not lost: others of the group would deliver it, too.
    async fn keep(&self, stream: &str) {
        let held = self.held.of(stream);
        if held.is_empty() {
            return;
        }
        let group = &self.options.group;
        let mut claim = redis::cmd("XCLAIM");
        // The least idle time comes before the entries.
        claim.arg(stream).arg(group).arg(group).arg(0).arg(held).arg("JUSTID");
        let claimed = self.redis.query::<Vec<String>>(Instant::now() + CALL_MAX, &claim).await;
        if let Err(failure) = claimed {
            tracing::debug!(pubsub = self.name, topic = stream, "events may come twice: {failure}");
        }
    }
}
