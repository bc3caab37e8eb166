//! daprd's answers to calls of the crypto building block that fail.
//!
//! The codes and texts are those of daprd's gRPC interface, which gives no reasons here.

use std::fmt::Display;

use trilby_dapr::{Code, Error};

/// No such crypto provider; `none` when there is no crypto provider at all.
pub(crate) fn provider(name: &str, none: bool) -> Error {
    if none {
        return Error::new(Code::Internal, "crypto providers not configured");
    }
    if name.is_empty() {
        return bad_request("missing component name");
    }
    Error::new(Code::InvalidArgument, format!("crypto provider {name} not found"))
}

/// A request without an option that it must have.
pub(super) fn missing_option(name: &str) -> Error {
    bad_request(format!("missing property '{name}' in the options message"))
}

/// An operation that cannot be done, or broke off.
pub(crate) fn operation(why: impl Display) -> Error {
    Error::new(Code::Internal, format!("failed to perform operation: {why}"))
}

/// A key, or an algorithm, that daprd has and the embedded runtime does not.
pub(super) fn asymmetric(component: &str, key: &str) -> Error {
    let message = format!(
        "the key `{key}` of `{component}` or its algorithm is asymmetric, which the embedded \
         runtime does not have; use a symmetric key with `A256KW`, or run with a Dapr sidecar"
    );
    Error::new(Code::Unimplemented, message).with_reason("TRILBY_ASYMMETRIC_KEY")
}

fn bad_request(why: impl Display) -> Error {
    Error::new(Code::InvalidArgument, format!("invalid request: {why}"))
}
