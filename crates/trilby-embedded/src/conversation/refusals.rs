//! daprd's answers to conversations that fail, with the reasons of its HTTP API: over gRPC it gives
//! none here.

use std::fmt::Display;

use trilby_dapr::{Code, Error};

/// No such component.
pub(crate) fn component(name: &str) -> Error {
    let message = format!("failed finding conversation component {name}");
    Error::new(Code::InvalidArgument, message).with_reason("ERR_CONVERSATION_NOT_FOUND")
}

/// Text that is not the JSON of a conversation.
pub(super) fn malformed(why: impl Display) -> Error {
    let message = format!("failed deserializing HTTP body: {why}");
    Error::new(Code::InvalidArgument, message).with_reason("ERR_MALFORMED_REQUEST")
}

/// A conversation without a beginning.
pub(super) fn missing_inputs(name: &str) -> Error {
    let message = format!("failed conversing with component {name}: missing inputs in request");
    Error::new(Code::InvalidArgument, message).with_reason("ERR_CONVERSATION_MISSING_INPUTS")
}

/// Parts that do not fit together. daprd's text has the same beginning.
pub(super) fn invalid(name: &str, why: &str) -> Error {
    let message = format!("failed conversing with component {name}: invalid params: {why}");
    Error::new(Code::InvalidArgument, message).with_reason("ERR_CONVERSATION_INVALID_PARMS")
}

/// The component could not answer.
pub(crate) fn failed(name: &str, why: &str) -> Error {
    let message = format!("failed conversing with component {name}: {why}");
    Error::new(Code::Internal, message).with_reason("ERR_CONVERSATION_INVOKE")
}
