//! The queues of the subscriptions of this process.
//!
//! Every subscription has a queue of its own, so that a slow one holds up its publishers and not
//! the other subscriptions.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use trilby_dapr::Metadata;

use super::Refusal;
use super::backlog::{Backlog, Ticket};
use super::message::{Message, Receipt};

/// Events that wait for one subscription. When there are as many, publishers wait.
pub(super) const QUEUE_DEPTH_MAX: usize = 1024;

/// Bytes of events that are not settled yet in one subscription: queued, in flight or waiting for
/// another try. When there are as many, publishers wait.
pub(super) const QUEUE_BYTES_MAX: u32 = 64 << 20;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Queues {
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
}

/// Who receives what is published to a topic.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) topic: Arc<str>,
    /// Tells apart the subscriptions to one topic, from 0.
    pub(super) number: u32,
    queue: mpsc::Sender<Message>,
    /// What is left of the bound on bytes.
    bytes: Arc<Semaphore>,
    backlog: Arc<Backlog>,
}

/// A place in a subscription's queue, and room for an event's bytes.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) subscriber: Arc<Subscriber>,
    permit: OwnedPermit<Message>,
    room: OwnedSemaphorePermit,
}

impl Queues {
    /// Adds a subscription. Those of `instead_of` end at that moment: no event goes to both, or to
    /// neither.
    pub(super) fn subscribe(
        &self,
        topic: &str,
        backlog: Arc<Backlog>,
        instead_of: Option<&Backlog>,
    ) -> (Arc<Subscriber>, mpsc::Receiver<Message>) {
        let (queue, events) = mpsc::channel(QUEUE_DEPTH_MAX);
        let bytes = Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize));
        let mut all = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = instead_of {
            old.retire();
        }
        all.retain(|known| !known.backlog.is_retired() && !known.queue.is_closed());
        let is_taken = |number| all.iter().any(|s| &*s.topic == topic && s.number == number);
        let number = (0..u32::MAX).find(|number| !is_taken(*number)).unwrap_or(u32::MAX);
        let subscriber = Subscriber { topic: Arc::from(topic), number, queue, bytes, backlog };
        let subscriber = Arc::new(subscriber);
        all.push(Arc::clone(&subscriber));
        (subscriber, events)
    }

    /// A place in the queue of every subscription of a topic, or in none of them. A full queue is
    /// waited for until the deadline.
    pub(super) async fn places(
        &self,
        topic: &str,
        bytes: u32,
        deadline: Instant,
    ) -> Result<Vec<Place>, Refusal> {
        let mut places = Vec::new();
        for subscriber in self.of(topic) {
            let place = timeout_at(deadline, subscriber.place(bytes)).await;
            let place = place.map_err(|_| Refusal::Full)?;
            places.push(place.ok_or(Refusal::Closed)?);
        }
        Ok(places)
    }

    /// The same without any wait.
    pub(super) fn places_now(&self, topic: &str, bytes: u32) -> Result<Vec<Place>, Refusal> {
        let places = self.of(topic).into_iter().map(|subscriber| {
            let place = subscriber.place(bytes).now_or_never().ok_or(Refusal::Full)?;
            place.ok_or(Refusal::Closed)
        });
        places.collect()
    }

    fn of(&self, topic: &str) -> Vec<Arc<Subscriber>> {
        let mut all = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| !known.backlog.is_retired());
        all.iter().filter(|known| matches(&known.topic, topic)).cloned().collect()
    }
}

impl Subscriber {
    async fn place(self: Arc<Self>, bytes: u32) -> Option<Place> {
        let room = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.ok()?;
        let permit = self.queue.clone().reserve_owned().await.ok()?;
        Some(Place { subscriber: self, permit, room })
    }

    /// Counts an event that was accepted in an earlier life, also when there is no room for it.
    pub(super) fn ticket(&self, bytes: u32) -> Ticket {
        self.backlog.ticket(Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok())
    }
}

impl Place {
    /// Puts an event there.
    pub(super) fn put(
        self,
        data: &Bytes,
        topic: &Arc<str>,
        metadata: &Arc<Metadata>,
        receipt: Receipt,
    ) {
        self.permit.send(Message {
            data: data.clone(),
            topic: Arc::clone(topic),
            metadata: Arc::clone(metadata),
            receipt,
            ticket: self.subscriber.backlog.ticket(Some(self.room)),
        });
    }
}

/// What an event counts. One that is larger than the bound counts as all of it, and goes alone.
pub(super) fn size(data: &Bytes, metadata: &Metadata) -> u32 {
    let metadata = metadata.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    let size = metadata.fold(data.len(), usize::saturating_add);
    u32::try_from(size).map_or(QUEUE_BYTES_MAX, |size| size.min(QUEUE_BYTES_MAX))
}

/// Whether a subscription's topic covers a published one.
pub(super) fn matches(subscribed: &str, published: &str) -> bool {
    let wild = || published.strip_prefix(subscribed.strip_suffix('*')?);
    subscribed == published || wild().is_some_and(|rest| !rest.is_empty())
}
