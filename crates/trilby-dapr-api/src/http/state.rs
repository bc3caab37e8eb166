//! State over HTTP. Values are JSON text.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tonic::body::Body;
use trilby_dapr::state::{
    BulkStateItem, Concurrency, Consistency, DeleteState, GetState, GetStates, QueryState,
    SaveState, StateItem, StateKey, StateOperation, TransactState,
};
use trilby_dapr::{Code, Error, Metadata};

use super::asked::{Answered, Asked, OrTell as _, body_json, json, malformed};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

/// One key to write or to delete.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    key: String,
    value: Option<Box<RawValue>>,
    etag: Option<String>,
    metadata: Option<Metadata>,
    options: Option<Options>,
}

#[derive(Deserialize, Default)]
struct Options {
    concurrency: Option<String>,
    consistency: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Option<Vec<String>>,
    parallelism: Option<i64>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Transaction {
    operations: Option<Vec<Operation>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    operation: String,
    request: Option<Box<RawValue>>,
}

/// One key that was read.
#[derive(Serialize)]
struct Found<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct QueryFound<'a> {
    results: Vec<Found<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
}

pub(super) async fn get(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::State, asked.param(0)).named(asked.param(1));
    let request = GetState {
        store: asked.param(0).to_owned(),
        key: asked.param(1).to_owned(),
        consistency: match asked.first("consistency").as_deref() {
            Some("strong") => Consistency::Strong,
            Some("eventual") => Consistency::Eventual,
            _ => Consistency::Unspecified,
        },
        metadata: asked.metadata(),
    };
    let found = shared.backend.blocks.get_state(&asked.cx, request).await;
    let found = found.or_tell(&shared, &about)?;
    // A key that is there has an etag, whatever it holds.
    if found.data.is_empty() && found.etag.is_none() {
        return Ok(reply::empty());
    }
    let mut response = reply::json(StatusCode::OK, found.data);
    reply::add_metadata(&mut response, &found.metadata);
    if let Some(etag) = found.etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

pub(super) async fn get_many(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::State, asked.param(0));
    let (cx, store, metadata) = (asked.cx.clone(), asked.param(0).to_owned(), asked.metadata());
    let body = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let keys: Keys = body_json(&body).or_tell(&shared, &about)?;
    let wanted = keys.keys.unwrap_or_default();
    let about = about.named(suspicious(wanted.iter().map(String::as_str)));
    let request = GetStates {
        store,
        keys: wanted,
        parallelism: u16::try_from(keys.parallelism.unwrap_or(0).max(0)).unwrap_or(u16::MAX),
        metadata: merged(keys.metadata, &metadata),
    };
    let found = shared.backend.blocks.get_states(&cx, request).await.or_tell(&shared, &about)?;
    Ok(listed(&found.iter().map(told).collect::<Vec<_>>()))
}

