//! Publish events to topics.
//!
//! ```no_run
//! use trilby_guest::pubsub::Publish;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! Publish::new("pubsub", "entry-added", br#"{"text":"hi"}"#)
//!     .content_type("application/json")
//!     .send()?;
//! # Ok(())
//! # }
//! ```
//!
//! Events come as requests: see [`cgi::Trigger`](crate::cgi::Trigger).

use std::time::Duration;

use crate::call::{self, Answer, Options};
use crate::json::{self, Record};
use crate::{Result, raw};

/// Publishes data, which Dapr takes for `text/plain`.
pub fn publish(pubsub: &str, topic: &str, data: impl AsRef<[u8]>) -> Result<()> {
    Publish::new(pubsub, topic, data.as_ref()).send()
}

/// An event with options. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is published before `send`"]
pub struct Publish<'a> {
    pubsub: &'a str,
    topic: &'a str,
    data: &'a [u8],
    options: Options,
}

impl<'a> Publish<'a> {
    /// An event with Dapr's defaults.
    pub fn new(pubsub: &'a str, topic: &'a str, data: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { pubsub, topic, data: data.as_ref(), options: Options::default() }
    }

    /// Publishes.
    pub fn send(self) -> Result<()> {
        call::done(raw::pubsub_publish(self.pubsub, self.topic, self.options.block()?, self.data))
    }
}

/// Many events for one topic. Name each option once.
///
/// ```no_run
/// use trilby_guest::pubsub::{Message, PublishBulk};
///
/// # fn main() -> trilby_guest::Result<()> {
/// let failures = PublishBulk::new("pubsub", "readings")
///     .content_type("application/json")
///     .message(Message::new("21.5"))
///     .message(Message::new("22.0"))
///     .send()?;
/// for failure in failures {
///     eprintln!("reading {} is lost: {}", failure.id, failure.error);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is published before `send`"]
pub struct PublishBulk<'a> {
    pubsub: &'a str,
    topic: &'a str,
    records: Vec<Record>,
    options: Options,
}

/// One of many events. Name each option once.
#[derive(Clone, Debug)]
#[must_use = "nothing is published before it is sent with others"]
pub struct Message {
    record: Record,
}

/// An event that was not published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The message's id, which is its number from 0 if it had none.
    pub id: String,
    /// Why.
    pub error: String,
}

impl<'a> PublishBulk<'a> {
    /// No events yet.
    pub fn new(pubsub: &'a str, topic: &'a str) -> Self {
        Self { pubsub, topic, records: Vec::new(), options: Options::default() }
    }

    /// Adds an event.
    pub fn message(mut self, message: Message) -> Self {
        self.records.push(message.record);
        self
    }

    /// Publishes. What could not be published is in the answer; an error of the call is one of all
    /// events.
    pub fn send(self) -> Result<Vec<Failure>> {
        let (options, records) = (self.options.block()?, json::lines(&self.records));
        let result = raw::pubsub_publish_bulk(self.pubsub, self.topic, options, records);
        let records = Answer::open(result)?.records()?;
        let failure = |fields: &json::Fields| {
            let error = fields.text("error").unwrap_or_default();
            Ok(Failure { id: fields.required("id")?, error })
        };
        records.iter().map(failure).collect()
    }
}

impl Message {
    /// An event with the options of the others.
    pub fn new(data: impl AsRef<[u8]>) -> Self {
        let mut record = Record::default();
        record.push_bytes("data", data.as_ref());
        Self { record }
    }

    /// Names the event for [`Failure::id`]: no other in the list has this name.
    pub fn id(mut self, id: &str) -> Self {
        self.record.push("id", id);
        self
    }
}

macro_rules! options {
    ($($operation:ty => $field:ident)*) => {$(
        impl $operation {
            /// The data's media type.
            pub fn content_type(mut self, media_type: &str) -> Self {
                self.$field.push("content-type", media_type);
                self
            }

            /// Passes metadata to the component, such as `cloudevent.type`.
            pub fn metadata(mut self, name: &str, value: &str) -> Self {
                self.$field.push_metadata(name, value);
                self
            }

            /// Lets the event expire after this time, rounded up to seconds, at least one.
            pub fn ttl(self, ttl: Duration) -> Self {
                self.metadata("ttlInSeconds", &call::whole_seconds(ttl).to_string())
            }

            /// Sends the data as it is, without a CloudEvent around it.
            pub fn raw_payload(self) -> Self {
                self.metadata("rawPayload", "true")
            }
        }
    )*};
}

options! {
    Publish<'_> => options
    PublishBulk<'_> => options
    Message => record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_as_the_abi_names_them() {
        let event = Publish::new("p", "t", "x").content_type("text/html").raw_payload();
        let expected = "content-type: text/html\nmetadata.rawPayload: true\n";
        assert_eq!(event.options.block().unwrap(), expected);
        let many = PublishBulk::new("p", "t")
            .ttl(Duration::from_secs(3))
            .message(Message::new("a").id("1").metadata("m", "x"))
            .message(Message::new([0xfe]).content_type("image/png"));
        assert_eq!(many.options.block().unwrap(), "metadata.ttlInSeconds: 3\n");
        let expected = "{\"data\":\"a\",\"id\":\"1\",\"metadata\":{\"m\":\"x\"}}\n\
                        {\"data-base64\":\"/g==\",\"content-type\":\"image/png\"}\n";
        assert_eq!(json::lines(&many.records), expected);
    }
}
