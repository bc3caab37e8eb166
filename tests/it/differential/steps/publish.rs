//! Publishing.

use anyhow::Result;
use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Method;
use trilby_dapr::proto::runtime::v1::{
    BulkPublishRequest, BulkPublishRequestEntry, PublishEventRequest,
};

use super::{Pairs, encoded, filled, object, query_of, quoted};
use crate::differential::case::Step;
use crate::differential::session::{Body, Session, answered, told};

/// Publishes one event.
pub(in crate::differential) struct Publish {
    pubsub: &'static str,
    topic: &'static str,
    data: Bytes,
    content_type: Option<&'static str>,
    metadata: Pairs,
}

pub(in crate::differential) fn publish(
    pubsub: &'static str,
    topic: &'static str,
    data: impl Into<Bytes>,
) -> Publish {
    let data = data.into();
    Publish { pubsub, topic, data, content_type: None, metadata: Pairs::new() }
}

impl Publish {
    pub(in crate::differential) fn typed(mut self, content_type: &'static str) -> Self {
        self.content_type = Some(content_type);
        self
    }

    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[async_trait]
impl Step for Publish {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let topic = encoded(&session.fill(self.topic));
        let query = query_of(session, &self.metadata);
        let path = format!("/v1.0/publish/{}/{topic}{query}", self.pubsub);
        let headers: Vec<_> =
            self.content_type.iter().map(|value| ("content-type", *value)).collect();
        let data = session.fill_bytes(&self.data);
        let answer = session.send(Method::POST, &path, &headers, data).await?;
        Ok(format!("publish: {}", told(&answer, Body::Json)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = PublishEventRequest {
            pubsub_name: self.pubsub.to_owned(),
            topic: session.fill(self.topic),
            data: session.fill_bytes(&self.data),
            data_content_type: self.content_type.unwrap_or_default().to_owned(),
            metadata: filled(session, &self.metadata),
        };
        let answer = session.dapr().publish_event(session.request(request)?).await;
        Ok(format!("publish: {}", answered(answer, |()| String::new())))
    }
}

/// One of many events.
#[derive(Clone)]
pub(in crate::differential) struct Entry {
    id: &'static str,
    event: Bytes,
    content_type: &'static str,
    metadata: Pairs,
}

pub(in crate::differential) fn entry(
    id: &'static str,
    event: impl Into<Bytes>,
    content_type: &'static str,
) -> Entry {
    Entry { id, event: event.into(), content_type, metadata: Pairs::new() }
}

impl Entry {
    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }

    fn json(&self, session: &Session) -> String {
        let event = session.fill_bytes(&self.event);
        let is_json = self.content_type.contains("json");
        let event = match std::str::from_utf8(&event) {
            Ok(text) if is_json => text.to_owned(),
            Ok(text) => quoted(text),
            Err(_) => quoted(&BASE64_STANDARD.encode(&event)),
        };
        format!(
            "{{\"entryId\":{},\"event\":{event},\"contentType\":{},\"metadata\":{}}}",
            quoted(self.id),
            quoted(self.content_type),
            object(session, &self.metadata)
        )
    }
}

/// Publishes many events at once.
pub(in crate::differential) struct PublishMany {
    pubsub: &'static str,
    topic: &'static str,
    entries: Vec<Entry>,
    metadata: Pairs,
}

pub(in crate::differential) fn publish_many<const N: usize>(
    pubsub: &'static str,
    topic: &'static str,
    entries: [Entry; N],
) -> PublishMany {
    PublishMany { pubsub, topic, entries: entries.into(), metadata: Pairs::new() }
}

impl PublishMany {
    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[async_trait]
impl Step for PublishMany {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let entries: Vec<_> = self.entries.iter().map(|entry| entry.json(session)).collect();
        let topic = encoded(&session.fill(self.topic));
        let query = query_of(session, &self.metadata);
        let path = format!("/v1.0/publish/bulk/{}/{topic}{query}", self.pubsub);
        let headers = [("content-type", "application/json")];
        let body = format!("[{}]", entries.join(","));
        let answer = session.send(Method::POST, &path, &headers, body).await?;
        Ok(format!("publish many: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let entries = self.entries.iter().map(|entry| BulkPublishRequestEntry {
            entry_id: entry.id.to_owned(),
            event: session.fill_bytes(&entry.event),
            content_type: entry.content_type.to_owned(),
            metadata: filled(session, &entry.metadata),
        });
        let request = BulkPublishRequest {
            pubsub_name: self.pubsub.to_owned(),
            topic: session.fill(self.topic),
            entries: entries.collect(),
            metadata: filled(session, &self.metadata),
        };
        let answer = session.dapr().bulk_publish_event(session.request(request)?).await;
        let text = answered(answer, |published| {
            let failed = published.failed_entries.iter();
            let mut failed: Vec<_> =
                failed.map(|entry| format!("{}: {}", entry.entry_id, entry.error)).collect();
            failed.sort();
            failed.join(" | ")
        });
        Ok(format!("publish many: {text}"))
    }
}
