//! daprd's answers to calls about jobs that cannot be, by way of its scheduler's.

use trilby_dapr::{Code, Error};

/// The longest name of a job within the scheduler, which puts the app before it.
const NAME_BYTES_MAX: usize = 512;

pub(super) fn name_empty() -> Error {
    Error::new(Code::InvalidArgument, "Name is empty").with_reason("DAPR_SCHEDULER_JOB_NAME_EMPTY")
}

pub(super) fn schedule_empty() -> Error {
    Error::new(Code::InvalidArgument, "Schedule is empty")
        .with_reason("DAPR_SCHEDULER_SCHEDULE_EMPTY")
}

pub(super) fn not_valid(why: &str) -> Error {
    schedule_failed(&format!("job failed validation: {why}"))
}

pub(super) fn exists(full_name: &str) -> Error {
    let message = format!(
        "failed to schedule job due to: rpc error: code = AlreadyExists desc = job already \
         exists: '{full_name}'"
    );
    Error::new(Code::AlreadyExists, message).with_reason("DAPR_SCHEDULER_SCHEDULE_JOB")
}

pub(super) fn schedule_failed(why: &str) -> Error {
    let message = format!("failed to schedule job due to: rpc error: code = Unknown desc = {why}");
    Error::new(Code::Internal, message).with_reason("DAPR_SCHEDULER_SCHEDULE_JOB")
}

pub(super) fn delete_failed(why: &str) -> Error {
    let message = format!("failed to delete job due to: rpc error: code = Unknown desc = {why}");
    Error::new(Code::Internal, message).with_reason("DAPR_SCHEDULER_DELETE_JOB")
}

/// To daprd this is INTERNAL, with NOT_FOUND only in its words.
pub(super) fn not_found(name: &str) -> Error {
    let message = format!(
        "failed to get job due to: rpc error: code = NotFound desc = job not found: {name}"
    );
    Error::new(Code::NotFound, message).with_reason("DAPR_SCHEDULER_GET_JOB")
}

pub(super) fn full(why: &str) -> Error {
    Error::new(Code::ResourceExhausted, format!("failed to schedule job due to: {why}"))
        .with_reason("TRILBY_JOBS_FULL")
}

/// What a name may not have; all else it may.
pub(super) fn check_name(name: &str, full_name: &str) -> Result<(), Error> {
    let why = if full_name.len() > NAME_BYTES_MAX {
        format!("must be at most {NAME_BYTES_MAX} characters")
    } else if name.contains(['/', '\\', '#', '?']) {
        "must not contain '/', '\\', '#' or '?'".to_owned()
    } else if name.contains(char::is_control) {
        "must not contain control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(schedule_failed(&format!("job name is invalid {full_name:?}: {why}")))
}
