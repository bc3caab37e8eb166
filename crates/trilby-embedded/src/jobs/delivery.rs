//! Bringing jobs that are due to the app.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trilby_dapr::delivery;

use super::Jobs;
use super::plan::DEFAULT_POLICY;
use super::table::Entry;
use crate::broker::{Backlog, Ticket};
use crate::deliveries::Receiver;

/// Jobs that are delivered at the same time.
const AT_ONCE_MAX: usize = 32;

/// The longest sleep without a look at the clock: the machine may have been suspended, or its
/// clock set.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Delivers each job when it is due, but never one name twice at the same time. As with daprd, a 2xx
/// and a 404 settle it; any other answer is a failure, which the job's policy decides about.
pub(crate) struct Delivery {
    pub(crate) receiver: Receiver,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) draining: CancellationToken,
}

/// A job that is due.
struct Turn {
    jobs: Arc<Jobs>,
    entry: Entry,
    /// Counted while it runs: a guest may publish, and draining waits for it.
    _ticket: Ticket,
}

impl Delivery {
    /// Ends when draining begins and what was due before is delivered. Failures of these are tried
    /// again after the next start.
    pub(crate) async fn run(self) {
        let mut running = JoinSet::new();
        let mut changed = self.jobs.changed.subscribe();
        while !self.draining.is_cancelled() {
            while running.len() < AT_ONCE_MAX
                && let Some(turn) = self.take()
            {
                running.spawn(turn.run(self.receiver.clone()));
            }
            let is_full = running.len() >= AT_ONCE_MAX;
            tokio::select! {
                () = self.draining.cancelled() => {}
                Some(_) = running.join_next(), if !running.is_empty() => {}
                _ = changed.changed() => {}
                () = tokio::time::sleep(self.jobs.until_due()), if !is_full => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn take(&self) -> Option<Turn> {
        let entry = self.jobs.table().take(self.jobs.now())?;
        let _ticket = self.backlog.ticket(None);
        Some(Turn { jobs: Arc::clone(&self.jobs), entry, _ticket })
    }
}

impl Turn {
    async fn run(self, receiver: Receiver) {
        let job = &self.entry.job;
        let request = delivery::job(&job.name, job.data.as_ref());
        let failed = match receiver.post(request).await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                tracing::error!(job = job.name, "not tried again: the app has nobody for this job");
                None
            }
            Ok(answer) => Some(format!("the answer was {}", answer.status().as_u16())),
            Err(why) => Some(why),
        };
        let in_memory = self.jobs.in_memory;
        let settle = move || self.jobs.settle(&self.entry, failed.as_deref());
        if in_memory {
            settle();
        } else if let Err(error) = tokio::task::spawn_blocking(settle).await {
            tracing::error!(%error, "a job was delivered, but not settled: it comes again");
        }
    }
}

impl Drop for Turn {
    /// Also when the delivery was broken off: the job is then due again.
    fn drop(&mut self) {
        self.jobs.table().free(&self.entry.job.name);
        self.jobs.changed.send_replace(());
    }
}

impl Jobs {
    /// How long to wait until the next job is due, or until the next look at the clock.
    fn until_due(&self) -> Duration {
        let due = self.table().due();
        let left = due.map(|due| Duration::try_from(due.duration_since(self.now())));
        left.map_or(LOOK_EVERY, |left| left.unwrap_or_default().min(LOOK_EVERY))
    }

    /// Writes down what became of a delivery. A job that was deleted or replaced meanwhile stays so.
    fn settle(&self, entry: &Entry, failed: Option<&str>) {
        let Entry { job, plan, progress, .. } = entry;
        let name = &job.name;
        let mut journal = self.journal();
        if self.table().get(name).is_none_or(|now| now.number != entry.number) {
            return;
        }
        let (progress, retry) = match failed {
            None => (plan.done(progress), None),
            Some(why) => {
                let policy = job.failure_policy.unwrap_or(DEFAULT_POLICY);
                let (progress, retry) = plan.failed(progress, policy);
                match retry {
                    Some(_) => tracing::warn!(job = name, "to be tried again: {why}"),
                    None => tracing::error!(job = name, "not tried again: {why}"),
                }
                (progress, retry)
            }
        };
        let at = match retry {
            Some(wait) => {
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
                Some(self.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX))
            }
            None => plan.next(&progress),
        };
        let kept = match at {
            Some(_) => journal.advance(name, &progress),
            None => journal.delete(name),
        };
        if let Err(error) = kept {
            tracing::error!(
                job = name,
                error,
                "cannot write down that it was delivered: it may \
                come again after a restart"
            );
        }
        match at {
            Some(at) => self.table().advance(name, progress, at),
            None => self.table().remove(name),
        }
    }
}
