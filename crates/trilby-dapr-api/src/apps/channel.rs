//! The way to one app: service invocation, by its id.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{Method, Request, Response, StatusCode};
use tokio::time::timeout_at;
use trilby_dapr::invoke::{InvokeService, ServiceReply};
use trilby_dapr::{Blocks, CallContext, Code, Error, Inbound, Result, stream};

/// How long an answer to a question may take.
const QUESTION_WITHIN: Duration = Duration::from_secs(5);

/// The largest answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The way to one app.
pub(super) struct Channel {
    app: String,
    blocks: Arc<dyn Blocks>,
}

impl Channel {
    pub(super) fn new(app: &str, blocks: Arc<dyn Blocks>) -> Self {
        Self { app: app.to_owned(), blocks }
    }

    pub(super) fn app(&self) -> &str {
        &self.app
    }

    /// Asks the app something.
    pub(super) async fn ask(&self, method: Method, path: &str) -> Result<(StatusCode, Bytes)> {
        let request = InvokeService {
            app: self.app.clone(),
            path: path.to_owned(),
            method,
            ..InvokeService::default()
        };
        let answer =
            self.send(&CallContext::within(QUESTION_WITHIN), request, Bytes::new()).await?;
        Ok((answer.status(), answer.into_body()))
    }

    async fn send(
        &self,
        cx: &CallContext,
        request: InvokeService,
        body: Bytes,
    ) -> Result<Response<Bytes>> {
        let sent = self.blocks.invoke_service(cx, request, stream::whole(body)).await?;
        let ServiceReply { status, headers, mut body } = sent;
        let mut whole = BytesMut::new();
        let read = async {
            while let Some(piece) = body.next().await {
                let piece = piece?;
                if whole.len().saturating_add(piece.len()) > ANSWER_BYTES_MAX {
                    return Err(Error::new(Code::ResourceExhausted, "the answer is too large"));
                }
                whole.extend_from_slice(&piece);
            }
            Ok(())
        };
        let read = timeout_at(cx.deadline, read).await;
        read.unwrap_or_else(|_| Err(Error::deadline("reading the app's answer")))?;
        let mut response = Response::new(whole.freeze());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

#[async_trait]
impl Inbound for Channel {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let request = InvokeService {
            app: self.app.clone(),
            path: head.uri.path().trim_start_matches('/').to_owned(),
            method: head.method,
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
        };
        let cx = CallContext::within(super::EVENT_WITHIN);
        self.send(&cx, request, body).await.unwrap_or_else(|error| {
            tracing::debug!(app = self.app, "an event was not taken: {error}");
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        })
    }
}
