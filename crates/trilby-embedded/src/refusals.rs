//! daprd's answers to calls that name a component which is not there.

use trilby_dapr::{Code, Error};

/// No such state store; `none` when there is no state store at all.
pub(crate) fn state_store(name: &str, none: bool) -> Error {
    if none {
        return Error::new(
            Code::FailedPrecondition,
            format!("state store {name} is not configured"),
        )
        .with_reason("DAPR_STATE_NOT_CONFIGURED");
    }
    Error::new(Code::InvalidArgument, format!("state store {name} is not found"))
        .with_reason("DAPR_STATE_NOT_FOUND")
}

/// No such pub/sub broker; `none` when there is no broker at all.
pub(crate) fn pubsub(name: &str, none: bool) -> Error {
    if none {
        return Error::new(Code::FailedPrecondition, format!("pubsub {name} is not configured"))
            .with_reason("DAPR_PUBSUB_NOT_CONFIGURED");
    }
    if name.is_empty() {
        return Error::new(Code::InvalidArgument, "pubsub name is empty")
            .with_reason("DAPR_PUBSUB_NAME_EMPTY");
    }
    Error::new(Code::InvalidArgument, format!("pubsub {name} is not found"))
        .with_reason("DAPR_PUBSUB_NOT_FOUND")
}

/// An output binding that cannot be invoked.
pub(crate) fn output_binding(name: &str, reason: &str) -> Error {
    Error::new(Code::Internal, format!("error invoking output binding {name}: {reason}"))
        .with_reason("ERR_INVOKE_OUTPUT_BINDING")
}

/// No such secret store; `none` when there is no secret store at all. daprd gives no reason here.
pub(crate) fn secret_store(name: &str, none: bool) -> Error {
    if none {
        return Error::new(Code::FailedPrecondition, "secret store is not configured");
    }
    Error::new(Code::InvalidArgument, format!("failed finding secret store with key {name}"))
}
