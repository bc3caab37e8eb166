//! Dapr's errors: a gRPC code, Dapr's reason, and a text.

use std::borrow::Cow;

/// The gRPC status codes. The numbers are those of gRPC, and, negated, those of the guest ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names are those of the gRPC specification")]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// The name as the gRPC specification writes it, such as `INVALID_ARGUMENT`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    /// The number of the code in gRPC, 1 to 16.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminants are the numbers")]
    pub fn number(self) -> i32 {
        self as i32
    }
}

impl From<tonic::Code> for Code {
    fn from(code: tonic::Code) -> Self {
        match code {
            tonic::Code::Cancelled => Self::Cancelled,
            tonic::Code::InvalidArgument => Self::InvalidArgument,
            tonic::Code::DeadlineExceeded => Self::DeadlineExceeded,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists => Self::AlreadyExists,
            tonic::Code::PermissionDenied => Self::PermissionDenied,
            tonic::Code::ResourceExhausted => Self::ResourceExhausted,
            tonic::Code::FailedPrecondition => Self::FailedPrecondition,
            tonic::Code::Aborted => Self::Aborted,
            tonic::Code::OutOfRange => Self::OutOfRange,
            tonic::Code::Unimplemented => Self::Unimplemented,
            tonic::Code::Internal => Self::Internal,
            tonic::Code::Unavailable => Self::Unavailable,
            tonic::Code::DataLoss => Self::DataLoss,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
            // An error with the code OK is a peer that contradicts itself.
            tonic::Code::Ok | tonic::Code::Unknown => Self::Unknown,
        }
    }
}

/// Why a building block refused or failed. It never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Error {
    /// The gRPC code, by which a program decides what to do.
    pub code: Code,
    /// Dapr's reason (`google.rpc.ErrorInfo.reason`), such as `DAPR_STATE_NOT_FOUND`. Empty where
    /// daprd gives none; reasons of our own begin with `TRILBY_`.
    pub reason: Cow<'static, str>,
    /// What happened, for a person.
    pub message: String,
}

impl Error {
    /// An error without a reason.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, reason: Cow::Borrowed(""), message: message.into() }
    }

    /// The same error with Dapr's reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// The caller's deadline passed before `what` was done.
    #[must_use]
    pub fn deadline(what: &str) -> Self {
        Self::new(Code::DeadlineExceeded, format!("{what} did not finish within the deadline"))
            .with_reason("TRILBY_DEADLINE")
    }

    /// The manifest does not grant this to the route. `line` is the manifest line that would.
    #[must_use]
    pub fn not_granted(what: &str, line: &str) -> Self {
        Self::new(
            Code::PermissionDenied,
            format!("the manifest does not grant {what}; to allow it, add to this route: {line}"),
        )
        .with_reason("TRILBY_NOT_GRANTED")
    }

    /// An argument that the ABI does not allow.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message).with_reason("TRILBY_INVALID_ARGUMENT")
    }

    /// An operation that this back end does not have.
    #[must_use]
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, message)
    }

    /// Whether a write lost a race: its etag was not the current one.
    ///
    /// Dapr answers ABORTED to a single write and INTERNAL to a transaction, so the text counts.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code == Code::Aborted
            || (self.code == Code::Internal && self.message.contains("possible etag mismatch"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_carry_grpc_numbers_and_names() {
        for number in 1..=16 {
            let code = Code::from(tonic::Code::from(number));
            assert_eq!(code.number(), number);
        }
        assert_eq!(Code::Aborted.name(), "ABORTED");
    }

    #[test]
    fn conflicts_are_recognised_in_both_of_daprs_forms() {
        assert!(Error::new(Code::Aborted, "x").is_conflict());
        assert!(Error::new(Code::Internal, "tx: possible etag mismatch. error").is_conflict());
        assert!(!Error::new(Code::Internal, "disk full").is_conflict());
    }
}
