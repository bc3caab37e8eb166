//! Brokers: who brings a published event to the subscriptions of its topic.
//!
//! [`Broker`] is what all of them have in common: whose topics they are ([`scopes`]), and what
//! travels ([`publish`], [`bulk`]). What follows depends on the component:
//!
//! - `pubsub.in-memory`: [`queues`] within this process. What no one subscribes to is gone, as with
//!   daprd.
//! - `pubsub.in-memory` with the metadata `durable`: the same, but each event is in a [`journal`] on
//!   the disk until its subscription has settled it.
//! - `pubsub.redis`: the [`streams`] of a Redis server, which other processes share.

mod backlog;
mod bulk;
mod journal;
mod message;
mod publish;
mod queues;
mod scopes;
mod streams;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use trilby_dapr::messaging::Publish;
use trilby_dapr::{CallContext, Error as DaprError, Metadata};

use crate::Error;
use crate::component::Component;
pub(crate) use backlog::{Backlog, Ticket};
use journal::Journal;
pub(crate) use message::{Events, Message, Receipt};
use queues::{Queues, matches, size};
use scopes::Scopes;
use streams::Streams;

/// One broker.
#[derive(Debug)]
pub(crate) struct Broker {
    component: Component,
    app_id: String,
    scopes: Scopes,
    way: Way,
}

/// How events get to their subscriptions.
#[derive(Debug)]
enum Way {
    Memory(Queues),
    Journal(Journal),
    Streams(Streams),
}

/// An event that is being published.
#[derive(Debug)]
enum Begun {
    Done,
    /// Told when it is on the disk.
    Waits(oneshot::Receiver<Result<(), String>>),
}

/// Why an event was not published.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Full,
    /// Deliveries have ended: an event that would only be lost is refused.
    Closed,
    /// The deadline passed. It may have been published all the same.
    Late,
    Failed(String),
}

/// A dead letter that could not be sent.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) message: Message,
    pub(crate) error: DaprError,
}

