//! A policy, and the calls under it: a timeout for each try, around that the circuit breaker, and
//! around both the retries, as daprd nests them.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::breaker::{Breaker, Ending, Refusal};
use super::retry::{self, Retry};

/// A look at a half-open breaker again.
const TRIALS_WITHIN: Duration = Duration::from_millis(100);

/// What is done about a target that fails or is slow.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// What the target is, for the log.
    pub(crate) target: String,
    /// The bound on each try.
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<Arc<Retry>>,
    pub(crate) breaker: Option<Arc<Breaker>>,
}

/// What a failed try says about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It failed, and may do better.
    Passing,
    /// It failed, and would again.
    Lasting,
    /// It failed with a status of HTTP, of which a policy may say that it is not tried again.
    Status(StatusCode),
    /// Nothing: the call was wrong.
    OfTheCall,
}

/// Why a call under a policy ended without a result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop<E> {
    /// The last try failed so.
    Failed(E),
    /// The circuit breaker did not let it through.
    Refused(Refusal),
    /// The last try took longer than the policy allows.
    TimedOut,
    /// The caller's own deadline passed.
    Deadline,
}

impl<E> Stop<E> {
    /// The text of Go's errors with which daprd words these ends.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Failed(_) => "the call failed",
            Self::Refused(Refusal::Open) => "circuit breaker is open",
            Self::Refused(Refusal::TooMany) => "too many requests",
            Self::TimedOut | Self::Deadline => "context deadline exceeded",
        }
    }
}

impl Policy {
    /// Makes a call, again as the policy has it, until `deadline` at the latest. `judge` says of a
    /// failure what it means.
    pub(crate) async fn run<T, E, F>(
        &self,
        deadline: Option<Instant>,
        judge: impl Fn(&E) -> Fault,
        call: impl FnMut() -> F,
    ) -> Result<T, Stop<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run_until(deadline, None, judge, call).await
    }

    /// The same. The wait for another try ends when `given_up` is cancelled, and the tries with it.
    pub(crate) async fn run_until<T, E, F>(
        &self,
        deadline: Option<Instant>,
        given_up: Option<&CancellationToken>,
        judge: impl Fn(&E) -> Fault,
        mut call: impl FnMut() -> F,
    ) -> Result<T, Stop<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let begun = Instant::now();
        let mut failures = 0_u32;
        loop {
            let stop = match self.run_once(deadline, &judge, &mut call).await {
                Ok(done) => return Ok(done),
                Err(stop) => stop,
            };
            failures = failures.saturating_add(1);
            let Some(wait) = self.wait(&stop, &judge, failures, begun.elapsed()) else {
                return Err(stop);
            };
            let due = Instant::now().checked_add(wait);
            if deadline.is_some_and(|deadline| due.is_none_or(|due| due >= deadline)) {
                return Err(stop);
            }
            let target = &self.target;
            tracing::debug!(target, failures, ?wait, "to be tried again");
            if let Some(given_up) = given_up {
                if given_up.run_until_cancelled(sleep(wait)).await.is_none() {
                    return Err(stop);
                }
            } else {
                sleep(wait).await;
            }
        }
    }

    /// Makes a call that cannot be repeated.
    pub(crate) async fn run_once<T, E, F>(
        &self,
        deadline: Option<Instant>,
        judge: impl Fn(&E) -> Fault,
        call: impl FnOnce() -> F,
    ) -> Result<T, Stop<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let now = Instant::now();
        let pass = self.breaker.as_ref().map(|breaker| breaker.admit(now)).transpose();
        let pass = pass.map_err(Stop::Refused)?;
        let own = self.timeout.and_then(|timeout| now.checked_add(timeout));
        let (end, late) = match (own, deadline) {
            (Some(own), Some(deadline)) if own < deadline => (Some(own), Stop::TimedOut),
            (Some(own), None) => (Some(own), Stop::TimedOut),
            (_, deadline) => (deadline, Stop::Deadline),
        };
        let done = match end {
            None => call().await.map_err(Stop::Failed),
            Some(end) => match timeout_at(end, call()).await {
                Ok(done) => done.map_err(Stop::Failed),
                Err(_) => Err(late),
            },
        };
        if let Some(pass) = pass {
            let ending = match &done {
                Ok(_) => Ending::Success,
                Err(Stop::Failed(error)) if judge(error) == Fault::OfTheCall => Ending::Untold,
                Err(_) => Ending::Failure,
            };
            pass.end(ending, Instant::now());
        }
        done
    }

    /// How long the circuit breaker lets nothing through, if it is open, and else for how long one
    /// waits until its trials have ended.
    pub(crate) fn shut_for(&self) -> Duration {
        let shut = self.breaker.as_ref().map(|breaker| breaker.shut_for(Instant::now()));
        shut.unwrap_or_default().max(TRIALS_WITHIN)
    }

    /// The wait before the next try; `None` when there is none.
    fn wait<E>(
        &self,
        stop: &Stop<E>,
        judge: impl Fn(&E) -> Fault,
        failures: u32,
        elapsed: Duration,
    ) -> Option<Duration> {
        let retry = self.retry.as_ref()?;
        let again = match stop {
            Stop::TimedOut => true,
            Stop::Refused(_) | Stop::Deadline => false,
            Stop::Failed(error) => match judge(error) {
                Fault::Passing => true,
                Fault::Lasting | Fault::OfTheCall => false,
                Fault::Status(status) => retry.wants(status),
            },
        };
        if again { retry.wait(failures, elapsed, retry::random()) } else { None }
    }
}

#[cfg(test)]
mod tests;
