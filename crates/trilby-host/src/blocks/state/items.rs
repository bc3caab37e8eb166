//! The records of several keys.

use serde::{Deserialize, Serialize};
use trilby_dapr::Metadata;
use trilby_dapr::state::{
    BulkStateItem, Concurrency, Consistency, StateItem, StateKey, StateOperation,
};

use crate::records;

/// A key to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) key: String,
}

/// A key that was read, or looked for.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Found<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> Found<'a> {
    pub(super) fn of(item: &'a BulkStateItem) -> Self {
        let is_there = item.error.is_none() && (item.etag.is_some() || !item.data.is_empty());
        let (value, value_base64) =
            if is_there { records::fields(&item.data) } else { (None, None) };
        Self {
            key: &item.key,
            value,
            value_base64,
            etag: item.etag.as_deref(),
            metadata: &item.metadata,
            error: item.error.as_deref(),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Writers {
    FirstWrite,
    LastWrite,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Freshness {
    Eventual,
    Strong,
}

fn concurrency(given: Option<Writers>) -> Concurrency {
    match given {
        None => Concurrency::Unspecified,
        Some(Writers::FirstWrite) => Concurrency::FirstWrite,
        Some(Writers::LastWrite) => Concurrency::LastWrite,
    }
}

fn consistency(given: Option<Freshness>) -> Consistency {
    match given {
        None => Consistency::Unspecified,
        Some(Freshness::Eventual) => Consistency::Eventual,
        Some(Freshness::Strong) => Consistency::Strong,
    }
}

/// A key to write.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Written {
    key: String,
    value: Option<String>,
    value_base64: Option<String>,
    etag: Option<String>,
    concurrency: Option<Writers>,
    consistency: Option<Freshness>,
    content_type: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

impl Written {
    pub(super) fn item(self) -> Result<StateItem, String> {
        Ok(StateItem {
            key: self.key,
            value: records::bytes("value", self.value, self.value_base64)?,
            etag: self.etag.filter(|etag| !etag.is_empty()),
            metadata: with_content_type(self.metadata, self.content_type),
            concurrency: concurrency(self.concurrency),
            consistency: consistency(self.consistency),
        })
    }
}

/// A key to delete.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Deleted {
    key: String,
    etag: Option<String>,
    concurrency: Option<Writers>,
    consistency: Option<Freshness>,
    #[serde(default)]
    metadata: Metadata,
}

impl Deleted {
    pub(super) fn key(self) -> StateKey {
        StateKey {
            key: self.key,
            etag: self.etag.filter(|etag| !etag.is_empty()),
            concurrency: concurrency(self.concurrency),
            consistency: consistency(self.consistency),
            metadata: self.metadata,
        }
    }
}

/// A step of a transaction: which fields it has is a matter of `operation`.
#[derive(Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub(super) enum Step {
    Upsert(Written),
    Delete(Deleted),
}

impl Step {
    pub(super) fn operation(self) -> Result<StateOperation, String> {
        Ok(match self {
            Self::Upsert(written) => StateOperation::Upsert(written.item()?),
            Self::Delete(deleted) => StateOperation::Delete(deleted.key()),
        })
    }
}

pub(super) fn key_of(operation: &StateOperation) -> &str {
    match operation {
        StateOperation::Upsert(item) => &item.key,
        StateOperation::Delete(item) => &item.key,
    }
}

/// Dapr knows a value's media type as metadata.
pub(super) fn with_content_type(mut metadata: Metadata, content_type: Option<String>) -> Metadata {
    if let Some(content_type) = content_type {
        metadata.insert("contentType".to_owned(), content_type);
    }
    metadata
}

#[cfg(test)]
mod tests;
