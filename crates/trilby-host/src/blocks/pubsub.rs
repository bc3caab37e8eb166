//! `dapr_pubsub_v1`: publishing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trilby_dapr::messaging::{BulkEvent, Publish, PublishBulk};
use trilby_dapr::{Error, Metadata};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Imports};
use crate::options::METADATA;
use crate::records;

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_pubsub_v1");
    imports.add("publish", &["content-type", METADATA], publish)?;
    imports.add("publish_bulk", &["content-type", METADATA], publish_bulk)
}

async fn publish(ask: Ask, call: BodyCall<2>) -> Result<(), Error> {
    let BodyCall { names: [pubsub, topic], mut options, body: data } = call;
    ask.access.publish(&pubsub, &topic)?;
    let content_type = options.take("content-type");
    let request = Publish { pubsub, topic, data, content_type, metadata: options.metadata };
    ask.blocks.publish(&ask.cx, request).await
}

/// An event to publish.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Event {
    id: Option<String>,
    data: Option<String>,
    data_base64: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

/// An event that was not published.
#[derive(Serialize)]
struct Failed<'a> {
    id: &'a str,
    error: &'a str,
}

async fn publish_bulk(ask: Ask, call: BodyCall<2>) -> Result<Answer, Error> {
    let BodyCall { names: [pubsub, topic], mut options, body } = call;
    let events = events(&body, options.take("content-type").as_deref())?;
    ask.access.publish(&pubsub, &topic)?;
    let mut failed = Vec::new();
    if !events.is_empty() {
        let request = PublishBulk { pubsub, topic, events, metadata: options.metadata };
        failed = ask.blocks.publish_bulk(&ask.cx, request).await?;
    }
    let records = failed.iter().map(|event| Failed { id: &event.id, error: &event.error });
    Ok(Answer::new(Vec::new(), records::write(records)?))
}

fn events(body: &[u8], content_type: Option<&str>) -> Result<Vec<BulkEvent>, Error> {
    let mut ids = BTreeSet::new();
    records::read(body, |number, event: Event| {
        let id = event.id.unwrap_or_else(|| number.to_string());
        if !ids.insert(id.clone()) {
            return Err(format!("the id `{id}` is that of another record, too"));
        }
        Ok(BulkEvent {
            id,
            data: records::bytes("data", event.data, event.data_base64)?,
            content_type: event.content_type.or_else(|| content_type.map(str::to_owned)),
            metadata: event.metadata,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_ids_and_the_media_type_of_all() {
        let body =
            b"{\"data\":\"a\"}\n{\"id\":\"x\",\"data-base64\":\"Yg==\",\"content-type\":\"b\"}";
        let events = events(body, Some("text/plain")).expect("valid");
        let seen: Vec<_> = events
            .iter()
            .map(|event| (event.id.as_str(), &event.data[..], event.content_type.as_deref()))
            .collect();
        let expected = [("0", &b"a"[..], Some("text/plain")), ("x", &b"b"[..], Some("b"))];
        assert_eq!(seen, expected);
    }

    #[test]
    fn ids_are_unique() {
        let body = b"{\"id\":\"1\",\"data\":\"\"}\n{\"data\":\"\"}";
        let error = events(body, None).expect_err("twice");
        assert!(error.message.starts_with("record 2: the id `1`"), "{error}");
    }
}
