//! daprd's gRPC app channel, on the same listener: from a request of HTTP/2 to an rpc and back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, Version, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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

/// The largest message of an rpc that asks without a token.
const QUESTION_BYTES_MAX: usize = 64;

/// Bytes of all messages at once.
const ALL_MESSAGES_BYTES_MAX: usize = 256 << 20;

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
        if !is_on_invoke(path) && is_of_another_app(request.headers()) {
            return self.refuse_rpc(&record(), &Outcome::NoRoute);
        }
        if !comes_without_token(path) && !generation.dapr_app.is_authentic(request.headers()) {
            return self.refuse_rpc(&record(), &Outcome::Unauthenticated);
        }
        let body_bytes_max = generation.served.table.body_in_bytes_max;
        let bytes_max = if comes_without_token(path) {
            QUESTION_BYTES_MAX
        } else {
            body_bytes_max.saturating_add(BESIDE_BODY_BYTES_MAX).min(MESSAGE_BYTES_MAX)
        };
        match message(request, bytes_max, self.message_bytes()).await {
            // The room is held until the message's guest has answered.
            Ok((request, _room)) => {
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
            Outcome::Busy => Status::unavailable(text),
            Outcome::NoRoute => Status::permission_denied("another app delivers nothing here"),
            _ => Status::cancelled(text),
        };
        status.into_http::<Body>().map(ResponseBody::Grpc)
    }
}

/// Whether an rpc is a service invocation, which comes from whoever may call.
fn is_on_invoke(path: &str) -> bool {
    path.strip_prefix(SERVICES) == Some("/OnInvoke")
}

/// Whether daprd passes on what another app calls: it does so with any rpc, and adds this app's own
/// token.
fn is_of_another_app(headers: &HeaderMap) -> bool {
    ["dapr-caller-app-id", "dapr-callee-app-id", "dapr-app-id"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// Room in memory for messages that are there, or on their way, before their guests have their turn.
pub(crate) fn message_room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(ALL_MESSAGES_BYTES_MAX))
}

/// The request with its whole message, behind five bytes of gRPC's own, and the room that it takes.
/// Without room it is refused: to wait for it would hold what others wait for.
async fn message(
    request: Request<RequestBody>,
    bytes_max: usize,
    room: &Arc<Semaphore>,
) -> Result<(Request<Full<Bytes>>, Option<OwnedSemaphorePermit>), Outcome> {
    const PREFIX_BYTES: usize = 5;
    let (head, body) = request.into_parts();
    let mut body = Limited::new(body, bytes_max.saturating_add(PREFIX_BYTES));
    let mut taken: Option<OwnedSemaphorePermit> = None;
    let whole = async {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
                true => Outcome::BodyTooLarge,
                false => Outcome::BodyBrokenOff,
            })?;
            let Ok(data) = frame.into_data() else { continue };
            let bytes = u32::try_from(data.len()).map_err(|_| Outcome::BodyTooLarge)?;
            let more = Arc::clone(room).try_acquire_many_owned(bytes);
            let more = more.map_err(|_| Outcome::Busy)?;
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    };
    let whole = timeout(MESSAGE_WITHIN, whole).await.unwrap_or(Err(Outcome::BodyBrokenOff))?;
    Ok((Request::from_parts(head, Full::new(whole)), taken))
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
