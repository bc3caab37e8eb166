//! Policies for the tests of what runs under them.

use std::time::Duration;

use super::*;

/// A policy whose tries come after 1 s each; `trip` is for a breaker that is open for 10 s.
pub(crate) fn policy(timeout_ms: Option<u64>, retries_max: Option<u32>, trip: &str) -> Arc<Policy> {
    let second = Duration::from_secs(1);
    let http = StatusCodes::parse("500-599", &StatusCodes::HTTP).ok();
    let retry = Retry { back_off: BackOff::Constant(second), retries_max, http };
    let breaker = (!trip.is_empty()).then(|| {
        let trip = Trip::parse(trip).unwrap();
        let settings = Settings { trials: 1, interval: None, timeout: 10 * second, trip };
        Arc::new(Breaker::new("test".to_owned(), settings, Instant::now()))
    });
    Arc::new(Policy {
        target: "test".to_owned(),
        timeout: timeout_ms.map(Duration::from_millis),
        retry: Some(Arc::new(retry)),
        breaker,
    })
}
