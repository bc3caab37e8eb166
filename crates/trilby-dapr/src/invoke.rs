//! Service invocation: requests to other apps, and to this one.

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode};

use crate::stream::ByteStream;
use crate::{CallContext, Result};

/// Calls of other apps.
#[async_trait]
pub trait Invocation: Send + Sync {
    /// Sends a request to an app. Whatever the app answers is a reply; an error means that there
    /// was no answer (Dapr's `ERR_DIRECT_INVOKE`).
    ///
    /// The deadline of `cx` is for the reply's head. The bodies are bounded by whoever holds them.
    async fn invoke_service(
        &self,
        cx: &CallContext,
        request: InvokeService,
        body: ByteStream,
    ) -> Result<ServiceReply>;
}

/// The header by which a Trilby knows an invocation that one of its own guests made through daprd:
/// daprd names the caller only where that is another app. Such a request is never a delivery,
/// whatever its path is.
pub const INVOCATION_HEADER: &str = "trilby-invocation";

/// A request to an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvokeService {
    /// The app's id.
    pub app: String,
    /// The path, percent-encoded, without a leading `/`: Dapr's "method".
    pub path: String,
    /// The verb.
    pub method: Method,
    /// The query string, without `?`.
    pub query: Option<String>,
    /// Headers of the request; never those of a connection.
    pub headers: HeaderMap,
}

/// What an app answered.
pub struct ServiceReply {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of the connection.
    pub headers: HeaderMap,
    /// The body, as it comes.
    pub body: ByteStream,
}
