//! Why Redis did not do something.

use std::fmt;

use redis::{ErrorKind, RedisError};

/// What went wrong. The texts are for messages, and name no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Redis could not be reached, or the connection was lost, or there was no answer in time. What
    /// was asked for may have been done all the same.
    Lost(String),
    /// Redis refused, in its words.
    Refused(String),
}

impl Failure {
    pub(super) fn of(error: &RedisError, shown: &str) -> Self {
        match error.kind() {
            ErrorKind::Io if error.is_timeout() => Self::late(shown),
            ErrorKind::Io => Self::Lost(format!("cannot reach Redis at {shown}: {error}")),
            _ => Self::Refused(words(error)),
        }
    }

    pub(super) fn late(shown: &str) -> Self {
        Self::Lost(format!("Redis at {shown} does not answer in time"))
    }
}

/// The server's own words: `CODE what is wrong`.
fn words(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(text) | Self::Refused(text) => f.write_str(text),
        }
    }
}
