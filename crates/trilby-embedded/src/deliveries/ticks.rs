//! The triggers of one cron binding.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Clock;
use super::post::Target;
use super::tries::Tries;
use crate::bindings::{Cron, cron_headers};
use crate::broker::Backlog;

/// The longest sleep without a look at the clock: the machine may have been suspended, or its
/// clock set.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Delivers each trigger when it is due. A trigger that is due while another one of the same
/// binding is being delivered is left out (daprd would deliver it at the same time), and a failed
/// one is not repeated, unless a policy says so.
pub(super) struct Delivery {
    pub(super) target: Target,
    pub(super) cron: Arc<Cron>,
    pub(super) tries: Tries,
    pub(super) clock: Clock,
    pub(super) backlog: Arc<Backlog>,
    pub(super) draining: CancellationToken,
}

impl Delivery {
    pub(super) async fn run(self) {
        let mut next = self.cron.next_after(self.now());
        let mut last = None;
        while let Some(due) = next {
            let waited = self.draining.run_until_cancelled(self.until(due, last)).await;
            let Some(due) = waited else { return };
            last = Some(due);
            // Counted while it runs: a guest may publish, and draining waits for it.
            let ticket = self.backlog.ticket(None);
            self.deliver().await;
            drop(ticket);
            let now = self.now();
            // In step with the schedule, unless that lies in the past.
            next = self.cron.next_after(due).filter(|next| *next > now);
            next = next.or_else(|| self.cron.next_after(now));
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Waits until a trigger is due, and says when that was.
    ///
    /// After the clock was set back it may be due sooner than first thought, but not at the time
    /// of the last trigger: it has been delivered.
    async fn until(&self, mut due: Timestamp, last: Option<Timestamp>) -> Timestamp {
        loop {
            let now = self.now();
            let sooner = self.cron.next_after(now).filter(|next| *next < due);
            due = sooner.filter(|next| Some(*next) != last).unwrap_or(due);
            let left = Duration::try_from(due.duration_since(now)).unwrap_or_default();
            if left.is_zero() {
                return due;
            }
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
        }
    }

    async fn deliver(&self) {
        let binding = self.cron.name();
        let headers = cron_headers(self.now());
        let post = || self.target.post("application/json", headers.clone(), Bytes::new());
        match self.tries.all(&self.draining, post).await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::warn!(binding, status, "a trigger failed; it is not repeated");
            }
            Err(why) => {
                tracing::warn!(binding, "a trigger failed; it is not repeated: {why}");
            }
        }
    }
}
