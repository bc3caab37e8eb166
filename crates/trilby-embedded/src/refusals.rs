//! daprd's answers to calls that name a component which is not there, or fails.

use std::fmt::Display;

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

/// A key that could not be read.
pub(crate) fn state_get(key: &str, store: &str, why: impl Display) -> Error {
    internal(format!("fail to get {key} from state store {store}: {why}"), "ERR_STATE_GET")
}

/// Keys that could not be written.
pub(crate) fn state_save(code: Code, store: &str, why: impl Display) -> Error {
    Error::new(code, format!("failed saving state in state store {store}: {why}"))
        .with_reason("ERR_STATE_SAVE")
}

/// A key that could not be deleted.
pub(crate) fn state_delete(code: Code, key: &str, why: impl Display) -> Error {
    Error::new(code, format!("failed deleting state with key {key}: {why}"))
        .with_reason("ERR_STATE_DELETE")
}

/// Keys that could not be deleted.
pub(crate) fn states_delete(code: Code, store: &str, why: impl Display) -> Error {
    Error::new(code, format!("failed deleting state in state store {store}: {why}"))
        .with_reason("ERR_STATE_BULK_DELETE")
}

/// A transaction that could not be made.
pub(crate) fn state_transaction(code: Code, why: impl Display) -> Error {
    Error::new(code, format!("error while executing state transaction: {why}"))
        .with_reason("ERR_STATE_TRANSACTION")
}

/// No state store of this runtime has queries, and daprd says so without a look at the query.
pub(crate) fn no_queries() -> Error {
    Error::new(Code::Internal, "state store does not support querying")
        .with_reason("DAPR_STATE_QUERYING_NOT_SUPPORTED")
}

/// No such pub/sub broker. daprd says the same where there is none at all.
pub(crate) fn pubsub(name: &str) -> Error {
    if name.is_empty() {
        return Error::new(Code::InvalidArgument, "pubsub name is empty")
            .with_reason("DAPR_PUBSUB_NAME_EMPTY");
    }
    Error::new(Code::InvalidArgument, format!("pubsub {name} is not found"))
        .with_reason("DAPR_PUBSUB_NOT_FOUND")
}

/// An event that could not be published.
pub(crate) fn publish(topic: &str, pubsub: &str, why: impl Display) -> Error {
    let message = format!("error when publishing to topic {topic} in pubsub {pubsub}: {why}");
    internal(message, "DAPR_PUBSUB_PUBLISH_MESSAGE")
}

/// An output binding that cannot be invoked.
pub(crate) fn output_binding(name: &str, reason: &str) -> Error {
    Error::new(Code::Internal, format!("error invoking output binding {name}: {reason}"))
        .with_reason("ERR_INVOKE_OUTPUT_BINDING")
}

/// No such configuration store; `none` when there is no configuration store at all.
pub(crate) fn configuration_store(name: &str, none: bool) -> Error {
    if none {
        return Error::new(Code::FailedPrecondition, "configuration stores not configured")
            .with_reason("ERR_CONFIGURATION_STORE_NOT_CONFIGURED");
    }
    Error::new(Code::InvalidArgument, format!("configuration store {name} not found"))
        .with_reason("ERR_CONFIGURATION_STORE_NOT_FOUND")
}

/// Keys of a configuration store that could not be read. daprd shows them as Go does.
pub(crate) fn configuration(keys: &[String], store: &str, why: impl Display) -> Error {
    let keys = keys.join(" ");
    let message = format!("failed to get [{keys}] from Configuration store {store}: {why}");
    internal(message, "ERR_CONFIGURATION_GET")
}

/// There is no lock store at all. Here and below the reasons are those of daprd's HTTP API: over
/// gRPC it gives none.
pub(crate) fn no_lock_store() -> Error {
    Error::new(Code::FailedPrecondition, "lock store is not configured")
        .with_reason("ERR_LOCK_STORE_NOT_CONFIGURED")
}

/// No such lock store.
pub(crate) fn lock_store(name: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("lock store {name} not found"))
        .with_reason("ERR_LOCK_STORE_NOT_FOUND")
}

/// A lock without a time.
pub(crate) fn lock_expiry(store: &str) -> Error {
    malformed(format!("ExpiryInSeconds is not positive in lock store {store}"))
}

/// A lock that could not be asked for.
pub(crate) fn try_lock(why: impl Display) -> Error {
    internal(format!("failed to try acquiring lock: {why}"), "ERR_TRY_LOCK")
}

/// A lock that could not be given back.
pub(crate) fn unlock(why: impl Display) -> Error {
    internal(format!("failed to release lock: {why}"), "ERR_UNLOCK")
}

/// Refuses a lock of which something is empty.
pub(crate) fn empty_in_lock(name: &str, value: &str, store: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(malformed(format!("{name} is empty in lock store {store}")));
    }
    Ok(())
}

/// The longest name of a lock or of an owner, in bytes. Stores keep both for as long as a lock is
/// held.
const LOCK_NAME_BYTES_MAX: usize = 1024;

/// Refuses a lock of which something is too long. This bound is of the embedded runtime.
pub(crate) fn too_long_in_lock(name: &str, value: &str, store: &str) -> Result<(), Error> {
    if value.len() > LOCK_NAME_BYTES_MAX {
        return Err(malformed(format!(
            "{name} has more than {LOCK_NAME_BYTES_MAX} bytes in lock store {store}; use a shorter \
             one"
        )));
    }
    Ok(())
}

fn malformed(message: String) -> Error {
    Error::new(Code::InvalidArgument, message).with_reason("ERR_MALFORMED_REQUEST")
}

/// No such secret store; `none` when there is no secret store at all. daprd gives no reason here.
pub(crate) fn secret_store(name: &str, none: bool) -> Error {
    if none {
        return Error::new(Code::FailedPrecondition, "secret store is not configured");
    }
    Error::new(Code::InvalidArgument, format!("failed finding secret store with key {name}"))
}

/// A secret that could not be read. daprd gives no reason here either.
pub(crate) fn secret(key: &str, store: &str, why: impl Display) -> Error {
    let message = format!("failed getting secret with key {key} from secret store {store}: {why}");
    Error::new(Code::Internal, message)
}

/// Secrets that could not be read.
pub(crate) fn secrets(store: &str, why: impl Display) -> Error {
    let message = format!("failed getting secrets from secret store {store}: {why}");
    Error::new(Code::Internal, message)
}

fn internal(message: String, reason: &'static str) -> Error {
    Error::new(Code::Internal, message).with_reason(reason)
}
