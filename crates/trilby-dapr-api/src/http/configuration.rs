//! Configuration over HTTP. Changes are told to the app, not to the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use trilby_dapr::Metadata;
use trilby_dapr::configuration::GetConfiguration;

use super::asked::{Answered, Asked, OrTell as _};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};
use crate::watches::check_store;

#[derive(Serialize)]
struct Item<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    value: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
}

pub(super) async fn get(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Configuration, asked.param(0));
    let request = GetConfiguration {
        store: asked.param(0).to_owned(),
        keys: asked.all("key"),
        metadata: asked.metadata(),
    };
    let items = shared.backend.blocks.get_configuration(&asked.cx, request).await;
    let items = items.or_tell(&shared, &about)?;
    if items.is_empty() {
        return Ok(reply::empty());
    }
    let items: BTreeMap<&str, Item<'_>> = items
        .iter()
        .map(|(key, item)| {
            let (value, version) = (item.value.as_str(), item.version.as_str());
            (key.as_str(), Item { value, version, metadata: &item.metadata })
        })
        .collect();
    // Texts always become JSON.
    Ok(reply::json(StatusCode::OK, serde_json::to_vec(&items).unwrap_or_default()))
}

pub(super) async fn subscribe(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Configuration, asked.param(0));
    let (store, keys) = (asked.param(0), asked.all("key"));
    let opened = shared.watches.deliver(&shared, &asked.cx, store, &keys).await;
    let id = opened.or_tell(&shared, &about)?;
    Ok(reply::json(StatusCode::OK, json!({ "id": id }).to_string()))
}

pub(super) async fn unsubscribe(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Configuration, asked.param(0));
    check_store(&shared, &asked.cx, asked.param(0)).await.or_tell(&shared, &about)?;
    let id = asked.param(1);
    let (status, body) = if shared.watches.end(id) {
        (StatusCode::OK, json!({ "ok": true }))
    } else {
        let message = format!(
            "failed to unsubscribe to configuration request {id}: subscription with id {id} does \
             not exist"
        );
        (StatusCode::INTERNAL_SERVER_ERROR, json!({ "message": message }))
    };
    Ok(reply::json(status, body.to_string()))
}
