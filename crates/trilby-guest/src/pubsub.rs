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

use crate::call::{self, Options};
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

    /// The data's media type.
    pub fn content_type(mut self, media_type: &str) -> Self {
        self.options.push("content-type", media_type);
        self
    }

    /// Passes metadata to the component, such as `ttlInSeconds` or `cloudevent.type`.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.options.push_metadata(name, value);
        self
    }

    /// Publishes.
    pub fn send(self) -> Result<()> {
        call::done(raw::pubsub_publish(self.pubsub, self.topic, self.options.block()?, self.data))
    }
}
