//! A circuit breaker: it keeps calls from a target that keeps failing.
//!
//! Closed, it lets all calls through and counts; when its [`Trip`] is due it opens and lets none
//! through; after its timeout it is half-open, and lets some through on trial: as many successes
//! in a row close it, one failure opens it again. The states and counts are those of daprd's.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::trip::Trip;

/// What a breaker is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Calls that may be on their way while it is half-open, and successes that close it.
    pub(crate) trials: u32,
    /// How often the counts begin anew while it is closed; `None` for never.
    pub(crate) interval: Option<Duration>,
    /// How long it is open.
    pub(crate) timeout: Duration,
    pub(crate) trip: Trip,
}

impl Settings {
    /// How long daprd's breakers are open that name no time.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
}

/// The calls since the state changed, or since the interval began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: u32,
    pub(super) total_successes: u32,
    pub(super) total_failures: u32,
    pub(super) consecutive_successes: u32,
    pub(super) consecutive_failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open,
    HalfOpen,
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The breaker is open.
    Open,
    /// It is half-open, and there are as many trials as may be.
    TooMany,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Success,
    Failure,
    /// It says nothing about the target.
    Untold,
}

/// A circuit breaker.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// What it guards, for the log.
    name: String,
    settings: Settings,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Changes with the state and the interval: what began before says nothing about now.
    generation: u64,
    counts: Counts,
    /// When the interval ends, or the time of being open.
    expiry: Option<Instant>,
}

/// A call that was let through. Dropped without [`end`](Self::end), it says nothing.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    generation: u64,
    ended: bool,
}

impl Breaker {
    pub(crate) fn new(name: String, settings: Settings, now: Instant) -> Self {
        let mut inner =
            Inner { state: State::Closed, generation: 0, counts: Counts::default(), expiry: None };
        inner.enter(State::Closed, &settings, now);
        Self { name, settings, inner: Mutex::new(inner) }
    }

    /// Lets a call through, or not.
    pub(crate) fn admit(&self, now: Instant) -> Result<Pass<'_>, Refusal> {
        let mut inner = self.current(now);
        match inner.state {
            State::Open => return Err(Refusal::Open),
            State::HalfOpen if inner.counts.requests >= self.settings.trials => {
                return Err(Refusal::TooMany);
            }
            State::HalfOpen | State::Closed => {}
        }
        inner.counts.requests = inner.counts.requests.saturating_add(1);
        Ok(Pass { breaker: self, generation: inner.generation, ended: false })
    }

    /// The time until it is half-open; zero when it is not open.
    pub(crate) fn shut_for(&self, now: Instant) -> Duration {
        let inner = self.current(now);
        let end = inner.expiry.filter(|_| inner.state == State::Open);
        let end = end.map_or(now, |end| end + Duration::from_millis(1));
        end.saturating_duration_since(now)
    }

    /// The state at this time.
    fn current(&self, now: Instant) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.expiry.is_some_and(|expiry| expiry < now) {
            match inner.state {
                State::Closed => inner.enter(State::Closed, &self.settings, now),
                State::Open => self.change(&mut inner, State::HalfOpen, now),
                State::HalfOpen => {}
            }
        }
        inner
    }

    fn change(&self, inner: &mut Inner, state: State, now: Instant) {
        tracing::info!(breaker = self.name, from = ?inner.state, to = ?state, "circuit breaker");
        inner.enter(state, &self.settings, now);
    }

    fn end(&self, generation: u64, ending: Ending, now: Instant) {
        let mut inner = self.current(now);
        if inner.generation != generation {
            return;
        }
        let inner = &mut *inner;
        let (state, counts) = (inner.state, &mut inner.counts);
        match ending {
            Ending::Untold => counts.requests = counts.requests.saturating_sub(1),
            Ending::Success => {
                counts.total_successes = counts.total_successes.saturating_add(1);
                counts.consecutive_successes = counts.consecutive_successes.saturating_add(1);
                counts.consecutive_failures = 0;
                let is_enough = counts.consecutive_successes >= self.settings.trials;
                if state == State::HalfOpen && is_enough {
                    self.change(inner, State::Closed, now);
                }
            }
            Ending::Failure => {
                counts.total_failures = counts.total_failures.saturating_add(1);
                counts.consecutive_failures = counts.consecutive_failures.saturating_add(1);
                counts.consecutive_successes = 0;
                if state == State::HalfOpen || self.settings.trip.is_due(counts) {
                    self.change(inner, State::Open, now);
                }
            }
        }
    }
}

impl Inner {
    fn enter(&mut self, state: State, settings: &Settings, now: Instant) {
        self.state = state;
        self.generation = self.generation.wrapping_add(1);
        self.counts = Counts::default();
        self.expiry = match state {
            State::Closed => settings.interval.and_then(|interval| now.checked_add(interval)),
            State::Open => now.checked_add(settings.timeout),
            State::HalfOpen => None,
        };
    }
}

impl Pass<'_> {
    pub(crate) fn end(mut self, ending: Ending, now: Instant) {
        self.ended = true;
        self.breaker.end(self.generation, ending, now);
    }
}

/// A call that was given up must not hold a trial's place for ever.
impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.breaker.end(self.generation, Ending::Untold, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
