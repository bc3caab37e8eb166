//! The members of an envelope's JSON object, read one by one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::{EventError, is_json};

/// The members that are still to be read. Values stay text until then, so that numbers are never
/// rounded and keys never reordered.
pub(super) struct Attributes<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Attributes<'a> {
    pub(super) fn read(envelope: &'a [u8]) -> Result<Self, EventError> {
        serde_json::from_slice(envelope).map(Self).map_err(EventError::NotAnObject)
    }

    /// Takes an attribute as text; `null` counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, EventError> {
        self.0.remove(name).map_or(Ok(None), |raw| text(name, raw))
    }

    /// Reads an attribute and leaves it.
    pub(super) fn peek(&self, name: &str) -> Result<Option<String>, EventError> {
        self.0.get(name).map_or(Ok(None), |raw| text(name, raw))
    }

    /// Takes the data and its content type, which CloudEvents says is JSON when a value that is no
    /// string has none.
    pub(super) fn take_data(&mut self) -> Result<(Option<String>, Bytes), EventError> {
        let content_type = self.take("datacontenttype")?;
        if let Some(encoded) = self.take("data_base64")? {
            let data = STANDARD.decode(encoded).map_err(EventError::Base64)?;
            return Ok((content_type, data.into()));
        }
        let Some(raw) = self.0.remove("data") else { return Ok((content_type, Bytes::new())) };
        let json = Bytes::copy_from_slice(raw.get().as_bytes());
        match content_type {
            Some(content_type) if is_json(&content_type) => Ok((Some(content_type), json)),
            None if !is_string(raw) => Ok((Some("application/json".to_owned()), json)),
            content_type => {
                Ok((content_type, text("data", raw)?.map_or_else(Bytes::new, Bytes::from)))
            }
        }
    }

    /// Takes whatever was not taken.
    pub(super) fn rest(self) -> Result<BTreeMap<String, String>, EventError> {
        let mut rest = BTreeMap::new();
        for (name, raw) in self.0 {
            if let Some(value) = text(&name, raw)? {
                rest.insert(name, value);
            }
        }
        Ok(rest)
    }
}

fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

/// A string's text, or the JSON text of any other value; nothing for `null`.
fn text(name: &str, raw: &RawValue) -> Result<Option<String>, EventError> {
    if is_string(raw) {
        let text = serde_json::from_str(raw.get());
        return text.map(Some).map_err(|_| EventError::Text { name: name.to_owned() });
    }
    Ok(Some(raw.get()).filter(|json| *json != "null").map(str::to_owned))
}
