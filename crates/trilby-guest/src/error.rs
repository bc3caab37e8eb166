//! What can go wrong in a call to the host.

use std::{fmt, io};

/// The result of a call to the host.
pub type Result<T> = std::result::Result<T, Error>;

/// A call that the host or Dapr refused.
///
/// ```
/// use trilby_guest::{Code, Error};
///
/// let error = Error::new(Code::Aborted, "possible etag mismatch");
/// assert!(error.is_conflict());
/// assert_eq!(error.to_string(), "ABORTED: possible etag mismatch");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// The kind of error.
    pub code: Code,
    /// The reason in Dapr's words, such as `ERR_STATE_SAVE`, or in the host's, which
    /// begin with `TRILBY_`.
    pub reason: Option<String>,
    /// A sentence for people.
    pub message: String,
}

impl Error {
    /// An error without a reason.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, reason: None, message: message.into() }
    }

    /// Someone else was first: an etag was not current, or a lock was held. Read again and retry.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code == Code::Aborted
    }

    /// The target does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code == Code::NotFound
    }

    /// The route has no grant for the target: the message says which line of the manifest to add.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.code == Code::PermissionDenied
    }

    /// Dapr cannot be reached at the moment. Worth another try later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.code == Code::Unavailable
    }

    /// The answer did not come in time. A write may have happened all the same.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        self.code == Code::DeadlineExceeded
    }

    /// The error of the host in an error of a stream, where there is one.
    ///
    /// ```
    /// use trilby_guest::{Code, Error};
    ///
    /// let error = std::io::Error::from(Error::new(Code::Unavailable, "no sidecar"));
    /// assert!(Error::of_stream(&error).is_some_and(Error::is_unavailable));
    /// ```
    #[must_use]
    pub fn of_stream(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Reads the text of `dapr_v1.error`: a header block, a blank line, a sentence.
    pub(crate) fn parse(code: Code, text: &str) -> Self {
        let (head, message) = text.split_once("\n\n").unwrap_or((text, ""));
        let reason = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| *name == "reason")
            .map(|(_, value)| value.trim().to_owned());
        Self { code, reason, message: message.trim_end().to_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// What streams give: [`Error::of_stream`] finds the way back.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.code {
            Code::NotFound => io::ErrorKind::NotFound,
            Code::PermissionDenied => io::ErrorKind::PermissionDenied,
            Code::InvalidArgument => io::ErrorKind::InvalidInput,
            Code::DeadlineExceeded => io::ErrorKind::TimedOut,
            Code::Unimplemented => io::ErrorKind::Unsupported,
            Code::Unavailable => io::ErrorKind::NotConnected,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Declares the codes once: number, variant and name belong together.
macro_rules! codes {
    ($($(#[$doc:meta])* $number:literal $variant:ident $name:literal,)*) => {
        /// The kind of an error: the status codes of gRPC.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Code {
            /// The code's name in gRPC, such as `NOT_FOUND`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The code that a negative result of an import stands for.
            #[must_use]
            pub fn from_result(result: i32) -> Self {
                match result.wrapping_neg() {
                    $($number => Self::$variant,)*
                    _ => Self::Unknown,
                }
            }
        }
    };
}

codes! {
    /// The request was given up.
    1 Cancelled "CANCELLED",
    /// The host knows no better.
    2 Unknown "UNKNOWN",
    /// A name, an option or a body is not acceptable.
    3 InvalidArgument "INVALID_ARGUMENT",
    /// The answer did not come in time.
    4 DeadlineExceeded "DEADLINE_EXCEEDED",
    /// The target does not exist.
    5 NotFound "NOT_FOUND",
    /// The target exists already.
    6 AlreadyExists "ALREADY_EXISTS",
    /// The route has no grant for it.
    7 PermissionDenied "PERMISSION_DENIED",
    /// A limit was met: size, number of handles, or one of the component.
    8 ResourceExhausted "RESOURCE_EXHAUSTED",
    /// Something must be set up first.
    9 FailedPrecondition "FAILED_PRECONDITION",
    /// An etag was not current.
    10 Aborted "ABORTED",
    /// A position past the end.
    11 OutOfRange "OUT_OF_RANGE",
    /// The host or the component cannot do this.
    12 Unimplemented "UNIMPLEMENTED",
    /// A fault in the host or in Dapr.
    13 Internal "INTERNAL",
    /// Dapr cannot be reached.
    14 Unavailable "UNAVAILABLE",
    /// Data is lost or corrupt.
    15 DataLoss "DATA_LOSS",
    /// Dapr did not accept the host's token.
    16 Unauthenticated "UNAUTHENTICATED",
}

impl Code {
    /// The result by which an import reports this code.
    #[must_use]
    pub const fn as_result(self) -> i32 {
        -(self as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_host_becomes_an_error() {
        let text = "code: 10\nname: ABORTED\nreason: ERR_STATE_SAVE\n\nfailed saving\n";
        let error = Error::parse(Code::from_result(-10), text);
        assert!(error.is_conflict());
        assert_eq!(error.to_string(), "ABORTED (ERR_STATE_SAVE): failed saving");
    }

    #[test]
    fn codes_survive_the_way_through_a_result() {
        for number in 1..=16 {
            assert_eq!(Code::from_result(-number).as_result(), -number);
        }
        assert_eq!(Code::from_result(-99), Code::Unknown);
        assert_eq!(Code::from_result(i32::MIN), Code::Unknown);
    }
}
