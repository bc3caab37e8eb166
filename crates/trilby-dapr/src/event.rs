//! CloudEvents, as Dapr makes them. (To be replaced as a whole.)

use std::collections::BTreeMap;

use bytes::Bytes;

/// A topic event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "to be replaced")]
pub struct Event {
    pub id: String,
    pub source: String,
    pub event_type: String,
    pub spec_version: String,
    pub subject: Option<String>,
    pub time: Option<String>,
    pub topic: String,
    pub pubsub: String,
    pub data_content_type: Option<String>,
    pub data: Bytes,
    pub traceparent: Option<String>,
    pub tracestate: Option<String>,
    pub extensions: BTreeMap<String, String>,
}

/// Not an envelope.
#[derive(Debug, thiserror::Error)]
#[error("not an envelope")]
pub struct EventError;

impl Event {
    /// Reads an envelope.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn parse(_envelope: &[u8]) -> Result<Self, EventError> {
        Err(EventError)
    }
}
