//! One item of state.

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use trilby_dapr::proto::common::v1::{Etag, StateItem, StateOptions};
use trilby_dapr::proto::runtime::v1::{DeleteStateRequest, GetStateRequest, SaveStateRequest};
use trilby_testkit::until;

use super::{Pairs, encoded, filled, object, query_of, quoted};
use crate::differential::case::Step;
use crate::differential::normal::{map, shown};
use crate::differential::session::{Body, Session, answered, told};

/// An item to write, or to delete.
#[derive(Clone, Debug, Default)]
pub(in crate::differential) struct Item {
    pub(super) key: String,
    /// JSON over HTTP, any bytes over gRPC.
    pub(super) value: Bytes,
    pub(super) etag: Option<String>,
    pub(super) metadata: Pairs,
    concurrency: &'static str,
    consistency: &'static str,
}

pub(in crate::differential) fn item(key: &str, value: impl Into<Bytes>) -> Item {
    Item { key: key.to_owned(), value: value.into(), ..Item::default() }
}

impl Item {
    /// `@name` is what [`Get::keep`] kept.
    pub(in crate::differential) fn etag(mut self, etag: &str) -> Self {
        self.etag = Some(etag.to_owned());
        self
    }

    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(in crate::differential) fn first_write(self) -> Self {
        self.concurrency("first-write")
    }

    pub(in crate::differential) fn concurrency(mut self, model: &'static str) -> Self {
        self.concurrency = model;
        self
    }

    pub(in crate::differential) fn consistency(mut self, model: &'static str) -> Self {
        self.consistency = model;
        self
    }

    pub(super) fn json(&self, session: &Session) -> String {
        let value = session.fill_bytes(&self.value);
        let mut members = vec![format!("\"key\":{}", quoted(&session.fill(&self.key)))];
        if !value.is_empty() {
            members.push(format!("\"value\":{}", String::from_utf8_lossy(&value)));
        }
        if let Some(etag) = &self.etag {
            members.push(format!("\"etag\":{}", quoted(&session.fill(etag))));
        }
        if !self.metadata.is_empty() {
            members.push(format!("\"metadata\":{}", object(session, &self.metadata)));
        }
        let models = [("concurrency", self.concurrency), ("consistency", self.consistency)];
        let models: Vec<_> = models
            .iter()
            .filter(|(_, model)| !model.is_empty())
            .map(|(name, model)| format!("{name:?}:{model:?}"))
            .collect();
        if !models.is_empty() {
            members.push(format!("\"options\":{{{}}}", models.join(",")));
        }
        format!("{{{}}}", members.join(","))
    }

    pub(super) fn message(&self, session: &Session) -> StateItem {
        StateItem {
            key: session.fill(&self.key),
            value: session.fill_bytes(&self.value),
            etag: self.etag.as_ref().map(|etag| Etag { value: session.fill(etag) }),
            metadata: filled(session, &self.metadata),
            options: self.options(),
        }
    }

    fn options(&self) -> Option<StateOptions> {
        let concurrency = match self.concurrency {
            "first-write" => 1,
            "last-write" => 2,
            _ => 0,
        };
        let consistency = consistency(self.consistency);
        let is_plain = concurrency == 0 && consistency == 0;
        (!is_plain).then_some(StateOptions { concurrency, consistency })
    }
}

fn consistency(model: &str) -> i32 {
    match model {
        "eventual" => 1,
        "strong" => 2,
        _ => 0,
    }
}

