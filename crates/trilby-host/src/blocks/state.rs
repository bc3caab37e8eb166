//! `dapr_state_v1`: keys and values.

use bytes::Bytes;
use trilby_dapr::Error;
use trilby_dapr::state::{
    DeleteState, DeleteStates, GetState, GetStates, QueryState, SaveState, StateItem, TransactState,
};
use trilby_sandbox::State;
use wasmtime::Linker;

use super::metadata_headers;
use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Call, Imports};
use crate::options::METADATA;
use crate::records;

mod items;

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::of(linker, "dapr_state_v1");
    imports.add("get", &["consistency", METADATA], get)?;
    let options = &["etag", "consistency", "concurrency", "content-type", METADATA];
    imports.add("set", options, set)?;
    imports.add("delete", &["etag", "consistency", "concurrency", METADATA], delete)?;
    imports.add("get_bulk", &["parallelism", METADATA], get_bulk)?;
    imports.add("set_bulk", &[], set_bulk)?;
    imports.add("delete_bulk", &[], delete_bulk)?;
    imports.add("transact", &[METADATA], transact)?;
    imports.add("query", &[METADATA], query)
}

async fn get(ask: Ask, call: Call<2>) -> Result<Answer, Error> {
    let Call { names: [store, key], mut options } = call;
    let consistency = options.consistency()?;
    ask.access.state_read(&store, &key)?;
    let request = GetState { store, key, consistency, metadata: options.metadata };
    let value = ask.blocks.get_state(&ask.cx, request).await?;
    let mut headers = metadata_headers(value.metadata);
    headers.extend(value.etag.map(|etag| ("etag".to_owned(), etag)));
    Ok(Answer::new(headers, value.data))
}

async fn set(ask: Ask, call: BodyCall<2>) -> Result<(), Error> {
    let BodyCall { names: [store, key], mut options, body: value } = call;
    let (etag, consistency) = (options.etag(), options.consistency()?);
    let concurrency = options.concurrency()?;
    ask.access.state_write(&store, &key)?;
    let content_type = options.take("content-type");
    let metadata = items::with_content_type(options.metadata, content_type);
    let item = StateItem { key, value, etag, metadata, concurrency, consistency };
    ask.blocks.save_state(&ask.cx, SaveState { store, items: vec![item] }).await
}

async fn delete(ask: Ask, call: Call<2>) -> Result<(), Error> {
    let Call { names: [store, key], mut options } = call;
    let (etag, consistency) = (options.etag(), options.consistency()?);
    let concurrency = options.concurrency()?;
    ask.access.state_write(&store, &key)?;
    let metadata = options.metadata;
    let request = DeleteState { store, key, etag, concurrency, consistency, metadata };
    ask.blocks.delete_state(&ask.cx, request).await
}

async fn get_bulk(ask: Ask, call: BodyCall<1>) -> Result<Answer, Error> {
    let BodyCall { names: [store], mut options, body } = call;
    let parallelism = options.number("parallelism", "a whole number up to 65535")?.unwrap_or(0);
    let keys = records::read(&body, |_, record: items::Asked| Ok(record.key))?;
    for key in &keys {
        ask.access.state_read(&store, key)?;
    }
    if keys.is_empty() {
        return Ok(Answer::new(Vec::new(), Bytes::new()));
    }
    let request = GetStates { store, keys, parallelism, metadata: options.metadata };
    let found = ask.blocks.get_states(&ask.cx, request).await?;
    let body = records::write(found.iter().map(items::Found::of))?;
    Ok(Answer::new(Vec::new(), body))
}

async fn set_bulk(ask: Ask, call: BodyCall<1>) -> Result<(), Error> {
    let BodyCall { names: [store], body, .. } = call;
    let items = records::read(&body, |_, record: items::Written| record.item())?;
    for item in &items {
        ask.access.state_write(&store, &item.key)?;
    }
    if items.is_empty() {
        return Ok(());
    }
    ask.blocks.save_state(&ask.cx, SaveState { store, items }).await
}

async fn delete_bulk(ask: Ask, call: BodyCall<1>) -> Result<(), Error> {
    let BodyCall { names: [store], body, .. } = call;
    let keys = records::read(&body, |_, record: items::Deleted| Ok(record.key()))?;
    for item in &keys {
        ask.access.state_write(&store, &item.key)?;
    }
    if keys.is_empty() {
        return Ok(());
    }
    ask.blocks.delete_states(&ask.cx, DeleteStates { store, keys }).await
}

async fn transact(ask: Ask, call: BodyCall<1>) -> Result<(), Error> {
    let BodyCall { names: [store], options, body } = call;
    let operations = records::read(&body, |_, record: items::Step| record.operation())?;
    for operation in &operations {
        ask.access.state_write(&store, items::key_of(operation))?;
    }
    if operations.is_empty() {
        return Ok(());
    }
    let request = TransactState { store, operations, metadata: options.metadata };
    ask.blocks.transact_state(&ask.cx, request).await
}

async fn query(ask: Ask, call: BodyCall<1>) -> Result<Answer, Error> {
    let BodyCall { names: [store], options, body } = call;
    ask.access.state_query(&store)?;
    let query = String::from_utf8(body.into())
        .map_err(|_| Error::invalid("the query is not UTF-8; it is JSON text"))?;
    let request = QueryState { store, query, metadata: options.metadata };
    let reply = ask.blocks.query_state(&ask.cx, request).await?;
    let mut headers = metadata_headers(reply.metadata);
    headers.extend(reply.token.map(|token| ("token".to_owned(), token)));
    let body = records::write(reply.items.iter().map(items::Found::of))?;
    Ok(Answer::new(headers, body))
}
