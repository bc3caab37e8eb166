//! Locks over HTTP.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trilby_dapr::lock::{TryLock, Unlock};

use super::asked::{Answered, Asked, OrTell as _, body_json, malformed};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};
use crate::grpc::lock_told;

/// Protobuf's JSON takes both forms of a name.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Request {
    #[serde(alias = "resource_id")]
    resource_id: String,
    #[serde(alias = "lock_owner")]
    lock_owner: String,
    #[serde(alias = "expiry_in_seconds")]
    expiry_in_seconds: Number,
}

/// Protobuf's JSON takes a number as text, too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(i32),
    Text(String),
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(0)
    }
}

impl Number {
    /// Seconds; one that is not positive is refused as none.
    fn seconds(&self) -> Option<u64> {
        match self {
            Self::Plain(number) => Some(u64::try_from(*number).unwrap_or(0)),
            Self::Text(text) => text.parse::<i32>().ok().map(|n| u64::try_from(n).unwrap_or(0)),
        }
    }
}

pub(super) async fn try_lock(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Lock, asked.param(0));
    let (cx, store) = (asked.cx.clone(), asked.param(0).to_owned());
    let request = read(&shared, asked).await.or_tell(&shared, &about)?;
    let seconds = request.expiry_in_seconds.seconds();
    let seconds = seconds.ok_or_else(|| malformed("expiryInSeconds is no number"));
    let seconds = seconds.or_tell(&shared, &about)?;
    let request = TryLock {
        store,
        resource: request.resource_id,
        owner: request.lock_owner,
        expiry: Duration::from_secs(seconds),
    };
    let success = shared.backend.blocks.try_lock(&cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::json(StatusCode::OK, json!({ "success": success }).to_string()))
}

pub(super) async fn unlock(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Lock, asked.param(0));
    let (cx, store) = (asked.cx.clone(), asked.param(0).to_owned());
    let request = read(&shared, asked).await.or_tell(&shared, &about)?;
    let request = Unlock { store, resource: request.resource_id, owner: request.lock_owner };
    let unlocked = shared.backend.blocks.unlock(&cx, request).await.or_tell(&shared, &about)?;
    let status = i32::from(lock_told(unlocked));
    Ok(reply::json(StatusCode::OK, json!({ "status": status }).to_string()))
}

/// An empty body is an empty request.
async fn read(shared: &Shared, asked: Asked) -> Result<Request, trilby_dapr::Error> {
    let body = asked.bytes(shared).await?;
    if body.is_empty() { Ok(Request::default()) } else { body_json(&body) }
}
