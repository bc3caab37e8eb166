//! The policies for calls of apps: each method has a circuit breaker of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::book::Found;
use super::breaker::{Breaker, Settings};
use super::policy::Policy;

/// The methods of an app that have a breaker at a time, unless a target says otherwise (daprd's).
pub(super) const BREAKERS_MAX: usize = 100;

/// The policies of one app.
#[derive(Debug)]
pub(super) struct AppPolicy {
    policy: Policy,
    breakers: Option<Breakers>,
}

#[derive(Debug)]
struct Breakers {
    settings: Settings,
    max: usize,
    /// By method, each with the time of its last use.
    all: Mutex<BTreeMap<String, (Instant, Arc<Breaker>)>>,
}

impl AppPolicy {
    pub(super) fn new(app: &str, found: Found, breakers_max: Option<usize>) -> Self {
        let policy = Policy {
            target: format!("app {app}"),
            timeout: found.timeout,
            retry: found.retry,
            breaker: None,
        };
        let max = breakers_max.unwrap_or(BREAKERS_MAX);
        let breakers =
            found.breaker.map(|settings| Breakers { settings, max, all: Mutex::default() });
        Self { policy, breakers }
    }

    /// The policy for a method.
    pub(super) fn of(&self, method: &str) -> Policy {
        let breaker = self
            .breakers
            .as_ref()
            .map(|breakers| breakers.of(method, || format!("{} {method}", self.policy.target)));
        Policy { breaker, ..self.policy.clone() }
    }
}

impl Breakers {
    /// The breaker of a method: a new one when there is none, in the place of the one that has not
    /// been used for the longest when there are as many as may be.
    fn of(&self, method: &str, name: impl Fn() -> String) -> Arc<Breaker> {
        let now = Instant::now();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((used, breaker)) = all.get_mut(method) {
            *used = now;
            return Arc::clone(breaker);
        }
        if all.len() >= self.max {
            let oldest = all.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(method, _)| method.clone()) {
                all.remove(&oldest);
            }
        }
        let breaker = Arc::new(Breaker::new(name(), self.settings.clone(), now));
        all.insert(method.to_owned(), (now, Arc::clone(&breaker)));
        breaker
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::trip::Trip;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_method_has_a_breaker_and_the_oldest_makes_room() {
        let trip = Trip::parse("true").unwrap();
        let timeout = Duration::from_secs(60);
        let breaker = Some(Settings { trials: 1, interval: None, timeout, trip });
        let app = AppPolicy::new("shop", Found { breaker, ..Found::default() }, Some(2));
        let breaker = |method: &str| app.of(method).breaker.unwrap();
        let (first, second) = (breaker("a"), breaker("b"));
        assert!(!Arc::ptr_eq(&first, &second));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(Arc::ptr_eq(&first, &breaker("a")));
        tokio::time::advance(Duration::from_millis(1)).await;
        breaker("c");
        assert!(Arc::ptr_eq(&first, &breaker("a")));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!Arc::ptr_eq(&second, &breaker("b")));
    }
}
