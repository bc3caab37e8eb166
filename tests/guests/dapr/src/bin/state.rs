//! The block `dapr_state_v1`. See the crate's documentation for the operations.

use std::collections::BTreeMap;
use std::time::Duration;

use dapr_probe::{Answer, Arguments, Failure, Outcome, Query, bytes_field, either, record, run};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use trilby_guest::raw;
use trilby_guest::state::{
    self, Concurrency, Consistency, Delete, Entry, Get, GetBulk, Remove, Set, Transaction, Upsert,
};

fn main() -> std::io::Result<()> {
    run("state", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "get" => get(query),
        "set" => set(query),
        "delete" => delete(query),
        "get_bulk" => get_bulk(query),
        "set_bulk" => set_bulk(query),
        "delete_bulk" => delete_bulk(query),
        "transact" => transact(query),
        "query" => search(query),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, b, options, body, .. } = with;
    Some(match name {
        "get" => raw::state_get(a, b, options),
        "set" => raw::state_set(a, b, options, body),
        "delete" => raw::state_delete(a, b, options),
        "get_bulk" => raw::state_get_bulk(a, options, body),
        "set_bulk" => raw::state_set_bulk(a, options, body),
        "delete_bulk" => raw::state_delete_bulk(a, options, body),
        "transact" => raw::state_transact(a, options, body),
        "query" => raw::state_query(a, options, body),
        _ => return None,
    })
}

fn consistency(name: &str) -> Result<Consistency, Failure> {
    match name {
        "eventual" => Ok(Consistency::Eventual),
        "strong" => Ok(Consistency::Strong),
        _ => Err(Failure::asked("consistency is `eventual` or `strong`")),
    }
}

fn concurrency(name: &str) -> Result<Concurrency, Failure> {
    match name {
        "first-write" => Ok(Concurrency::FirstWrite),
        "last-write" => Ok(Concurrency::LastWrite),
        _ => Err(Failure::asked("concurrency is `first-write` or `last-write`")),
    }
}

fn get(query: &Query) -> Outcome {
    let mut call = Get::new(query.need("store")?, query.need("key")?);
    if let Some(name) = query.get("consistency") {
        call = call.consistency(consistency(name)?);
    }
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    let value = call.send()?;
    Ok(Answer::from(value.data).maybe("etag", value.etag).all("metadata.", &value.metadata))
}

/// Sets the options that `set` and `delete` share with their records.
macro_rules! change {
    ($call:expr, $consistency:expr, $concurrency:expr, $etag:expr, $metadata:expr) => {{
        let mut call = $call;
        if let Some(name) = $consistency {
            call = call.consistency(consistency(name)?);
        }
        if let Some(name) = $concurrency {
            call = call.concurrency(concurrency(name)?);
        }
        if let Some(etag) = $etag {
            call = call.etag(etag);
        }
        for (name, value) in $metadata {
            call = call.metadata(name, value);
        }
        call
    }};
    ($call:expr, $query:expr) => {
        change!(
            $call,
            $query.get("consistency"),
            $query.get("concurrency"),
            $query.get("etag"),
            $query.metadata()
        )
    };
}

fn set(query: &Query) -> Outcome {
    let call = Set::new(query.need("store")?, query.need("key")?, query.body());
    let mut call = change!(call, query);
    if let Some(media_type) = query.get("content-type") {
        call = call.content_type(media_type);
    }
    if let Some(seconds) = query.parse("ttl")? {
        call = call.ttl(Duration::from_secs(seconds));
    }
    Ok(call.send()?.into())
}

fn delete(query: &Query) -> Outcome {
    let call = Delete::new(query.need("store")?, query.need("key")?);
    Ok(change!(call, query).send()?.into())
}

/// A record that the test sends.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Change {
    operation: Option<String>,
    key: String,
    value: Option<String>,
    value_base64: Option<String>,
    etag: Option<String>,
    concurrency: Option<String>,
    consistency: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

impl Change {
    fn upsert(self) -> Result<Upsert, Failure> {
        let write = Upsert::new(&self.key, either(self.value, self.value_base64)?);
        let write = change!(
            write,
            self.consistency.as_deref(),
            self.concurrency.as_deref(),
            self.etag.as_deref(),
            &self.metadata
        );
        Ok(match &self.content_type {
            Some(media_type) => write.content_type(media_type),
            None => write,
        })
    }

    fn remove(self) -> Result<Remove, Failure> {
        Ok(change!(
            Remove::new(&self.key),
            self.consistency.as_deref(),
            self.concurrency.as_deref(),
            self.etag.as_deref(),
            &self.metadata
        ))
    }
}

fn shown(entry: &Entry) -> Value {
    let mut shown = Map::new();
    shown.insert("key".to_owned(), entry.key.clone().into());
    if let Some(etag) = &entry.value.etag {
        shown.insert("etag".to_owned(), etag.clone().into());
    }
    if entry.value.etag.is_some() || !entry.value.data.is_empty() {
        bytes_field(&mut shown, "value", &entry.value.data);
    }
    if let Some(error) = &entry.error {
        shown.insert("error".to_owned(), error.clone().into());
    }
    if !entry.value.metadata.is_empty() {
        let metadata: BTreeMap<_, _> = entry.value.metadata.iter().cloned().collect();
        shown.insert("metadata".to_owned(), json!(metadata));
    }
    shown.into()
}

fn get_bulk(query: &Query) -> Outcome {
    let keys: Vec<Change> = record(query.text()?)?;
    let mut call = GetBulk::new(query.need("store")?).keys(keys.iter().map(|asked| &asked.key));
    if let Some(count) = query.parse("parallelism")? {
        call = call.parallelism(count);
    }
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    Ok(Answer::lines(call.send()?.iter().map(shown)))
}

fn set_bulk(query: &Query) -> Outcome {
    let changes: Vec<Change> = record(query.text()?)?;
    let writes = changes.into_iter().map(Change::upsert).collect::<Result<Vec<_>, _>>()?;
    Ok(state::set_bulk(query.need("store")?, writes)?.into())
}

fn delete_bulk(query: &Query) -> Outcome {
    let changes: Vec<Change> = record(query.text()?)?;
    let removals = changes.into_iter().map(Change::remove).collect::<Result<Vec<_>, _>>()?;
    Ok(state::delete_bulk(query.need("store")?, removals)?.into())
}

fn transact(query: &Query) -> Outcome {
    let mut transaction = Transaction::new(query.need("store")?);
    for (name, value) in query.metadata() {
        transaction = transaction.metadata(name, value);
    }
    for change in record::<Change>(query.text()?)? {
        transaction = match change.operation.as_deref() {
            Some("upsert") => transaction.upsert(change.upsert()?),
            Some("delete") => transaction.delete(change.remove()?),
            _ => return Err(Failure::asked("operation is `upsert` or `delete`")),
        };
    }
    Ok(transaction.commit()?.into())
}

fn search(query: &Query) -> Outcome {
    let mut call = state::Query::new(query.need("store")?, query.text()?);
    for (name, value) in query.metadata() {
        call = call.metadata(name, value);
    }
    let page = call.send()?;
    Ok(Answer::lines(page.entries.iter().map(shown)).maybe("token", page.token))
}
