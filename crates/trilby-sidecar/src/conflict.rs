//! Lost races that daprd does not report as such.
//!
//! A first-write without an etag, on a key that is there, is a mismatch in Dapr's other stores. In
//! `state.redis` (components-contrib 1.18.4) its script fails instead, and daprd answers INTERNAL. A
//! guest that retries on a conflict must not depend on the store that an operator chose.

use trilby_dapr::state::{Concurrency, StateItem};
use trilby_dapr::{Code, Error};

/// Whether this write may only create the key.
pub(crate) fn is_first_write_without_etag(item: &StateItem) -> bool {
    item.concurrency == Concurrency::FirstWrite && item.etag.as_deref().is_none_or(str::is_empty)
}

/// The error as the other stores give it.
pub(crate) fn recognised(error: Error) -> Error {
    if !is_redis_script(&error) {
        return error;
    }
    let message = format!("possible etag mismatch. error from state store: {}", error.message);
    Error::new(Code::Aborted, message).with_reason(error.reason)
}

/// The same for a transaction, in which daprd makes INTERNAL of every failure.
pub(crate) fn recognised_in_transaction(error: Error) -> Error {
    if error.code == Code::Internal && error.is_conflict() {
        return Error::new(Code::Aborted, error.message).with_reason(error.reason);
    }
    recognised(error)
}

/// How the scripts of `state.redis` end when the version is another, and only then.
fn is_redis_script(error: &Error) -> bool {
    let ends = ["failed to set key ", "failed to delete "];
    error.code == Code::Internal
        && error.message.contains("user_script")
        && ends.iter().any(|end| error.message.contains(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_lost_in_redis_is_a_conflict() {
        let text = "failed saving state in state store s: failed to set key a||k: ERR \
                    user_script:14: failed to set key a||k script: d9, on @user_script:14.";
        assert!(recognised(Error::new(Code::Internal, text)).is_conflict());
        for other in ["failed to set key a||k: connection refused", "user_script: out of memory"] {
            let error = Error::new(Code::Internal, other);
            assert_eq!(recognised(error.clone()), error);
        }
    }

    #[test]
    fn a_race_lost_in_a_transaction_is_a_conflict() {
        let table = [
            ("error while executing state transaction: possible etag mismatch. error", true),
            ("ERR user_script:4: failed to delete a||k script: d9, on @user_script:4.", true),
            ("ERR user_script:14: failed to set key a||k script: d9, on @user_script:14.", true),
            ("disk full", false),
        ];
        for (text, lost) in table {
            let error = recognised_in_transaction(Error::new(Code::Internal, text));
            assert_eq!(error.code == Code::Aborted, lost, "{text}");
        }
    }

    #[test]
    fn only_a_first_write_without_etag_is_meant() {
        let item = |concurrency, etag: Option<&str>| StateItem {
            concurrency,
            etag: etag.map(str::to_owned),
            ..StateItem::default()
        };
        assert!(is_first_write_without_etag(&item(Concurrency::FirstWrite, None)));
        assert!(is_first_write_without_etag(&item(Concurrency::FirstWrite, Some(""))));
        assert!(!is_first_write_without_etag(&item(Concurrency::FirstWrite, Some("1"))));
        assert!(!is_first_write_without_etag(&item(Concurrency::LastWrite, None)));
    }
}
