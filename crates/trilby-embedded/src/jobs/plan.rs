//! When a job is due, by the rules of Dapr's scheduler. No clock here.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trilby_dapr::event::duration;
use trilby_dapr::jobs::{FailurePolicy, Job};

use super::time::point;
use crate::bindings::Schedule;

/// What Dapr does when a job says nothing else.
pub(super) const DEFAULT_POLICY: FailurePolicy =
    FailurePolicy::Constant { interval: Some(Duration::from_secs(1)), max_retries: Some(3) };

/// The shortest interval of `@every`. Dapr accepts shorter ones, and is due about each second.
const INTERVAL_MIN: SignedDuration = SignedDuration::from_secs(1);

/// The shortest wait before another try, so that a job without an interval does not spin.
const RETRY_AFTER_MIN: Duration = Duration::from_millis(100);

/// The times of a job.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    times: Option<Schedule>,
    /// When it begins.
    pub(super) begin: Timestamp,
    /// Whether it is due when it begins, and not only at the first time of its schedule after that.
    is_due_first: bool,
    pub(super) expires: Option<Timestamp>,
    repeats: Option<u32>,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// How often it was due and is done.
    pub(super) count: u32,
    /// How often its delivery has failed since it was last due.
    pub(super) attempts: u32,
    /// The time at which it was due last.
    pub(super) last: Option<Timestamp>,
}

impl Plan {
    /// Makes the plan of a job that is scheduled at `now`. The error is the scheduler's.
    pub(super) fn of(job: &Job, now: Timestamp) -> Result<Self, String> {
        if job.schedule.is_none() && job.repeats.is_some_and(|repeats| repeats > 1) {
            return Err("job must have a schedule to repeat".to_owned());
        }
        if job.repeats == Some(0) {
            return Err("defined repeats must be greater than 0".to_owned());
        }
        if job.schedule.is_none() && job.ttl.is_some() {
            return Err("job must have a schedule to have a ttl".to_owned());
        }
        let times = job.schedule.as_deref().map(schedule).transpose()?;
        let begin = job.due_time.as_deref().map_or(Ok(now), |text| point(text, now))?;
        let expires = job.ttl.as_deref().map(|text| point(text, begin)).transpose();
        let expires = expires.map_err(|_| "ttl format not recognized")?;
        if job.due_time.is_some() && expires.is_some_and(|expires| begin > expires) {
            return Err("ttl must be greater than due time".to_owned());
        }
        let never = times.as_ref().is_some_and(|times| times.next_after(begin).is_none());
        if never && job.due_time.is_none() {
            return Err("no such time ever comes".to_owned());
        }
        Ok(Self::new(times, job, begin, expires))
    }

    /// Makes the plan of a job that was scheduled before.
    pub(super) fn again(
        job: &Job,
        begin: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<Self, String> {
        let times = job.schedule.as_deref().map(schedule).transpose()?;
        Ok(Self::new(times, job, begin, expires))
    }

    fn new(
        times: Option<Schedule>,
        job: &Job,
        begin: Timestamp,
        expires: Option<Timestamp>,
    ) -> Self {
        let is_due_first = job.due_time.is_some();
        Self { times, begin, is_due_first, expires, repeats: job.repeats }
    }

    /// When the job is due next; `None` when it is over. May lie in the past: what was missed is
    /// caught up with, one time after the other, as in Dapr.
    pub(super) fn next(&self, progress: &Progress) -> Option<Timestamp> {
        if self.repeats.is_some_and(|repeats| progress.count >= repeats) {
            return None;
        }
        let next = match (&self.times, progress.last) {
            (None, _) => (progress.count == 0).then_some(self.begin),
            (Some(_), None) if self.is_due_first => Some(self.begin),
            (Some(times), last) => times.next_after(last.unwrap_or(self.begin)),
        };
        next.filter(|next| self.expires.is_none_or(|expires| *next <= expires))
    }

    /// The progress once the job is done for the time at which it was due.
    pub(super) fn done(&self, progress: &Progress) -> Progress {
        Progress {
            count: progress.count.saturating_add(1),
            attempts: 0,
            last: self.next(progress).or(progress.last),
        }
    }

    /// The progress after a failure, and how long to wait before the next try: `None` when the
    /// policy has no further one.
    pub(super) fn failed(
        &self,
        progress: &Progress,
        policy: FailurePolicy,
    ) -> (Progress, Option<Duration>) {
        let attempts = progress.attempts.saturating_add(1);
        match policy {
            FailurePolicy::Constant { interval, max_retries }
                if max_retries.is_none_or(|retries| retries >= attempts) =>
            {
                let wait = interval.unwrap_or_default().max(RETRY_AFTER_MIN);
                (Progress { attempts, ..*progress }, Some(wait))
            }
            FailurePolicy::Drop | FailurePolicy::Constant { .. } => (self.done(progress), None),
        }
    }
}

/// Reads cron with seconds, `@daily` and the like, and `@every 10s`; the error is the scheduler's.
fn schedule(text: &str) -> Result<Schedule, String> {
    if text.is_empty() {
        return Err("empty spec string".to_owned());
    }
    if let Some(interval) = text.strip_prefix("@every ") {
        let interval = duration::parse(interval).ok_or_else(|| {
            format!("failed to parse duration {text}: time: invalid duration {interval:?}")
        })?;
        return Ok(Schedule::Every(interval.max(INTERVAL_MIN)));
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let is_cron = !["@", "TZ=", "CRON_TZ="].iter().any(|prefix| text.starts_with(prefix));
    if is_cron && fields.len() != 6 {
        let (found, fields) = (fields.len(), fields.join(" "));
        return Err(format!("expected exactly 6 fields, found {found}: [{fields}]"));
    }
    Schedule::parse(text)
}
