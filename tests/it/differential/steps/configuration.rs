//! Configuration: values, and a stream of their changes.

use std::collections::HashMap;

use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use trilby_dapr::proto::common::v1::ConfigurationItem;
use trilby_dapr::proto::runtime::v1::{
    GetConfigurationRequest, SubscribeConfigurationRequest, UnsubscribeConfigurationRequest,
};

use super::encoded;
use crate::differential::case::Step;
use crate::differential::normal::map;
use crate::differential::session::{Body, Session, answered, told};
use crate::differential::watch::Watch;

/// Reads values.
pub(in crate::differential) struct Configuration {
    store: &'static str,
    keys: Vec<&'static str>,
}

pub(in crate::differential) fn configuration<const N: usize>(
    store: &'static str,
    keys: [&'static str; N],
) -> Configuration {
    Configuration { store, keys: keys.to_vec() }
}

#[async_trait]
impl Step for Configuration {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let keys: Vec<_> = self.keys.iter().map(|key| format!("key={}", encoded(key))).collect();
        let path = format!("/v1.0/configuration/{}?{}", self.store, keys.join("&"));
        let answer = session.send(Method::GET, &path, &[], "").await?;
        Ok(format!("configuration: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = GetConfigurationRequest {
            store_name: self.store.to_owned(),
            keys: self.keys.iter().map(|&key| key.to_owned()).collect(),
            ..GetConfigurationRequest::default()
        };
        let answer = session.dapr().get_configuration(session.request(request)?).await;
        Ok(format!("configuration: {}", answered(answer, |found| shown(&found.items))))
    }
}

fn shown(items: &HashMap<String, ConfigurationItem>) -> String {
    let items = items.iter();
    let mut items: Vec<_> = items
        .map(|(key, item)| {
            format!("{key}={:?} version={:?} {}", item.value, item.version, map(&item.metadata))
        })
        .collect();
    items.sort();
    items.join(" | ")
}

/// Opens a stream of changes; gRPC, whatever the protocol of the case.
pub(in crate::differential) struct Watched(&'static str, Vec<&'static str>);

pub(in crate::differential) fn watch<const N: usize>(
    store: &'static str,
    keys: [&'static str; N],
) -> Watched {
    Watched(store, keys.to_vec())
}

#[async_trait]
impl Step for Watched {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let request = SubscribeConfigurationRequest {
            store_name: self.0.to_owned(),
            keys: self.1.iter().map(|&key| key.to_owned()).collect(),
            ..SubscribeConfigurationRequest::default()
        };
        Ok(match Watch::open(session, request).await? {
            Ok((watch, first)) => {
                session.watch = Some(watch);
                let id = if first.id.is_empty() { "no id" } else { "an id" };
                format!("watch: {id}, {}", shown(&first.items))
            }
            Err(refused) => format!("watch: {refused}"),
        })
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}

/// Ends a stream of changes by its id, or by one that is not known.
pub(in crate::differential) struct Unwatch(&'static str, Option<&'static str>);

pub(in crate::differential) fn unwatch(store: &'static str, id: Option<&'static str>) -> Unwatch {
    Unwatch(store, id)
}

impl Unwatch {
    fn id(&self, session: &Session) -> String {
        match (self.1, &session.watch) {
            (Some(id), _) => id.to_owned(),
            (None, watch) => watch.as_ref().map(|watch| watch.id.clone()).unwrap_or_default(),
        }
    }
}

#[async_trait]
impl Step for Unwatch {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0/configuration/{}/{}/unsubscribe", self.0, self.id(session));
        let answer = session.send(Method::GET, &path, &[], "").await?;
        Ok(format!("unwatch: {}", told(&answer, Body::Json)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let (store_name, id) = (self.0.to_owned(), self.id(session));
        let request = UnsubscribeConfigurationRequest { store_name, id };
        let answer = session.dapr().unsubscribe_configuration(session.request(request)?).await;
        let text = answered(answer, |done| format!("ok={} {:?}", done.ok, done.message));
        Ok(format!("unwatch: {text}"))
    }
}
