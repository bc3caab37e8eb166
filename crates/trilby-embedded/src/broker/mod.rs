//! `pubsub.in-memory`: topics within this process.
//!
//! Every subscription has a queue of its own, so that a slow one holds up its publishers and not
//! the other subscriptions. What no one subscribes to is gone, as with daprd.

mod backlog;
mod scopes;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;
use trilby_dapr::event::{Event, Origin};
use trilby_dapr::messaging::Publish;
use trilby_dapr::{CallContext, Code, Error as DaprError, Metadata};

use crate::Error;
use crate::component::Component;
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
    /// What the publisher said beside it.
    pub(crate) metadata: Arc<Metadata>,
    /// Held until the event is delivered or dropped.
    pub(crate) ticket: Ticket,
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
        if !self.scopes.may_publish(&publish.topic) {
            return Err(DaprError::new(
                Code::PermissionDenied,
                format!("topic {} is not allowed for app id {}", publish.topic, self.app_id),
            )
            .with_reason("DAPR_PUBSUB_FORBIDDEN"));
        }
        let bytes = size(&data, &metadata);
        let mut places = Vec::new();
        for subscriber in self.subscribers_of(&publish.topic) {
            let place = subscriber.place(bytes);
            match timeout_at(cx.deadline, place).await {
                Ok(Some((permit, room))) => places.push((permit, room, subscriber)),
                // Deliveries have ended: an event that would only be lost is refused.
                Ok(None) => return Err(self.failed(&publish.topic, "component is closed")),
                Err(_) => return Err(self.full(&publish.topic)),
            }
        }
        let metadata = Arc::new(metadata);
        for (permit, room, subscriber) in places {
            let ticket = subscriber.backlog.ticket(Some(room));
            permit.send(Message { data: data.clone(), metadata: Arc::clone(&metadata), ticket });
        }
        Ok(())
    }

    /// What travels, by daprd's rules and with its errors.
    fn message(
        &self,
        cx: &CallContext,
        publish: &Publish,
    ) -> trilby_dapr::Result<(Bytes, Metadata)> {
        let invalid = |message: String| DaprError::new(Code::InvalidArgument, message);
        if publish.topic.is_empty() {
            return Err(invalid(format!("topic is empty in pubsub {}", self.name()))
                .with_reason("DAPR_PUBSUB_TOPIC_NAME_EMPTY"));
        }
        let mut metadata = publish.metadata.clone();
        let is_raw = Event::is_raw(publish).map_err(|error| {
            invalid(format!("failed deserializing metadata. Error: {error}"))
                .with_reason("DAPR_PUBSUB_METADATA_DESERIALIZATION")
        })?;
        let traceparent = cx.traceparent.as_deref();
        if is_raw {
            // There is no envelope that could hold it.
            if let Some(traceparent) = traceparent {
                metadata.insert("traceid".to_owned(), traceparent.to_owned());
            }
            return Ok((publish.data.clone(), metadata));
        }
        let origin = Origin { app_id: &self.app_id, traceparent, now: Timestamp::now() };
        let envelope = Event::envelope(publish, &origin).map_err(|_| {
            invalid("cannot create cloudevent".to_owned())
                .with_reason("DAPR_PUBSUB_CLOUD_EVENT_CREATION")
        })?;
        Ok((envelope, metadata))
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
        let name = self.name();
        let message = format!("error when publishing to topic {topic} in pubsub {name}: {why}");
        DaprError::new(Code::Internal, message).with_reason("DAPR_PUBSUB_PUBLISH_MESSAGE")
    }
}

impl Subscriber {
    /// A place in the queue, with room for so many bytes. None when nobody receives any more.
    async fn place(&self, bytes: u32) -> Option<(OwnedPermit<Message>, OwnedSemaphorePermit)> {
        let room = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.ok()?;
        let permit = self.queue.clone().reserve_owned().await.ok()?;
        Some((permit, room))
    }
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
