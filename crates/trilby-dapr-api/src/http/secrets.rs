//! Secrets over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use trilby_dapr::secret::{GetSecret, GetSecrets};

use super::asked::{Answered, Asked, OrTell as _};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn get(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Secrets, asked.param(0)).named(asked.param(1));
    let request = GetSecret {
        store: asked.param(0).to_owned(),
        key: asked.param(1).to_owned(),
        metadata: asked.metadata(),
    };
    let secret = shared.backend.blocks.get_secret(&asked.cx, request).await;
    let secret = secret.or_tell(&shared, &about)?;
    // Texts always become JSON.
    Ok(reply::json(StatusCode::OK, serde_json::to_vec(&secret.values).unwrap_or_default()))
}

pub(super) async fn get_all(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Secrets, asked.param(0));
    let request = GetSecrets { store: asked.param(0).to_owned(), metadata: asked.metadata() };
    let secrets = shared.backend.blocks.get_secrets(&asked.cx, request).await;
    let secrets = secrets.or_tell(&shared, &about)?;
    let values: BTreeMap<&str, &BTreeMap<String, String>> =
        secrets.iter().map(|(name, secret)| (name.as_str(), &secret.values)).collect();
    Ok(reply::json(StatusCode::OK, serde_json::to_vec(&values).unwrap_or_default()))
}
