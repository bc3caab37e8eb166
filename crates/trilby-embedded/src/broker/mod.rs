//! `pubsub.in-memory`: topics within this process.
//!
//! Every subscription has a queue of its own, so that a slow one holds up its publishers and not
//! the other subscriptions. What no one subscribes to is gone, as with daprd.

mod backlog;
mod bulk;
mod scopes;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use trilby_dapr::event::{Event, EventError, Origin};
use trilby_dapr::messaging::Publish;
use trilby_dapr::{CallContext, Code, Error as DaprError, Metadata};

use crate::component::Component;
use crate::{Error, refusals};
pub(crate) use backlog::{Backlog, Ticket};
use scopes::Scopes;

/// Events that wait for one subscription. When there are as many, publishers wait.
const QUEUE_DEPTH_MAX: usize = 1024;

/// Bytes of events that are not settled yet in one subscription: queued, in flight or waiting for
/// another try. When there are as many, publishers wait.
const QUEUE_BYTES_MAX: u32 = 64 << 20;

/// An event on its way to one subscription.
#[derive(Debug)]
pub(crate) struct Message {
    /// The envelope, or the publisher's raw payload.
    pub(crate) data: Bytes,
    /// The topic to which it was published.
    pub(crate) topic: Arc<str>,
    /// What the publisher said beside it.
    pub(crate) metadata: Arc<Metadata>,
    /// Held until the event is delivered or dropped.
    pub(crate) _ticket: Ticket,
}

/// One broker.
#[derive(Debug)]
pub(crate) struct Broker {
    component: Component,
    app_id: String,
    scopes: Scopes,
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
}

#[derive(Debug)]
struct Subscriber {
    topic: String,
    queue: mpsc::Sender<Message>,
    /// What is left of the bound on bytes.
    bytes: Arc<Semaphore>,
    backlog: Arc<Backlog>,
}

impl Broker {
    /// Opens a `pubsub.in-memory` for one app, whose scopes come from the component's metadata.
    pub(crate) fn open(component: &Component, app_id: &str) -> Result<Self, Error> {
        if component.type_name != "pubsub.in-memory" {
            return Err(component.mistake(format!(
                "`{}` is no pub/sub broker of the embedded runtime; it has pubsub.in-memory",
                component.type_name
            )));
        }
        Ok(Self {
            scopes: Scopes::read(component, app_id),
            component: component.clone(),
            app_id: app_id.to_owned(),
            subscribers: Mutex::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.component.name
    }

    /// Receives what is published to a topic from now on. A topic that ends in `*` stands for all
    /// that begin so and are longer. Each event holds a ticket of `backlog`. The subscriptions of
    /// `instead_of` end at that moment: no event goes to both, or to neither.
    pub(crate) fn subscribe(
        &self,
        topic: &str,
        backlog: Arc<Backlog>,
        instead_of: Option<&Backlog>,
    ) -> Result<mpsc::Receiver<Message>, Error> {
        if !self.scopes.may_subscribe(topic) {
            return Err(self.component.mistake(format!(
                "subscription to topic '{topic}' on pubsub '{}' is not allowed for app id `{}`; \
                 see allowedTopics, protectedTopics and subscriptionScopes",
                self.name(),
                self.app_id,
            )));
        }
        let (queue, events) = mpsc::channel(QUEUE_DEPTH_MAX);
        let bytes = Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize));
        let subscriber = Subscriber { topic: topic.to_owned(), queue, bytes, backlog };
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = instead_of {
            old.retire();
        }
        subscribers.push(Arc::new(subscriber));
        Ok(events)
    }

    /// Whether a subscription to `topic` may send what it cannot deliver to `dead_letter`: the app
    /// must be allowed to publish there, and it must not come back to the same subscription.
    pub(crate) fn check_dead_letter(&self, topic: &str, dead_letter: &str) -> Result<(), Error> {
        let name = self.name();
        if dead_letter.is_empty() || matches(topic, dead_letter) {
            return Err(self.component.mistake(format!(
                "the dead-letter topic '{dead_letter}' of topic '{topic}' on pubsub '{name}' leads \
                 back to the same subscription; name a topic that it does not cover"
            )));
        }
        if !self.scopes.may_publish(dead_letter) {
            return Err(self.component.mistake(format!(
                "the dead-letter topic '{dead_letter}' of topic '{topic}' on pubsub '{name}' is \
                 not allowed for app id `{}`; see allowedTopics, protectedTopics and \
                 publishingScopes",
                self.app_id,
            )));
        }
        Ok(())
    }

    /// Publishes one event to all subscriptions of its topic, or to none of them.
    ///
    /// Once this returns, the event is in every subscription's queue. A full queue is waited for
    /// until the caller's deadline, and is then RESOURCE_EXHAUSTED.
    pub(crate) async fn publish(
        &self,
        cx: &CallContext,
        publish: Publish,
    ) -> trilby_dapr::Result<()> {
        let (data, metadata) = self.message(cx, &publish)?;
        self.check_may_publish(&publish.topic)?;
        self.send(cx.deadline, &publish.topic, data, metadata).await
    }

    fn check_may_publish(&self, topic: &str) -> trilby_dapr::Result<()> {
        if self.scopes.may_publish(topic) {
            return Ok(());
        }
        let message = format!("topic {topic} is not allowed for app id {}", self.app_id);
        Err(DaprError::new(Code::PermissionDenied, message).with_reason("DAPR_PUBSUB_FORBIDDEN"))
    }

