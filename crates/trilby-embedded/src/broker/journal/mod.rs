//! The durable `pubsub.in-memory`: an event is on the disk from before its publisher gets an answer
//! until its subscription has settled it. What is left when the process ends, in whatever way, comes
//! again once there is such a subscription: each event at least once, in the order of publishing.
//!
//! [`worker`] is the thread on which the [`database`] runs. This file is what others see: a queue to
//! that thread.

mod database;
#[cfg(test)]
mod tests;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use tokio::sync::oneshot;
use tokio::time::Instant;
use trilby_dapr::Metadata;

use self::database::Database;
use self::worker::{Add, Job};
use super::backlog::{Backlog, Ticket};
use super::message::{Events, Message};
use super::queues::{Place, Queues, size};
use super::{Begun, Refusal, message};
use crate::Error;
use crate::component::{Component, HIDDEN};

/// What the smallest event counts against the bound on bytes: it bounds their number too, to 16384
/// of one subscription, also over many restarts.
const EVENT_BYTES_MIN: u32 = 4 << 10;

/// How long the end waits for what is in the queue.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A broker with a file.
#[derive(Debug)]
pub(super) struct Journal {
    name: String,
    queues: Queues,
    /// Has no limit of its own: each job has a place in a queue, or an event that had one.
    jobs: mpsc::Sender<Job>,
    /// Tells that the file is closed. Locked only at the end, by nobody else.
    closed: Mutex<mpsc::Receiver<()>>,
}

/// An event in the file, of which this process has a copy.
#[derive(Debug)]
pub(crate) struct Receipt {
    id: i64,
    jobs: mpsc::Sender<Job>,
    is_settled: bool,
}

impl Receipt {
    fn new(id: i64, jobs: &mpsc::Sender<Job>) -> Self {
        Self { id, jobs: jobs.clone(), is_settled: false }
    }

    /// Removes the event. The ticket is given back when that is done, so that an end in good order
    /// repeats nothing.
    pub(in crate::broker) fn settle(mut self, ticket: Ticket) {
        self.is_settled = true;
        let _ = self.jobs.send(Job::Settle { id: self.id, ticket });
    }
}

/// An event that is left stays in the file, for a later subscription.
impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.is_settled {
            let _ = self.jobs.send(Job::Leave { id: self.id });
        }
    }
}

impl Journal {
    pub(super) fn open(component: &Component, data_dir: &Path) -> Result<Self, Error> {
        let failed = |message| Error::Open { component: component.name.clone(), message };
        let path = path(component, data_dir);
        let database =
            Database::open(&path).map_err(|message| failed(shown(component, message)))?;
        let (jobs, queue) = mpsc::channel();
        let (done, closed) = mpsc::channel();
        let again = jobs.clone();
        std::thread::Builder::new()
            .name(format!("pubsub {}", component.name))
            .spawn(move || {
                worker::run(database, &queue, &again);
                let _ = done.send(());
            })
            .map_err(|error| failed(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            name: component.name.clone(),
            queues: Queues::default(),
            jobs,
            closed: Mutex::new(closed),
        })
    }

    pub(super) fn subscribe(
        &self,
        topic: &str,
        backlog: Arc<Backlog>,
        instead_of: Option<&Backlog>,
    ) -> Events {
        let (subscriber, queue) = self.queues.subscribe(topic, backlog, instead_of);
        let (answer, earlier) = oneshot::channel();
        // Until they have been counted, nobody may find nothing to wait for.
        let ticket = subscriber.ticket(0);
        if self.jobs.send(Job::Load { subscriber, answer, _ticket: ticket }).is_err() {
            tracing::error!(pubsub = self.name, topic, "what is left of before does not come");
        }
        Events::new(queue).after(earlier)
    }

    /// Returns when the event is in line to get on the disk.
    pub(super) async fn publish(
        &self,
        deadline: Instant,
        topic: &str,
        data: Bytes,
        metadata: Metadata,
    ) -> Result<Begun, Refusal> {
        let size = size(&data, &metadata).max(EVENT_BYTES_MIN);
        let places = self.queues.places(topic, size, deadline).await?;
        if places.is_empty() {
            return Ok(Begun::Done);
        }
        let (answer, answered) = oneshot::channel();
        let (topic, metadata) = (Arc::from(topic), Arc::new(metadata));
        let add = Add { data, topic, metadata, places, answer: Some(answer), instead_of: None };
        self.jobs.send(Job::Add(add)).map_err(|_| Refusal::Closed)?;
        Ok(Begun::Waits(answered))
    }

    /// Places for a copy of a message, without any wait.
    pub(super) fn places_now(&self, message: &Message, topic: &str) -> Result<Vec<Place>, Refusal> {
        let size = size(&message.data, &message.metadata).max(EVENT_BYTES_MIN);
        self.queues.places_now(topic, size)
    }

    /// Publishes a message to another topic. The copy gets into the file in the same moment in which
    /// the message gets out of it.
    pub(super) fn replace(&self, message: Message, topic: &str, places: Vec<Place>) {
        let Message { data, metadata, receipt, ticket, .. } = message;
        let message::Receipt::Journal(receipt) = receipt else { return };
        if places.is_empty() {
            return receipt.settle(ticket);
        }
        let (topic, instead_of) = (Arc::from(topic), Some((receipt, ticket)));
        let add = Add { data, topic, metadata, places, answer: None, instead_of };
        // Once the file is closed, the message stays in it.
        let _ = self.jobs.send(Job::Add(add));
    }
}

/// Ends the thread once it has done what is in the queue, and waits for that.
impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::Close);
        let closed = self.closed.get_mut().unwrap_or_else(PoisonError::into_inner);
        if closed.recv_timeout(CLOSE_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!(pubsub = self.name, "the broker's file is still busy; left to itself");
        }
    }
}

/// The metadata `path`, or a file for this component in the data folder.
fn path(component: &Component, data_dir: &Path) -> PathBuf {
    let own = || {
        let name = percent_encode(component.name.as_bytes(), NON_ALPHANUMERIC);
        data_dir.join(format!("pubsub-{name}.db"))
    };
    component.get("path").map_or_else(own, PathBuf::from)
}

/// The message, unless it has a path from a secret store in it.
fn shown(component: &Component, message: String) -> String {
    if component.is_secret("path") { format!("cannot open its file {HIDDEN}") } else { message }
}
