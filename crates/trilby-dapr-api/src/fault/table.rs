//! daprd's table of errors: what a reason is over gRPC and over HTTP.

use std::borrow::Cow;

use http::StatusCode;
use trilby_dapr::{Code, Error};

use super::Block;

/// The details that an error has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rich {
    /// None.
    No,
    /// A reason, with metadata, and whether the component is named as a resource.
    Info(Meta, bool),
}

/// The metadata of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meta {
    Empty,
    /// The app's id.
    App,
    /// The app's id and namespace.
    AppAndNamespace,
    /// The app's id and the cause.
    AppAndCause,
    /// The topic and the cause.
    TopicAndCause,
    /// The request's own.
    Request,
}

/// What daprd makes of an error.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The gRPC code, where daprd has another than [`Error::code`].
    pub(super) code: Option<Code>,
    pub(super) status: StatusCode,
    /// `errorCode` over HTTP.
    pub(super) error_code: Cow<'static, str>,
    pub(super) rich: Rich,
}

impl Known {
    pub(super) fn of(error: &Error, block: Block) -> Self {
        let reason = error.reason.as_ref();
        if let Some(known) = rich(reason) {
            return known;
        }
        if reason.starts_with("DAPR_SCHEDULER_") {
            return scheduler(error);
        }
        let error_code: Cow<'static, str> =
            if reason.is_empty() { untold(block, error).into() } else { error.reason.clone() };
        // daprd makes INTERNAL of all that fails in a transaction, a lost race too.
        let code = (reason == "ERR_STATE_TRANSACTION").then_some(Code::Internal);
        let status = status(&error_code, code.unwrap_or(error.code));
        let is_ours = reason.starts_with("TRILBY_");
        let rich = if is_ours { Rich::Info(Meta::Empty, false) } else { Rich::No };
        Self { code, status, error_code, rich }
    }
}

/// daprd's newer errors, by reason.
fn rich(reason: &str) -> Option<Known> {
    use Meta::{App, AppAndCause, Empty, Request, TopicAndCause};
    let (status, error_code, meta, is_resource) = match reason {
        "DAPR_STATE_NOT_FOUND" => (400, "ERR_STATE_STORE_NOT_FOUND", App, false),
        "DAPR_STATE_NOT_CONFIGURED" => (500, "ERR_STATE_STORE_NOT_CONFIGURED", App, false),
        "DAPR_STATE_ILLEGAL_KEY" => (400, "ERR_MALFORMED_REQUEST", Empty, true),
        "DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED" | "DAPR_STATE_QUERYING_NOT_SUPPORTED" => {
            (500, "ERR_STATE_STORE_NOT_SUPPORTED", Empty, true)
        }
        "DAPR_STATE_TOO_MANY_TRANSACTIONS" => {
            (400, "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS", Empty, true)
        }
        "DAPR_STATE_QUERY_FAILED" => (500, "ERR_STATE_QUERY", Empty, true),
        "DAPR_PUBSUB_NAME_EMPTY" => (404, "ERR_PUBSUB_EMPTY", Request, true),
        "DAPR_PUBSUB_NOT_FOUND" => (404, "ERR_PUBSUB_NOT_FOUND", Request, false),
        "DAPR_PUBSUB_NOT_CONFIGURED" => (400, "ERR_PUBSUB_NOT_CONFIGURED", Request, false),
        "DAPR_PUBSUB_TOPIC_NAME_EMPTY" => (404, "ERR_TOPIC_NAME_EMPTY", Request, true),
        "DAPR_PUBSUB_METADATA_DESERIALIZATION" => {
            (400, "ERR_PUBSUB_REQUEST_METADATA", Request, true)
        }
        "DAPR_PUBSUB_CLOUD_EVENT_CREATION" => {
            (500, "ERR_PUBSUB_CLOUD_EVENTS_SER", AppAndCause, true)
        }
        "DAPR_PUBSUB_MARSHAL_ENVELOPE" | "DAPR_PUBSUB_MARSHAL_EVENTS" => {
            (400, "ERR_PUBSUB_EVENTS_SER", AppAndCause, true)
        }
        "DAPR_PUBSUB_UNMARSHAL_EVENTS" => (400, "ERR_PUBSUB_EVENTS_SER", App, true),
        "DAPR_PUBSUB_FORBIDDEN" => (403, "ERR_PUBSUB_FORBIDDEN", TopicAndCause, true),
        "DAPR_PUBSUB_PUBLISH_MESSAGE" => (500, "ERR_PUBSUB_PUBLISH_MESSAGE", TopicAndCause, true),
        _ => return None,
    };
    Some(Known {
        code: None,
        status: number(status),
        error_code: error_code.into(),
        rich: Rich::Info(meta, is_resource),
    })
}