    /// Puts a message into the queue of every subscription of its topic, or of none of them.
    async fn send(
        &self,
        deadline: Instant,
        topic: &str,
        data: Bytes,
        metadata: Metadata,
    ) -> trilby_dapr::Result<()> {
        let bytes = size(&data, &metadata);
        let mut places = Vec::new();
        for subscriber in self.subscribers_of(topic) {
            let place = subscriber.place(bytes);
            match timeout_at(deadline, place).await {
                Ok(Some(place)) => places.push((place, subscriber)),
                // Deliveries have ended: an event that would only be lost is refused.
                Ok(None) => return Err(self.failed(topic, "component is closed")),
                Err(_) => return Err(self.full(topic)),
            }
        }
        let (topic, metadata) = (Arc::from(topic), Arc::new(metadata));
        for (place, subscriber) in places {
            subscriber.put(place, &data, &topic, &metadata);
        }
        Ok(())
    }

    /// Publishes what a subscription could not deliver to another topic, as it came. Says how many
    /// subscriptions it went to.
    ///
    /// Does not wait: the queue that is full may be that of the subscription that asks.
    pub(crate) fn republish(&self, message: &Message, topic: &str) -> trilby_dapr::Result<usize> {
        let bytes = size(&message.data, &message.metadata);
        let mut places = Vec::new();
        for subscriber in self.subscribers_of(topic) {
            match subscriber.place(bytes).now_or_never() {
                Some(Some(place)) => places.push((place, subscriber)),
                Some(None) => return Err(self.failed(topic, "component is closed")),
                None => return Err(self.full(topic)),
            }
        }
        let (topic, reached) = (Arc::from(topic), places.len());
        for (place, subscriber) in places {
            subscriber.put(place, &message.data, &topic, &message.metadata);
        }
        Ok(reached)
    }

    /// What travels, by daprd's rules and with its errors.
    fn message(
        &self,
        cx: &CallContext,
        publish: &Publish,
    ) -> trilby_dapr::Result<(Bytes, Metadata)> {
        let mut metadata = publish.metadata.clone();
        let is_raw = self.check_topic(&publish.topic, Event::is_raw(publish))?;
        if is_raw {
            // There is no envelope that could hold it.
            if let Some(traceparent) = cx.traceparent.as_deref() {
                metadata.insert("traceid".to_owned(), traceparent.to_owned());
            }
            return Ok((publish.data.clone(), metadata));
        }
        Ok((self.envelope(cx, publish)?, metadata))
    }

    /// What daprd looks at before any event of a call.
    fn check_topic(
        &self,
        topic: &str,
        is_raw: Result<bool, EventError>,
    ) -> trilby_dapr::Result<bool> {
        if topic.is_empty() {
            let message = format!("topic is empty in pubsub {}", self.name());
            return Err(invalid(message).with_reason("DAPR_PUBSUB_TOPIC_NAME_EMPTY"));
        }
        is_raw.map_err(|error| {
            invalid(format!("failed deserializing metadata. Error: {error}"))
                .with_reason("DAPR_PUBSUB_METADATA_DESERIALIZATION")
        })
    }

    fn envelope(&self, cx: &CallContext, publish: &Publish) -> trilby_dapr::Result<Bytes> {
        let traceparent = cx.traceparent.as_deref();
        let origin = Origin { app_id: &self.app_id, traceparent, now: Timestamp::now() };
        Event::envelope(publish, &origin).map_err(|_| {
            invalid("cannot create cloudevent".to_owned())
                .with_reason("DAPR_PUBSUB_CLOUD_EVENT_CREATION")
        })
    }

    fn subscribers_of(&self, topic: &str) -> Vec<Arc<Subscriber>> {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|known| !known.backlog.is_retired());
        subscribers.iter().filter(|known| matches(&known.topic, topic)).cloned().collect()
    }

    fn full(&self, topic: &str) -> DaprError {
        let name = self.name();
        let message = format!(
            "error when publishing to topic {topic} in pubsub {name}: the queue of a subscriber \
             is full ({QUEUE_DEPTH_MAX} events, or {} MiB of them)",
            QUEUE_BYTES_MAX >> 20
        );
        DaprError::new(Code::ResourceExhausted, message).with_reason("TRILBY_QUEUE_FULL")
    }

    fn failed(&self, topic: &str, why: &str) -> DaprError {
        refusals::publish(topic, self.name(), why)
    }
}

/// A place in a queue, and room for an event's bytes.
type Place = (OwnedPermit<Message>, OwnedSemaphorePermit);

impl Subscriber {
    /// A place in the queue, with room for so many bytes. None when nobody receives any more.
    async fn place(&self, bytes: u32) -> Option<Place> {
        let room = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.ok()?;
        let permit = self.queue.clone().reserve_owned().await.ok()?;
        Some((permit, room))
    }

    fn put(&self, (permit, room): Place, data: &Bytes, topic: &Arc<str>, metadata: &Arc<Metadata>) {
        permit.send(Message {
            data: data.clone(),
            topic: Arc::clone(topic),
            metadata: Arc::clone(metadata),
            _ticket: self.backlog.ticket(Some(room)),
        });
    }
}

fn invalid(message: String) -> DaprError {
    DaprError::new(Code::InvalidArgument, message)
}

/// What an event counts. One that is larger than the bound counts as all of it, and goes alone.
fn size(data: &Bytes, metadata: &Metadata) -> u32 {
    let metadata = metadata.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    let size = metadata.fold(data.len(), usize::saturating_add);
    u32::try_from(size).map_or(QUEUE_BYTES_MAX, |size| size.min(QUEUE_BYTES_MAX))
}

/// Whether a subscription's topic covers a published one.
fn matches(subscribed: &str, published: &str) -> bool {
    let wild = || published.strip_prefix(subscribed.strip_suffix('*')?);
    subscribed == published || wild().is_some_and(|rest| !rest.is_empty())
}