pub(super) async fn save(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::State, asked.param(0));
    let (cx, store, metadata) = (asked.cx.clone(), asked.param(0).to_owned(), asked.metadata());
    // daprd's decoder meets the limit while it reads.
    let body = asked.bytes(&shared).await.map_err(|error| match error.reason.as_ref() {
        "ERR_BODY_READ" if error.message.ends_with("stream too large") => {
            malformed("stream too large")
        }
        _ => error,
    });
    let body = body.or_tell(&shared, &about)?;
    let items: Option<Vec<Item>> =
        json(&body).map_err(|why| malformed(&why)).or_tell(&shared, &about)?;
    let items = items.unwrap_or_default();
    let about = about.named(suspicious(items.iter().map(|item| item.key.as_str())));
    if items.iter().any(|item| item.key.is_empty()) {
        return Err(malformed(r#""key" is a required field"#)).or_tell(&shared, &about);
    }
    let items = items.into_iter().map(|item| item.written(&metadata, true, &store));
    let items = items.collect::<Result<Vec<StateItem>, Error>>().or_tell(&shared, &about)?;
    let request = SaveState { store, items };
    shared.backend.blocks.save_state(&cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

pub(super) async fn delete(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::State, asked.param(0)).named(asked.param(1));
    let key = asked.param(1).to_owned();
    let refused = |why: &str| {
        failed("ERR_STATE_DELETE", &format!("failed deleting state with key {key}: {why}"))
    };
    let concurrency = concurrency(asked.first("concurrency").as_deref());
    let consistency = consistency(asked.first("consistency").as_deref());
    let request = DeleteState {
        store: asked.param(0).to_owned(),
        key: key.clone(),
        etag: asked.headers().get(header::IF_MATCH).map(|_| asked.header("if-match").to_owned()),
        concurrency: concurrency.map_err(|why| refused(&why)).or_tell(&shared, &about)?,
        consistency: consistency.map_err(|why| refused(&why)).or_tell(&shared, &about)?,
        metadata: asked.metadata(),
    };
    shared.backend.blocks.delete_state(&asked.cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

pub(super) async fn transact(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::State, asked.param(0));
    let (cx, store, metadata) = (asked.cx.clone(), asked.param(0).to_owned(), asked.metadata());
    let body = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let wanted: Transaction = body_json(&body).or_tell(&shared, &about)?;
    let operations = wanted.operations.unwrap_or_default();
    if operations.is_empty() {
        return Ok(reply::empty());
    }
    let mut steps = Vec::with_capacity(operations.len());
    for operation in operations {
        steps.push(operation.step(&metadata, &store).or_tell(&shared, &about)?);
    }
    let metadata = merged(wanted.metadata, &metadata);
    let request = TransactState { store, operations: steps, metadata };
    shared.backend.blocks.transact_state(&cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

pub(super) async fn query(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::State, asked.param(0));
    let (cx, store, metadata) = (asked.cx.clone(), asked.param(0).to_owned(), asked.metadata());
    let body = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let query = String::from_utf8(body.into())
        .map_err(|_| malformed("the query is not UTF-8"))
        .or_tell(&shared, &about)?;
    let request = QueryState { store, query, metadata };
    let found = shared.backend.blocks.query_state(&cx, request).await.or_tell(&shared, &about)?;
    if found.items.is_empty() {
        return Ok(reply::empty());
    }
    let (token, metadata) = (found.token.as_deref(), &found.metadata);
    let results = found.items.iter().map(told).collect();
    Ok(listed(&QueryFound { results, token, metadata }))
}

impl Item {
    /// The key as it is to be written. A save looks at the type of the content, and over HTTP that
    /// is always JSON.
    fn written(self, of_all: &Metadata, is_save: bool, store: &str) -> Result<StateItem, Error> {
        let reason = if is_save { "ERR_STATE_SAVE" } else { "ERR_STATE_TRANSACTION" };
        let text = |why: String| {
            failed(reason, &format!("failed saving state in state store {store}: {why}"))
        };
        let options = self.options.unwrap_or_default();
        let mut metadata = merged(self.metadata, of_all);
        if is_save {
            metadata.insert("contentType".to_owned(), "application/json".to_owned());
        }
        let value = self.value.map_or_else(|| "null".into(), |value| value.get().to_owned());
        Ok(StateItem {
            key: self.key,
            value: Bytes::from(value),
            etag: self.etag,
            metadata,
            concurrency: concurrency(options.concurrency.as_deref()).map_err(text)?,
            consistency: consistency(options.consistency.as_deref()).map_err(text)?,
        })
    }
}

impl Operation {
    fn step(self, of_all: &Metadata, store: &str) -> Result<StateOperation, Error> {
        let item = || {
            let json = self.request.as_deref().map_or("{}", RawValue::get);
            body_json::<Item>(json.as_bytes())
        };
        match self.operation.as_str() {
            "upsert" => Ok(StateOperation::Upsert(item()?.written(of_all, false, store)?)),
            "delete" => {
                let StateItem { key, etag, metadata, concurrency, consistency, .. } =
                    item()?.written(of_all, false, store)?;
                let key = StateKey { key, etag, concurrency, consistency, metadata };
                Ok(StateOperation::Delete(key))
            }
            other => {
                let text = format!("operation type {other} not supported");
                Err(Error::new(Code::InvalidArgument, text)
                    .with_reason("ERR_NOT_SUPPORTED_STATE_OPERATION"))
            }
        }
    }
}

/// The key that an error about a key means: the first that daprd refuses.
fn suspicious<'a>(keys: impl Iterator<Item = &'a str>) -> &'a str {
    crate::grpc::suspicious(keys)
}

/// Metadata of an item, over which that of the query stands.
fn merged(own: Option<Metadata>, of_all: &Metadata) -> Metadata {
    let mut metadata = own.unwrap_or_default();
    metadata.extend(of_all.clone());
    metadata
}

fn concurrency(text: Option<&str>) -> Result<Concurrency, String> {
    match text.unwrap_or_default() {
        "" => Ok(Concurrency::Unspecified),
        "first-write" => Ok(Concurrency::FirstWrite),
        "last-write" => Ok(Concurrency::LastWrite),
        other => Err(format!("unrecognized concurrency model '{other}'")),
    }
}

fn consistency(text: Option<&str>) -> Result<Consistency, String> {
    match text.unwrap_or_default() {
        "" => Ok(Consistency::Unspecified),
        "eventual" => Ok(Consistency::Eventual),
        "strong" => Ok(Consistency::Strong),
        other => Err(format!("unrecognized consistency model '{other}'")),
    }
}

fn failed(reason: &'static str, message: &str) -> Error {
    Error::new(Code::Internal, message).with_reason(reason)
}

/// A key as JSON. A value that is no JSON, such as one that was written over gRPC, cannot be in it.
fn told(item: &BulkStateItem) -> Found<'_> {
    let data = (!item.data.is_empty()).then(|| serde_json::from_slice::<&RawValue>(&item.data));
    let not_json = "the value is not JSON; read it by itself, or over gRPC";
    let (data, error) = match data.transpose() {
        Ok(data) => (data, item.error.as_deref()),
        Err(_) => (None, Some(not_json)),
    };
    let (etag, metadata) = (item.etag.as_deref(), &item.metadata);
    Found { key: &item.key, data, etag, metadata, error }
}

fn listed(found: &impl Serialize) -> Response<Body> {
    // What is JSON already, and texts, always become JSON.
    reply::json(StatusCode::OK, serde_json::to_vec(found).unwrap_or_default())
}
