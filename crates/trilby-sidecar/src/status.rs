//! Failed rpcs as errors.

use std::error::Error as _;

use tonic::Status;
use tonic_types::StatusExt;
use trilby_dapr::{Code, Error};

use crate::address::Address;

/// The error that a status stands for. `address` is where the sidecar should be.
pub(crate) fn error(status: &Status, address: &Address) -> Error {
    if let Some(error) = too_large(status) {
        return error;
    }
    // A status of our own side has a source: the transport failed, whatever code it got.
    if let Some(source) = status.source() {
        if chain(source).any(|cause| cause.is::<tonic::TimeoutExpired>()) {
            return Error::deadline("a call to the Dapr sidecar");
        }
        return unreachable(address, innermost(source));
    }
    let says_token =
        ["Unauthorized", "api token"].iter().any(|text| status.message().contains(text));
    if status.code() == tonic::Code::Unauthenticated && says_token {
        return wrong_token(status.message());
    }
    // daprd takes a method that it does not know for one of another app (gRPC proxying).
    let proxied = "required metadata dapr-callee-app-id or dapr-app-id";
    if status.message().contains(proxied) || status.message().starts_with("unknown method") {
        return Error::new(
            Code::Unimplemented,
            "the Dapr sidecar does not know this operation; it is older than 1.18",
        );
    }
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    Error::new(status.code().into(), status.message()).with_reason(reason)
}

pub(crate) fn wrong_token(said: &str) -> Error {
    let message = format!(
        "the Dapr sidecar does not take our token ({said}); DAPR_API_TOKEN must be the one that the \
         sidecar was started with"
    );
    Error::new(Code::Unauthenticated, message).with_reason("TRILBY_SIDECAR_TOKEN")
}

/// A message over a limit: daprd's, for what it gets, or our own, for what comes back.
fn too_large(status: &Status) -> Option<Error> {
    let message = match (status.code(), status.message()) {
        (tonic::Code::ResourceExhausted, text) if text.contains("larger than max") => {
            format!(
                "the request is too large for the Dapr sidecar, whose --max-body-size says: {text}"
            )
        }
        (tonic::Code::OutOfRange, text) if text.contains("message length too large") => {
            format!("the answer is too large; TRILBY_DAPR_MAX_MESSAGE raises the limit: {text}")
        }
        _ => return None,
    };
    Some(Error::new(Code::ResourceExhausted, message).with_reason("TRILBY_MESSAGE_TOO_LARGE"))
}

pub(crate) fn unreachable(address: &Address, cause: String) -> Error {
    Error::new(
        Code::Unavailable,
        format!("the Dapr sidecar at {address} cannot be reached: {cause}"),
    )
    .with_reason("TRILBY_SIDECAR_UNREACHABLE")
}

/// The cause at the end of the chain says most: `connection refused`.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn here() -> Address {
        Address::local(1)
    }

    #[test]
    fn limits_and_tokens_are_told_with_their_settings() {
        let table = [
            (
                Status::resource_exhausted("grpc: received message larger than max (5 vs. 4)"),
                (Code::ResourceExhausted, "--max-body-size"),
            ),
            (
                Status::out_of_range("Error, decoded message length too large: found 5 bytes"),
                (Code::ResourceExhausted, "TRILBY_DAPR_MAX_MESSAGE"),
            ),
            (Status::unauthenticated("Unauthorized"), (Code::Unauthenticated, "DAPR_API_TOKEN")),
        ];
        for (status, (code, setting)) in table {
            let error = error(&status, &here());
            assert_eq!(error.code, code);
            assert!(error.message.contains(setting), "{error}");
            assert!(error.reason.starts_with("TRILBY_"), "{error:?}");
        }
        let other = error(&Status::resource_exhausted("too many jobs"), &here());
        assert_eq!((other.code, &*other.reason), (Code::ResourceExhausted, ""));
    }

    #[test]
    fn daprs_code_reason_and_text_are_kept() {
        let details = ErrorDetails::with_error_info("DAPR_STATE_NOT_FOUND", "d", HashMap::new());
        let status = Status::with_error_details(
            tonic::Code::InvalidArgument,
            "state store x is not found",
            details,
        );
        let error = error(&status, &here());
        assert_eq!(error.code, Code::InvalidArgument);
        assert_eq!(error.reason, "DAPR_STATE_NOT_FOUND");
        assert_eq!(error.message, "state store x is not found");
    }

    #[test]
    fn a_broken_transport_is_unavailable_whatever_its_code() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let status = Status::from_error(Box::new(refused));
        let error = error(&status, &here());
        assert_eq!(error.code, Code::Unavailable);
        assert!(error.message.contains("127.0.0.1:1"), "{error}");
        assert!(error.message.contains("connection refused"), "{error}");
    }

    #[test]
    fn an_unknown_method_is_told_apart_from_a_failed_one() {
        let text = "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id \
                    not found";
        assert_eq!(error(&Status::unknown(text), &here()).code, Code::Unimplemented);
        assert_eq!(error(&Status::unknown("else"), &here()).code, Code::Unknown);
    }
}
