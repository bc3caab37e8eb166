//! Several events in one call.

use std::collections::BTreeSet;

use bytes::Bytes;
use trilby_dapr::event::Event;
use trilby_dapr::messaging::{BulkEvent, FailedEvent, Publish, PublishBulk};
use trilby_dapr::{CallContext, Metadata};

use super::Broker;
use super::publish::invalid;

impl Broker {
    /// Publishes events in their order, and gives those that found a full queue until the caller's
    /// deadline. A mistake in any of them, and a topic that the app may not use, refuse the call.
    ///
    /// As in daprd, the call's metadata decide whether payloads are raw. They are also those of each
    /// event, whose own come first; daprd leaves them out for an event without any of its own.
    pub(crate) async fn publish_bulk(
        &self,
        cx: &CallContext,
        bulk: PublishBulk,
    ) -> trilby_dapr::Result<Vec<FailedEvent>> {
        let PublishBulk { topic, events, metadata, .. } = bulk;
        let whole = Publish { metadata, ..Publish::default() };
        let is_raw = self.check_topic(&topic, Event::is_raw(&whole))?;
        let mut ids = BTreeSet::new();
        if !events.iter().all(|event| !event.id.is_empty() && ids.insert(event.id.as_str())) {
            return Err(invalid(format!(
                "error marshaling events to bytes for topic {topic} pubsub {}. error: entryId is \
                 duplicated or not present for entry",
                self.name()
            ))
            .with_reason("DAPR_PUBSUB_MARSHAL_EVENTS"));
        }
        let messages = events.into_iter().map(|event| {
            let id = event.id.clone();
            let message = self.message_of(cx, &topic, event, &whole.metadata, is_raw)?;
            Ok((id, message))
        });
        let messages = messages.collect::<trilby_dapr::Result<Vec<_>>>()?;
        self.check_may_publish(&topic)?;
        // Each gets in line before the next, and then all share the wait for the disk.
        let mut sent = Vec::new();
        for (id, (data, metadata)) in messages {
            sent.push((id, self.begin(cx.deadline, &topic, data, metadata).await));
        }
        let mut failed = Vec::new();
        for (id, begun) in sent {
            if let Err(error) = self.end(cx.deadline, &topic, begun).await {
                failed.push(FailedEvent { id, error: error.message });
            }
        }
        Ok(failed)
    }

    fn message_of(
        &self,
        cx: &CallContext,
        topic: &str,
        event: BulkEvent,
        of_all: &Metadata,
        is_raw: bool,
    ) -> trilby_dapr::Result<(Bytes, Metadata)> {
        let mut metadata = event.metadata;
        for (name, value) in of_all {
            metadata.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if is_raw {
            return Ok((event.data, metadata));
        }
        let publish = Publish {
            pubsub: self.name().to_owned(),
            topic: topic.to_owned(),
            data: event.data,
            content_type: event.content_type,
            metadata,
        };
        Ok((self.envelope(cx, &publish)?, publish.metadata))
    }
}
