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
    // How the script of `state.redis` ends, and only then.
    let lost = error.code == Code::Internal
        && error.message.contains("failed to set key")
        && error.message.contains("user_script");
    if !lost {
        return error;
    }
    let message = format!("possible etag mismatch. error from state store: {}", error.message);
    Error::new(Code::Aborted, message).with_reason(error.reason)
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
