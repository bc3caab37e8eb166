//! Health over HTTP. What serves these is ready: the API opens when the building blocks are open.

use std::sync::Arc;

use http::StatusCode;

use super::asked::{Answered, Asked};
use super::reply;
use crate::api::Shared;
use crate::fault;

pub(super) async fn healthz(shared: Arc<Shared>, asked: Asked) -> Answered {
    if asked.first("appid").is_some_and(|id| id != shared.backend.app_id) {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let text = "dapr app-id does not match";
        return Ok(fault::basic(status, "ERR_HEALTH_APPID_NOT_MATCH", text));
    }
    Ok(reply::empty())
}

pub(super) async fn outbound(_: Arc<Shared>, _: Asked) -> Answered {
    Ok(reply::empty())
}