/// Errors of jobs have one code for both ways, and daprd makes INTERNAL of what its scheduler says,
/// but for a job that is there already.
fn scheduler(error: &Error) -> Known {
    let code = match error.code {
        Code::NotFound => Code::Internal,
        code => code,
    };
    Known {
        code: Some(code),
        status: status("", code),
        error_code: error.reason.clone(),
        rich: Rich::Info(Meta::AppAndNamespace, false),
    }
}

/// daprd's code over HTTP for errors that have no reason, since gRPC tells none.
fn untold(block: Block, error: &Error) -> &'static str {
    match (block, error.code) {
        (Block::Secrets, Code::FailedPrecondition) => "ERR_SECRET_STORES_NOT_CONFIGURED",
        (Block::Secrets, Code::InvalidArgument) => "ERR_SECRET_STORE_NOT_FOUND",
        (Block::Secrets, Code::PermissionDenied) => "ERR_PERMISSION_DENIED",
        (Block::Secrets, _) => "ERR_SECRET_GET",
        (Block::Crypto, Code::InvalidArgument) if error.message.ends_with(" not found") => {
            "ERR_CRYPTO_PROVIDER_NOT_FOUND"
        }
        (_, Code::InvalidArgument) if error.message.starts_with("invalid request: ") => {
            "ERR_BAD_REQUEST"
        }
        (Block::Crypto, _) if error.message == "crypto providers not configured" => {
            "ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED"
        }
        (Block::Crypto, _) => "ERR_CRYPTO",
        (Block::Actors, Code::Unavailable) => "ERR_ACTOR_NO_PLACEMENT",
        (_, Code::Unimplemented) => "ERR_API_UNIMPLEMENTED",
        (Block::State, _) => "ERR_STATE_SAVE",
        (Block::Bindings, _) => "ERR_INVOKE_OUTPUT_BINDING",
        (Block::Invoke, _) => "ERR_DIRECT_INVOKE",
        _ => "ERROR",
    }
}

/// The status over HTTP.
fn status(error_code: &str, code: Code) -> StatusCode {
    match (error_code, code) {
        ("ERR_SECRET_STORE_NOT_FOUND", _) => StatusCode::UNAUTHORIZED,
        ("ERR_ACTOR_NO_PLACEMENT", _) => StatusCode::BAD_REQUEST,
        ("ERR_INVOKE_OUTPUT_BINDING" | "ERR_DIRECT_INVOKE", Code::Internal)
        | (_, Code::FailedPrecondition) => StatusCode::INTERNAL_SERVER_ERROR,
        (_, Code::InvalidArgument | Code::OutOfRange) => StatusCode::BAD_REQUEST,
        (_, Code::Aborted | Code::AlreadyExists) => StatusCode::CONFLICT,
        (_, Code::PermissionDenied) => StatusCode::FORBIDDEN,
        (_, Code::NotFound) => StatusCode::NOT_FOUND,
        (_, Code::Unauthenticated) => StatusCode::UNAUTHORIZED,
        (_, Code::ResourceExhausted) => StatusCode::TOO_MANY_REQUESTS,
        (_, Code::Unimplemented) => StatusCode::NOT_IMPLEMENTED,
        (_, Code::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        (_, Code::DeadlineExceeded) => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn number(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
