//! daprd's gRPC app channel, on the same listener: from a request of HTTP/2 to an rpc and back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service as _;
use trilby_dapr::proto::runtime::v1::app_callback_alpha_server::AppCallbackAlphaServer;
use trilby_dapr::proto::runtime::v1::app_callback_health_check_server::AppCallbackHealthCheckServer;
use trilby_dapr::proto::runtime::v1::app_callback_server::AppCallbackServer;

use super::callbacks::Callbacks;
use crate::body::{RequestBody, ResponseBody};
use crate::outcome::Outcome;
use crate::record::{Record, asked};
use crate::{Peer, Service};

/// What all services of the channel begin with.
const SERVICES: &str = "/dapr.proto.runtime.v1.AppCallback";

/// What a message may have beyond the largest body of any route: names, attributes, headers.
const BESIDE_BODY_BYTES_MAX: usize = 64 << 10;

/// The largest message, whatever the routes take: it is in memory before its guest has its turn.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// How long a message may take to come.
const MESSAGE_WITHIN: Duration = Duration::from_secs(30);

/// Whether this is an rpc of the app channel. Other rpcs are requests like others: daprd passes on
/// what apps say to each other.
pub(crate) fn is_grpc<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    request.version() == Version::HTTP_2
        && request.uri().path().starts_with(SERVICES)
        && content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Whether daprd calls an rpc without the app's token, also when it has one. These tell what the app
/// listens to, and deliver nothing.
fn comes_without_token(path: &str) -> bool {
    matches!(
        path.strip_prefix(SERVICES),
        Some("/ListTopicSubscriptions" | "/ListInputBindings" | "HealthCheck/HealthCheck")
    )
}

impl Service {
    /// Answers an rpc of the app channel.
    pub(crate) async fn rpc(
        self: &Arc<Self>,
        request: Request<RequestBody>,
        peer: Peer,
    ) -> Response<ResponseBody> {
        let generation = self.generation();
        let (id, asked) = (self.id_of(&request), asked(&request));
        let record = || Record::new(id, Arc::clone(self.no_route()), asked);
        let path = request.uri().path();
        if !comes_without_token(path) && !generation.dapr_app.is_authentic(request.headers()) {
            return self.refuse_rpc(&record(), &Outcome::Unauthenticated);
        }
        let body_bytes_max = generation.served.table.body_in_bytes_max;
        let bytes_max = body_bytes_max.saturating_add(BESIDE_BODY_BYTES_MAX).min(MESSAGE_BYTES_MAX);
        match message(request, bytes_max).await {
            Ok(request) => {
                let callbacks = Callbacks::new(Arc::clone(self), generation, peer);
                answer(callbacks, request, bytes_max).await.map(ResponseBody::Grpc)
            }
            Err(outcome) => self.refuse_rpc(&record(), &outcome),
        }
    }

    /// Turns an rpc away, with its line in the log.
    fn refuse_rpc(&self, record: &Record, outcome: &Outcome) -> Response<ResponseBody> {
        record.finish(outcome, outcome.status());
        let text = outcome.public_text().trim_end();
        let status = match outcome {
            Outcome::Unauthenticated => Status::unauthenticated(text),
            Outcome::BodyTooLarge => Status::resource_exhausted(text),
            _ => Status::cancelled(text),
        };
        status.into_http::<Body>().map(ResponseBody::Grpc)
    }
}

/// The request with its whole message, behind five bytes of gRPC's own.
async fn message(
    request: Request<RequestBody>,
    bytes_max: usize,
) -> Result<Request<Full<Bytes>>, Outcome> {
    const PREFIX_BYTES: usize = 5;
    let (head, body) = request.into_parts();
    let whole = Limited::new(body, bytes_max.saturating_add(PREFIX_BYTES)).collect();
    match timeout(MESSAGE_WITHIN, whole).await {
        Ok(Ok(whole)) => Ok(Request::from_parts(head, Full::new(whole.to_bytes()))),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Outcome::BodyTooLarge),
        Ok(Err(_)) | Err(_) => Err(Outcome::BodyBrokenOff),
    }
}

/// Hands an rpc to its service. None of them takes or sends compressed messages.
async fn answer(
    callbacks: Callbacks,
    request: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Response<Body> {
    let rest = request.uri().path().strip_prefix(SERVICES).unwrap_or_default();
    let service = rest.split('/').next().unwrap_or_default();
    let answered: Result<_, Infallible> = match service {
        "" => {
            let server = AppCallbackServer::new(callbacks);
            server.max_decoding_message_size(bytes_max).call(request).await
        }
        "Alpha" => {
            let server = AppCallbackAlphaServer::new(callbacks);
            server.max_decoding_message_size(bytes_max).call(request).await
        }
        "HealthCheck" => AppCallbackHealthCheckServer::new(callbacks).call(request).await,
        _ => Ok(Status::unimplemented("this app has no such service").into_http()),
    };
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
