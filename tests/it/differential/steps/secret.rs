//! Secrets.

use anyhow::Result;
use async_trait::async_trait;
use http::Method;
use trilby_dapr::proto::runtime::v1::{GetBulkSecretRequest, GetSecretRequest};

use super::{Pairs, encoded, filled, query_of};
use crate::differential::case::Step;
use crate::differential::normal::map;
use crate::differential::session::{Body, Session, answered, told};

/// Reads a secret, or all of a store.
pub(in crate::differential) struct Secret {
    store: &'static str,
    key: Option<&'static str>,
    metadata: Pairs,
}

pub(in crate::differential) fn secret(store: &'static str, key: &'static str) -> Secret {
    Secret { store, key: Some(key), metadata: Pairs::new() }
}

pub(in crate::differential) fn secrets(store: &'static str) -> Secret {
    Secret { store, key: None, metadata: Pairs::new() }
}

impl Secret {
    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[async_trait]
impl Step for Secret {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let last = self.key.map_or_else(|| "bulk".to_owned(), encoded);
        let query = query_of(session, &self.metadata);
        let path = format!("/v1.0/secrets/{}/{last}{query}", self.store);
        let answer = session.send(Method::GET, &path, &[], "").await?;
        Ok(format!("secret: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let (store_name, metadata) = (self.store.to_owned(), filled(session, &self.metadata));
        let Some(key) = self.key else {
            let request = GetBulkSecretRequest { store_name, metadata };
            let answer = session.dapr().get_bulk_secret(session.request(request)?).await;
            let text = answered(answer, |found| {
                let all = found.data.iter();
                let mut all: Vec<_> =
                    all.map(|(name, secret)| format!("{name}: {}", map(&secret.secrets))).collect();
                all.sort();
                all.join(" | ")
            });
            return Ok(format!("secret: {text}"));
        };
        let request = GetSecretRequest { store_name, key: key.to_owned(), metadata };
        let answer = session.dapr().get_secret(session.request(request)?).await;
        Ok(format!("secret: {}", answered(answer, |found| map(&found.data))))
    }
}
