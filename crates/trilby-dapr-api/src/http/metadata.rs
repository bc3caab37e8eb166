//! The runtime itself over HTTP: its metadata and its end.

use std::sync::Arc;

use http::StatusCode;

use super::asked::{Answered, Asked, OrTell as _, malformed};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn get(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Runtime, "");
    let json = shared.backend.blocks.get_metadata(&asked.cx).await.or_tell(&shared, &about)?;
    Ok(reply::json(StatusCode::OK, json))
}

pub(super) async fn set(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Runtime, "");
    let (cx, key) = (asked.cx.clone(), asked.param(0).to_owned());
    let value = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let value = String::from_utf8(value.into())
        .map_err(|_| malformed("the value is not UTF-8"))
        .or_tell(&shared, &about)?;
    shared.backend.blocks.set_metadata(&cx, key, value).await.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

pub(super) async fn shutdown(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Runtime, "");
    shared.shut_down(asked.peer.is_local).or_tell(&shared, &about)?;
    Ok(reply::empty())
}
