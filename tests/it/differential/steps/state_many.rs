//! Many items of state at once.

use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use trilby_dapr::proto::runtime::v1::{
    BulkStateItem, DeleteBulkStateRequest, ExecuteStateTransactionRequest, GetBulkStateRequest,
    QueryStateRequest, TransactionalStateOperation,
};

use super::state::Item;
use super::{Pairs, filled, object, query_of, quoted};
use crate::differential::case::Step;
use crate::differential::normal::{map, shown};
use crate::differential::session::{Body, Session, answered, told};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// Reads many items; their order means nothing.
pub(in crate::differential) struct BulkGet {
    store: &'static str,
    keys: Vec<&'static str>,
    parallelism: i32,
    metadata: Pairs,
}

pub(in crate::differential) fn bulk_get<const N: usize>(
    store: &'static str,
    keys: [&'static str; N],
) -> BulkGet {
    BulkGet { store, keys: keys.to_vec(), parallelism: 0, metadata: Pairs::new() }
}

impl BulkGet {
    pub(in crate::differential) fn parallelism(mut self, parallelism: i32) -> Self {
        self.parallelism = parallelism;
        self
    }

    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[async_trait]
impl Step for BulkGet {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let keys: Vec<_> = self.keys.iter().map(|key| quoted(&session.fill(key))).collect();
        let mut body = format!("{{\"keys\":[{}]", keys.join(","));
        if self.parallelism != 0 {
            body.push_str(&format!(",\"parallelism\":{}", self.parallelism));
        }
        body.push('}');
        let path = format!("/v1.0/state/{}/bulk{}", self.store, query_of(session, &self.metadata));
        let answer = session.send(Method::POST, &path, &JSON, body).await?;
        Ok(format!("bulk get: {}", etags_hidden(&told(&answer, Body::AnyOrder))))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = GetBulkStateRequest {
            store_name: self.store.to_owned(),
            keys: self.keys.iter().map(|key| session.fill(key)).collect(),
            parallelism: self.parallelism,
            metadata: filled(session, &self.metadata),
        };
        let answer = session.dapr().get_bulk_state(session.request(request)?).await;
        let text = answered(answer, |state| {
            let mut items: Vec<_> = state.items.iter().map(shown_item).collect();
            items.sort();
            items.join(" | ")
        });
        Ok(format!("bulk get: {text}"))
    }
}

fn shown_item(item: &BulkStateItem) -> String {
    let etag = if item.etag.is_empty() { "none" } else { "<etag>" };
    let (metadata, data) = (map(&item.metadata), shown(&item.data));
    format!("{:?} etag={etag} error={:?} metadata={metadata} {data}", item.key, item.error)
}

/// ETags within JSON: whatever is there.
fn etags_hidden(text: &str) -> String {
    match regex::Regex::new(r#""etag":"[^"]+""#) {
        Ok(pattern) => pattern.replace_all(text, "\"etag\":\"<etag>\"").into_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Deletes many items; gRPC only.
pub(in crate::differential) struct BulkDelete(&'static str, Vec<Item>);

pub(in crate::differential) fn bulk_delete<const N: usize>(
    store: &'static str,
    items: [Item; N],
) -> BulkDelete {
    BulkDelete(store, items.into())
}

#[async_trait]
impl Step for BulkDelete {
    async fn http(&self, _: &mut Session) -> Result<String> {
        anyhow::bail!("there is no such operation over HTTP")
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let states = self.1.iter().map(|item| item.message(session)).collect();
        let request = DeleteBulkStateRequest { store_name: self.0.to_owned(), states };
        let answer = session.dapr().delete_bulk_state(session.request(request)?).await;
        Ok(format!("bulk delete: {}", answered(answer, |()| String::new())))
    }
}

/// An operation of a transaction.
pub(in crate::differential) struct Operation(&'static str, Item);

pub(in crate::differential) fn upsert(item: Item) -> Operation {
    Operation("upsert", item)
}

pub(in crate::differential) fn remove(item: Item) -> Operation {
    Operation("delete", item)
}

impl Operation {
    /// An operation of another name.
    pub(in crate::differential) fn named(mut self, name: &'static str) -> Self {
        self.0 = name;
        self
    }
}

/// Runs a transaction.
pub(in crate::differential) struct Transact {
    store: &'static str,
    operations: Vec<Operation>,
    metadata: Pairs,
}

pub(in crate::differential) fn transact<const N: usize>(
    store: &'static str,
    operations: [Operation; N],
) -> Transact {
    Transact { store, operations: operations.into(), metadata: Pairs::new() }
}

impl Transact {
    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[async_trait]
impl Step for Transact {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let operations: Vec<_> = self
            .operations
            .iter()
            .map(|Operation(name, item)| {
                format!("{{\"operation\":{name:?},\"request\":{}}}", item.json(session))
            })
            .collect();
        let mut body = format!("{{\"operations\":[{}]", operations.join(","));
        if !self.metadata.is_empty() {
            body.push_str(&format!(",\"metadata\":{}", object(session, &self.metadata)));
        }
        body.push('}');
        let path = format!("/v1.0/state/{}/transaction", self.store);
        let answer = session.send(Method::POST, &path, &JSON, body).await?;
        Ok(format!("transact: {}", told(&answer, Body::Json)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let operations = self
            .operations
            .iter()
            .map(|Operation(name, item)| TransactionalStateOperation {
                operation_type: (*name).to_owned(),
                request: Some(item.message(session)),
            })
            .collect();
        let request = ExecuteStateTransactionRequest {
            store_name: self.store.to_owned(),
            operations,
            metadata: filled(session, &self.metadata),
        };
        let answer = session.dapr().execute_state_transaction(session.request(request)?).await;
        Ok(format!("transact: {}", answered(answer, |()| String::new())))
    }
}

/// Asks a query.
pub(in crate::differential) struct Query(&'static str, &'static str);

pub(in crate::differential) fn query(store: &'static str, query: &'static str) -> Query {
    Query(store, query)
}

#[async_trait]
impl Step for Query {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0-alpha1/state/{}/query", self.0);
        let answer = session.send(Method::POST, &path, &JSON, self.1).await?;
        Ok(format!("query: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = QueryStateRequest {
            store_name: self.0.to_owned(),
            query: self.1.to_owned(),
            ..QueryStateRequest::default()
        };
        let answer = session.dapr().query_state_alpha1(session.request(request)?).await;
        let text = answered(answer, |found| {
            let mut keys: Vec<_> = found.results.into_iter().map(|item| item.key).collect();
            keys.sort();
            format!("{keys:?} token={:?}", found.token)
        });
        Ok(format!("query: {text}"))
    }
}