impl Broker {
    /// Opens a pub/sub component for one app, whose scopes come from the component's metadata. A
    /// durable one has its file in `data_dir`, unless it names another.
    pub(crate) fn open(
        component: &Component,
        app_id: &str,
        data_dir: &Path,
    ) -> Result<Self, Error> {
        let way = match component.type_name.as_str() {
            "pubsub.in-memory" if component.flag("durable") => {
                Way::Journal(Journal::open(component, data_dir)?)
            }
            "pubsub.in-memory" => match component.get("path") {
                None => Way::Memory(Queues::default()),
                Some(_) => {
                    let message = "`path` is for a durable broker; add `durable` with the value \
                                   `true`, or remove `path`";
                    return Err(component.mistake_in("path", message));
                }
            },
            "pubsub.redis" => Way::Streams(Streams::open(component, app_id)?),
            other => {
                return Err(component.mistake(format!(
                    "`{other}` is no pub/sub broker of the embedded runtime; it has \
                     pubsub.in-memory and pubsub.redis"
                )));
            }
        };
        Ok(Self {
            scopes: Scopes::read(component, app_id),
            component: component.clone(),
            app_id: app_id.to_owned(),
            way,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.component.name
    }

    /// Receives what is published to a topic from now on, after what an earlier subscription of a
    /// durable broker left. Each event holds a ticket of `backlog`. The subscriptions of
    /// `instead_of` end at that moment: no event goes to both, or to neither.
    ///
    /// A topic that ends in `*` stands for all that begin so and are longer, but not on Redis, as
    /// with daprd. From there nothing new is fetched once `draining` is cancelled.
    pub(crate) fn subscribe(
        &self,
        topic: &str,
        backlog: Arc<Backlog>,
        instead_of: Option<&Backlog>,
        draining: &CancellationToken,
    ) -> Result<Events, Error> {
        if !self.scopes.may_subscribe(topic) {
            return Err(self.component.mistake(format!(
                "subscription to topic '{topic}' on pubsub '{}' is not allowed for app id `{}`; \
                 see allowedTopics, protectedTopics and subscriptionScopes",
                self.name(),
                self.app_id,
            )));
        }
        Ok(match &self.way {
            Way::Memory(queues) => Events::new(queues.subscribe(topic, backlog, instead_of).1),
            Way::Journal(journal) => journal.subscribe(topic, backlog, instead_of),
            Way::Streams(streams) => streams.subscribe(topic, backlog, instead_of, draining),
        })
    }

    /// Events of one subscription that may be delivered at the same time.
    pub(crate) fn at_once_max(&self) -> usize {
        match &self.way {
            Way::Memory(_) | Way::Journal(_) => 1,
            Way::Streams(streams) => streams.at_once_max(),
        }
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
    /// Once this returns, the event is in every subscription's queue, and in the journal or the
    /// stream if there is one. A full queue is waited for until the caller's deadline, and is then
    /// RESOURCE_EXHAUSTED.
    pub(crate) async fn publish(
        &self,
        cx: &CallContext,
        publish: Publish,
    ) -> trilby_dapr::Result<()> {
        let (data, metadata) = self.message(cx, &publish)?;
        self.check_may_publish(&publish.topic)?;
        let begun = self.begin(cx.deadline, &publish.topic, data, metadata).await;
        self.end(cx.deadline, &publish.topic, begun).await
    }

    /// Gets an event in line: what begins later is published later.
    async fn begin(
        &self,
        deadline: Instant,
        topic: &str,
        data: Bytes,
        metadata: Metadata,
    ) -> Result<Begun, Refusal> {
        match &self.way {
            Way::Memory(queues) => {
                let places = queues.places(topic, size(&data, &metadata), deadline).await?;
                let (topic, metadata) = (Arc::from(topic), Arc::new(metadata));
                for place in places {
                    place.put(&data, &topic, &metadata, Receipt::Memory);
                }
                Ok(Begun::Done)
            }
            Way::Journal(journal) => journal.publish(deadline, topic, data, metadata).await,
            Way::Streams(streams) => {
                streams.publish(deadline, topic, data, metadata).await?;
                Ok(Begun::Done)
            }
        }
    }

    /// Waits until an event is where it is to be.
    async fn end(
        &self,
        deadline: Instant,
        topic: &str,
        begun: Result<Begun, Refusal>,
    ) -> trilby_dapr::Result<()> {
        let ended = match begun {
            Ok(Begun::Done) => Ok(()),
            Ok(Begun::Waits(written)) => match timeout_at(deadline, written).await {
                Ok(Ok(written)) => written.map_err(Refusal::Failed),
                Ok(Err(_)) => Err(Refusal::Closed),
                Err(_) => Err(Refusal::Late),
            },
            Err(refusal) => Err(refusal),
        };
        ended.map_err(|refusal| self.refused(topic, refusal))
    }

    /// Publishes what a subscription could not deliver to another topic, as it came, which settles
    /// it. Says how many subscriptions it went to, or gives the message back.
    ///
    /// Does not wait: the queue that is full may be that of the subscription that asks. Where the
    /// copy is kept elsewhere, the message is settled once it is there; should that fail, the
    /// message stays where it is, and comes again.
    pub(crate) fn republish(&self, message: Message, topic: &str) -> Result<usize, Box<Unsent>> {
        let places = match &self.way {
            Way::Memory(queues) => queues.places_now(topic, size(&message.data, &message.metadata)),
            Way::Journal(journal) => journal.places_now(&message, topic),
            Way::Streams(streams) => {
                streams.republish(message, topic);
                return Ok(1);
            }
        };
        let places = match places {
            Ok(places) => places,
            Err(refusal) => {
                let error = self.refused(topic, refusal);
                return Err(Box::new(Unsent { message, error }));
            }
        };
        let reached = places.len();
        if let Way::Journal(journal) = &self.way {
            journal.replace(message, topic, places);
        } else {
            let topic = Arc::from(topic);
            for place in places {
                place.put(&message.data, &topic, &message.metadata, Receipt::Memory);
            }
        }
        Ok(reached)
    }
}
