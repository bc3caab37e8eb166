//! Output bindings over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use trilby_dapr::Metadata;
use trilby_dapr::messaging::InvokeBinding;

use super::asked::{Answered, Asked, OrTell as _, body_json};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

#[derive(Deserialize)]
struct Request {
    metadata: Option<Metadata>,
    data: Option<Box<RawValue>>,
    operation: Option<String>,
}

pub(super) async fn invoke(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Bindings, asked.param(0));
    let (cx, binding) = (asked.cx.clone(), asked.param(0).to_owned());
    let body = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let request: Request = body_json(&body).or_tell(&shared, &about)?;
    let mut metadata = request.metadata.unwrap_or_default();
    if let Some(traceparent) = cx.traceparent.as_deref() {
        metadata.insert("traceparent".to_owned(), traceparent.to_owned());
    }
    let data = request.data.map_or_else(|| "null".to_owned(), |data| data.get().to_owned());
    let request = InvokeBinding {
        binding,
        operation: request.operation.unwrap_or_default(),
        data: Bytes::from(data),
        metadata,
    };
    let answer = shared.backend.blocks.invoke_binding(&cx, request).await;
    let answer = answer.or_tell(&shared, &about)?;
    let mut response = match answer.data.is_empty() && answer.metadata.is_empty() {
        true => reply::empty(),
        false => reply::json(StatusCode::OK, answer.data),
    };
    reply::add_metadata(&mut response, &answer.metadata);
    Ok(response)
}
