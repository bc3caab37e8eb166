//! The block `dapr_pubsub_v1`. See the crate's documentation for the operations.

use std::collections::BTreeMap;
use std::time::Duration;

use dapr_probe::{Answer, Arguments, Outcome, Query, either, record, run};
use serde::Deserialize;
use serde_json::json;
use trilby_guest::pubsub::{Message, Publish, PublishBulk};
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("pubsub", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "publish" => publish(query),
        "publish_bulk" => publish_bulk(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, body, .. } = with;
    Some(match name {
        "publish" => raw::pubsub_publish(a, b, options, body),
        "publish_bulk" => raw::pubsub_publish_bulk(a, b, options, body),
        _ => return None,
    })
}

macro_rules! options {
    ($call:expr, $query:expr) => {{
        let mut call = $call;
        if let Some(media_type) = $query.get("content-type") {
            call = call.content_type(media_type);
        }
        if let Some(seconds) = $query.parse("ttl")? {
            call = call.ttl(Duration::from_secs(seconds));
        }
        if $query.get("raw") == Some("true") {
            call = call.raw_payload();
        }
        for (name, value) in $query.metadata() {
            call = call.metadata(name, value);
        }
        call
    }};
}

fn publish(query: &Query) -> Outcome {
    let call = Publish::new(query.need("pubsub")?, query.need("topic")?, query.body());
    Ok(options!(call, query).send()?.into())
}

/// A record that the test sends.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Event {
    id: Option<String>,
    data: Option<String>,
    data_base64: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

fn publish_bulk(query: &Query) -> Outcome {
    let call = PublishBulk::new(query.need("pubsub")?, query.need("topic")?);
    let mut call = options!(call, query);
    for event in record::<Event>(query.text()?)? {
        let mut message = Message::new(either(event.data, event.data_base64)?);
        if let Some(id) = &event.id {
            message = message.id(id);
        }
        if let Some(media_type) = &event.content_type {
            message = message.content_type(media_type);
        }
        for (name, value) in &event.metadata {
            message = message.metadata(name, value);
        }
        call = call.message(message);
    }
    let failures = call.send()?;
    Ok(Answer::lines(failures.iter().map(|failed| json!({"id": failed.id, "error": failed.error}))))
}
