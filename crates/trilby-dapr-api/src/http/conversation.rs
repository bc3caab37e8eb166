//! Conversations over HTTP.

use std::sync::Arc;

use http::StatusCode;
use trilby_dapr::conversation::Converse;

use super::asked::{Answered, Asked, OrTell as _};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn converse(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Conversation, asked.param(0));
    let (cx, component) = (asked.cx.clone(), asked.param(0).to_owned());
    let request = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let request = Converse { component, request };
    let answer = shared.backend.blocks.converse(&cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::json(StatusCode::OK, answer))
}
