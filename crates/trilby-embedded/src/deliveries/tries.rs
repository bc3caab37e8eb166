//! How often, and when, something is delivered again: as the policy for the component has it, or
//! without one as the runtime itself does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio_util::sync::CancellationToken;

use super::retries::{RETRIES_MAX, back_off};
use crate::resiliency::{Fault, Policy, Stop, random};

/// The tries of what one component brings.
#[derive(Clone, Default)]
pub(super) struct Tries {
    policy: Option<Arc<Policy>>,
}

/// What came of one try.
pub(super) enum Posted {
    Answer(Response<Bytes>),
    /// Why there was none.
    Failed(String),
    /// The circuit breaker does not let it through, for so long at least.
    Shut(Duration),
}

/// A try that failed, with an answer or the reason why there is none.
type Failure = Result<Box<Response<Bytes>>, String>;

impl Tries {
    pub(super) fn new(policy: Option<&Arc<Policy>>) -> Self {
        Self { policy: policy.cloned() }
    }

    /// Makes one try. `is_failure` says of an answer whether it speaks against the receiver.
    pub(super) async fn once(
        &self,
        is_failure: impl Fn(&Response<Bytes>) -> bool,
        post: impl Future<Output = Result<Response<Bytes>, String>>,
    ) -> Posted {
        let Some(policy) = &self.policy else {
            return post.await.map_or_else(Posted::Failed, Posted::Answer);
        };
        let try_it = || async { sorted(post.await, is_failure) };
        match policy.run_once(None, |_| Fault::Passing, try_it).await {
            Ok(answer) => Posted::Answer(answer),
            Err(Stop::Failed(Ok(answer))) => Posted::Answer(*answer),
            Err(Stop::Failed(Err(why))) => Posted::Failed(why),
            Err(Stop::TimedOut | Stop::Deadline) => Posted::Failed(late(policy)),
            Err(Stop::Refused(_)) => Posted::Shut(policy.shut_for()),
        }
    }

    /// Makes all tries. The wait for another one ends them when `draining` begins.
    pub(super) async fn all<F>(
        &self,
        draining: &CancellationToken,
        mut post: impl FnMut() -> F,
    ) -> Result<Response<Bytes>, String>
    where
        F: Future<Output = Result<Response<Bytes>, String>>,
    {
        let Some(policy) = &self.policy else {
            return post().await;
        };
        let judge = |failure: &Failure| match failure {
            Ok(answer) => Fault::Status(answer.status()),
            Err(_) => Fault::Passing,
        };
        let try_it = || {
            let posted = post();
            async { sorted(posted.await, |answer| !answer.status().is_success()) }
        };
        match policy.run_until(None, Some(draining), judge, try_it).await {
            Ok(answer) => Ok(answer),
            Err(Stop::Failed(failure)) => failure.map(|answer| *answer),
            Err(Stop::TimedOut | Stop::Deadline) => Err(late(policy)),
            Err(stop @ Stop::Refused(_)) => Err(stop.reason().to_owned()),
        }
    }

    /// The wait before the next try, after so many failed ones, of which the first was so long
    /// ago, and the last was answered with `status`. `None` when there is none.
    pub(super) fn wait(
        &self,
        failures: u32,
        elapsed: Duration,
        status: Option<StatusCode>,
    ) -> Option<Duration> {
        let Some(policy) = &self.policy else {
            return (failures <= RETRIES_MAX).then(|| back_off(failures));
        };
        // As in daprd: a policy without retries has none.
        let retry = policy.retry.as_ref()?;
        if status.is_some_and(|status| !status.is_success() && !retry.wants(status)) {
            return None;
        }
        retry.wait(failures, elapsed, random())
    }
}

fn sorted(
    posted: Result<Response<Bytes>, String>,
    is_failure: impl Fn(&Response<Bytes>) -> bool,
) -> Result<Response<Bytes>, Failure> {
    match posted {
        Ok(answer) if is_failure(&answer) => Err(Ok(Box::new(answer))),
        Ok(answer) => Ok(answer),
        Err(why) => Err(Err(why)),
    }
}

fn late(policy: &Policy) -> String {
    format!("there was no answer within the policy's {:?}", policy.timeout.unwrap_or_default())
}
