//! Events that wait for another try.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Events of one subscription that may wait. When there are as many, no new ones are taken from
/// its queue.
pub(super) const WAITING_MAX: usize = 1024;

/// Tries after the first one.
pub(super) const RETRIES_MAX: u32 = 5;

/// What waits, by the time at which it is due.
pub(super) struct Retries<T> {
    /// The number keeps apart what is due at the same time, in the order of its coming.
    waiting: BTreeMap<(Instant, u64), T>,
    added: u64,
}

impl<T> Retries<T> {
    pub(super) fn new() -> Self {
        Self { waiting: BTreeMap::new(), added: 0 }
    }

    pub(super) fn add(&mut self, due: Instant, what: T) {
        self.added += 1;
        self.waiting.insert((due, self.added), what);
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX
    }

    /// When the next one is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// Takes one that is due by `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<T> {
        if self.due()? > now {
            return None;
        }
        self.waiting.pop_first().map(|(_, what)| what)
    }

    /// Lets nothing wait for longer than until `latest`.
    pub(super) fn hasten(&mut self, latest: Instant) {
        let late = self.waiting.split_off(&(latest, u64::MAX));
        for what in late.into_values() {
            self.add(latest, what);
        }
    }
}

/// The longest wait before the next try while deliveries are drained.
pub(super) const DRAINING_BACK_OFF_MAX: Duration = Duration::from_millis(200);

/// The wait before the next try, after `failures` tries: 100 ms, doubled each time, at most 2 s.
pub(super) fn back_off(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(5);
    Duration::from_millis(100 << doublings).min(Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_two_seconds() {
        let waits: Vec<_> = (1..=8).map(|failures| back_off(failures).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000, 2000]);
        assert_eq!(back_off(u32::MAX), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_comes_in_order() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut retries = Retries::new();
        for (ms, name) in [(200, "c"), (100, "a"), (100, "b")] {
            retries.add(at(ms), name);
        }
        assert_eq!(retries.due(), Some(at(100)));
        assert_eq!(retries.take(at(99)), None);
        assert_eq!(retries.take(at(100)), Some("a"));
        assert_eq!(retries.take(at(150)), Some("b"));
        assert_eq!(retries.take(at(150)), None);
        assert_eq!(retries.take(at(200)), Some("c"));
        assert_eq!(retries.take(at(200)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_hastened_keeps_its_order() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut retries = Retries::new();
        for (ms, name) in [(900, "d"), (50, "a"), (400, "c"), (200, "b")] {
            retries.add(at(ms), name);
        }
        retries.hasten(at(200));
        assert_eq!(retries.due(), Some(at(50)));
        let order: Vec<_> = std::iter::from_fn(|| retries.take(at(200))).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }
}
