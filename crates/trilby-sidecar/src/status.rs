//! Failed rpcs as errors.

use std::error::Error as _;

use tonic::Status;
use tonic_types::StatusExt;
use trilby_dapr::{Code, Error};

/// The error that a status stands for. `address` is where the sidecar should be.
pub(crate) fn error(status: &Status, address: &str) -> Error {
    // A status of our own side has a source: the transport failed, whatever code it got.
    if let Some(source) = status.source() {
        if chain(source).any(|cause| cause.is::<tonic::TimeoutExpired>()) {
            return Error::deadline("a call to the Dapr sidecar");
        }
        return unreachable(address, innermost(source));
    }
    // daprd takes a method that it does not know for one of another app (gRPC proxying).
    if status.message().contains("required metadata dapr-callee-app-id or dapr-app-id") {
        return Error::new(
            Code::Unimplemented,
            "the Dapr sidecar does not know this operation; it is older than 1.18",
        );
    }
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    Error::new(status.code().into(), status.message()).with_reason(reason)
}

fn unreachable(address: &str, cause: String) -> Error {
    Error::new(
        Code::Unavailable,
        format!("the Dapr sidecar at {address} cannot be reached: {cause}"),
    )
    .with_reason("TRILBY_SIDECAR_UNREACHABLE")
}

/// The cause at the end of the chain says most: `connection refused`.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
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

    #[test]
    fn daprs_code_reason_and_text_are_kept() {
        let details = ErrorDetails::with_error_info("DAPR_STATE_NOT_FOUND", "d", HashMap::new());
        let status = Status::with_error_details(
            tonic::Code::InvalidArgument,
            "state store x is not found",
            details,
        );
        let error = error(&status, "here");
        assert_eq!(error.code, Code::InvalidArgument);
        assert_eq!(error.reason, "DAPR_STATE_NOT_FOUND");
        assert_eq!(error.message, "state store x is not found");
    }

    #[test]
    fn a_broken_transport_is_unavailable_whatever_its_code() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let status = Status::from_error(Box::new(refused));
        let error = error(&status, "127.0.0.1:1");
        assert_eq!(error.code, Code::Unavailable);
        assert!(error.message.contains("127.0.0.1:1"), "{error}");
        assert!(error.message.contains("connection refused"), "{error}");
    }

    #[test]
    fn an_unknown_method_is_told_apart_from_a_failed_one() {
        let text = "failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id \
                    not found";
        assert_eq!(error(&Status::unknown(text), "here").code, Code::Unimplemented);
        assert_eq!(error(&Status::unknown("else"), "here").code, Code::Unknown);
    }
}
