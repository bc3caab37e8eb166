//! What is looked at before an event is published, and what then travels: daprd's rules, with its
//! errors.

use bytes::Bytes;
use jiff::Timestamp;
use trilby_dapr::event::{Event, EventError, Origin};
use trilby_dapr::messaging::Publish;
use trilby_dapr::{CallContext, Code, Error as DaprError, Metadata};

use super::queues::{QUEUE_BYTES_MAX, QUEUE_DEPTH_MAX};
use super::{Broker, Refusal};
use crate::refusals;

impl Broker {
    /// What travels: the payload, or an envelope with it.
    pub(super) fn message(
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
    pub(super) fn check_topic(
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

    pub(super) fn check_may_publish(&self, topic: &str) -> trilby_dapr::Result<()> {
        if self.scopes.may_publish(topic) {
            return Ok(());
        }
        let message = format!("topic {topic} is not allowed for app id {}", self.app_id);
        Err(DaprError::new(Code::PermissionDenied, message).with_reason("DAPR_PUBSUB_FORBIDDEN"))
    }

    pub(super) fn envelope(
        &self,
        cx: &CallContext,
        publish: &Publish,
    ) -> trilby_dapr::Result<Bytes> {
        let traceparent = cx.traceparent.as_deref();
        let origin = Origin { app_id: &self.app_id, traceparent, now: Timestamp::now() };
        Event::envelope(publish, &origin).map_err(|_| {
            invalid("cannot create cloudevent".to_owned())
                .with_reason("DAPR_PUBSUB_CLOUD_EVENT_CREATION")
        })
    }

    /// The error for an event that was not published.
    pub(super) fn refused(&self, topic: &str, refusal: Refusal) -> DaprError {
        let name = self.name();
        let failed = |why: &str| refusals::publish(topic, name, why);
        match refusal {
            Refusal::Full => {
                let message = format!(
                    "error when publishing to topic {topic} in pubsub {name}: the queue of a \
                     subscriber is full ({QUEUE_DEPTH_MAX} events, or {} MiB of them)",
                    QUEUE_BYTES_MAX >> 20
                );
                DaprError::new(Code::ResourceExhausted, message).with_reason("TRILBY_QUEUE_FULL")
            }
            Refusal::Closed => failed("component is closed"),
            Refusal::Late => DaprError::deadline(&format!("the pub/sub broker `{name}`")),
            Refusal::Failed(why) => failed(&why),
        }
    }
}

pub(super) fn invalid(message: String) -> DaprError {
    DaprError::new(Code::InvalidArgument, message)
}