/// Writes items.
pub(in crate::differential) struct Save(&'static str, Vec<Item>);

pub(in crate::differential) fn save(
    store: &'static str,
    items: impl IntoIterator<Item = Item>,
) -> Save {
    Save(store, items.into_iter().collect())
}

#[async_trait]
impl Step for Save {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let items: Vec<_> = self.1.iter().map(|item| item.json(session)).collect();
        let body = format!("[{}]", items.join(","));
        let path = format!("/v1.0/state/{}", self.0);
        let headers = [("content-type", "application/json")];
        let answer = session.send(Method::POST, &path, &headers, body).await?;
        Ok(format!("save: {}", told(&answer, Body::Exact)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let states = self.1.iter().map(|item| item.message(session)).collect();
        let request = SaveStateRequest { store_name: self.0.to_owned(), states };
        let answer = session.dapr().save_state(session.request(request)?).await;
        Ok(format!("save: {}", answered(answer, |()| String::new())))
    }
}

/// Reads an item.
pub(in crate::differential) struct Get {
    store: &'static str,
    key: &'static str,
    consistency: &'static str,
    metadata: Pairs,
    keep: Option<&'static str>,
}

pub(in crate::differential) fn get(store: &'static str, key: &'static str) -> Get {
    Get { store, key, consistency: "", metadata: Pairs::new(), keep: None }
}

impl Get {
    /// Keeps the ETag under this name.
    pub(in crate::differential) fn keep(mut self, name: &'static str) -> Self {
        self.keep = Some(name);
        self
    }

    pub(in crate::differential) fn consistency(mut self, model: &'static str) -> Self {
        self.consistency = model;
        self
    }

    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }

    async fn ask_http(&self, session: &Session) -> Result<trilby_testkit::Answer> {
        let key = encoded(&session.fill(self.key));
        let mut path =
            format!("/v1.0/state/{}/{key}{}", self.store, query_of(session, &self.metadata));
        if !self.consistency.is_empty() {
            path.push_str(if path.contains('?') { "&" } else { "?" });
            path.push_str(&format!("consistency={}", self.consistency));
        }
        session.send(Method::GET, &path, &[], "").await
    }

    fn message(&self, session: &Session) -> GetStateRequest {
        GetStateRequest {
            store_name: self.store.to_owned(),
            key: session.fill(self.key),
            consistency: consistency(self.consistency),
            metadata: filled(session, &self.metadata),
        }
    }
}

#[async_trait]
impl Step for Get {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let answer = self.ask_http(session).await?;
        if let Some(name) = self.keep {
            let etag = answer.header("etag").with_context(|| told(&answer, Body::Exact))?;
            session.keep(name, etag.to_owned().into());
        }
        Ok(format!("get: {}", told(&answer, Body::Exact)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = session.request(self.message(session))?;
        let answer = session.dapr().get_state(request).await;
        if let (Some(name), Ok(answer)) = (self.keep, &answer) {
            session.keep(name, answer.get_ref().etag.clone().into());
        }
        let text = answered(answer, |state| {
            let etag = if state.etag.is_empty() { "none" } else { "<etag>" };
            format!("etag={etag} metadata={} {}", map(&state.metadata), shown(&state.data))
        });
        Ok(format!("get: {text}"))
    }
}

/// Waits until an item is there no more.
pub(in crate::differential) struct Gone(Get);

pub(in crate::differential) fn gone(store: &'static str, key: &'static str) -> Gone {
    Gone(get(store, key))
}

#[async_trait]
impl Step for Gone {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let session = &*session;
        until("an item to expire", || async move {
            let answer = self.0.ask_http(session).await.ok()?;
            (answer.status != 200).then(|| told(&answer, Body::Exact))
        })
        .await
        .map(|line| format!("gone: {line}"))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let session = &*session;
        until("an item to expire", || async move {
            let request = session.request(self.0.message(session)).ok()?;
            let state = session.dapr().get_state(request).await.ok()?.into_inner();
            state.data.is_empty().then(|| format!("gone: etag={:?}", state.etag))
        })
        .await
    }
}

/// Deletes an item.
pub(in crate::differential) struct Delete(&'static str, Item);

pub(in crate::differential) fn delete(store: &'static str, item: Item) -> Delete {
    Delete(store, item)
}

#[async_trait]
impl Step for Delete {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let Self(store, item) = self;
        let key = encoded(&session.fill(&item.key));
        let mut path = format!("/v1.0/state/{store}/{key}{}", query_of(session, &item.metadata));
        let models = [("concurrency", item.concurrency), ("consistency", item.consistency)];
        for (name, model) in models.into_iter().filter(|(_, model)| !model.is_empty()) {
            path.push_str(if path.contains('?') { "&" } else { "?" });
            path.push_str(&format!("{name}={model}"));
        }
        let etag = item.etag.as_ref().map(|etag| session.fill(etag));
        let headers: Vec<_> = etag.iter().map(|etag| ("if-match", etag.as_str())).collect();
        let answer = session.send(Method::DELETE, &path, &headers, "").await?;
        Ok(format!("delete: {}", told(&answer, Body::Exact)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let StateItem { key, etag, metadata, options, .. } = self.1.message(session);
        let store_name = self.0.to_owned();
        let request = DeleteStateRequest { store_name, key, etag, options, metadata };
        let answer = session.dapr().delete_state(session.request(request)?).await;
        Ok(format!("delete: {}", answered(answer, |()| String::new())))
    }
}
