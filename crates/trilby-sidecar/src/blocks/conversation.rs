//! Conversations over HTTP, where they are JSON already.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::{CallContext, Result};

use super::invoke::segment;
use crate::metrics::Block;
use crate::{Sidecar, http_api};

#[async_trait]
impl Conversation for Sidecar {
    async fn converse(&self, cx: &CallContext, request: Converse) -> Result<Bytes> {
        let component = segment("the conversation component", &request.component)?;
        let path = format!("/v1.0-alpha2/conversation/{component}/converse");
        let body = http_api::whole(request.request);
        let mut request = self.http.request(cx, Method::POST, &path, body)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        self.http.json(cx, Block::Conversation, "a conversation", request).await
    }
}
