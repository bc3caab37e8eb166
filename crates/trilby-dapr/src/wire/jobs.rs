//! Jobs as messages of Dapr's protobuf API, and back.

use std::time::Duration;

use super::any;
use crate::Result;
use crate::jobs::{FailurePolicy, Job};
use crate::proto::common::v1 as common;
use crate::proto::common::v1::job_failure_policy::Policy;
use crate::proto::runtime::v1 as runtime;

/// A job as a message.
///
/// # Errors
///
/// When data that should be JSON is not.
pub fn sent(job: Job) -> Result<runtime::Job> {
    Ok(runtime::Job {
        name: job.name,
        schedule: job.schedule,
        repeats: job.repeats,
        due_time: job.due_time,
        ttl: job.ttl,
        data: job.data.map(any::wrap).transpose()?,
        failure_policy: job.failure_policy.map(policy),
    })
}

fn policy(policy: FailurePolicy) -> common::JobFailurePolicy {
    let policy = match policy {
        FailurePolicy::Drop => Policy::Drop(common::JobFailurePolicyDrop {}),
        FailurePolicy::Constant { interval, max_retries } => {
            let interval = interval.and_then(|interval| interval.try_into().ok());
            Policy::Constant(common::JobFailurePolicyConstant { interval, max_retries })
        }
    };
    common::JobFailurePolicy { policy: Some(policy) }
}

/// A message as a job.
#[must_use]
pub fn kept(job: runtime::Job) -> Job {
    let policy = job.failure_policy.and_then(|policy| policy.policy).map(|policy| match policy {
        Policy::Drop(_) => FailurePolicy::Drop,
        Policy::Constant(constant) => FailurePolicy::Constant {
            interval: constant.interval.and_then(|interval| Duration::try_from(interval).ok()),
            max_retries: constant.max_retries,
        },
    });
    Job {
        name: job.name,
        schedule: job.schedule,
        repeats: job.repeats,
        due_time: job.due_time,
        ttl: job.ttl,
        data: job.data.map(any::unwrap),
        failure_policy: policy,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::jobs::JobData;

    #[test]
    fn a_job_comes_back_as_it_was_sent() {
        let policies = [
            FailurePolicy::Drop,
            FailurePolicy::Constant { interval: None, max_retries: None },
            FailurePolicy::Constant {
                interval: Some(Duration::from_millis(1500)),
                max_retries: Some(7),
            },
        ];
        for policy in policies {
            let job = Job {
                name: "n".into(),
                schedule: Some("@every 1h".into()),
                repeats: Some(3),
                due_time: Some("10s".into()),
                ttl: Some("1h".into()),
                data: Some(JobData::Json(Bytes::from_static(b"[1]"))),
                failure_policy: Some(policy),
            };
            assert_eq!(kept(sent(job.clone()).expect("valid")), job);
        }
    }
}
