//! What the runtime says about itself: its components, subscriptions, and notes of the application.

use crate::call::{self, Answer};
use crate::{Result, raw};

/// Reads it, in the JSON of Dapr's `/v1.0/metadata`.
pub fn get() -> Result<Vec<u8>> {
    Answer::open(raw::metadata_get(""))?.body()
}

/// Adds a note to its `extended` part.
pub fn set(key: &str, value: &str) -> Result<()> {
    call::done(raw::metadata_set(key, value, ""))
}
