use proptest::prelude::*;

use super::*;

fn breaker(trials: u32, interval_ms: Option<u64>, trip: &str) -> (Breaker, Instant) {
    let settings = Settings {
        trials,
        interval: interval_ms.map(Duration::from_millis),
        timeout: Duration::from_millis(100),
        trip: Trip::parse(trip).unwrap(),
    };
    let now = Instant::now();
    (Breaker::new("target".to_owned(), settings, now), now)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn call(breaker: &Breaker, now: Instant, ending: Ending) -> Result<(), Refusal> {
    breaker.admit(now).map(|pass| pass.end(ending, now))
}

#[test]
fn it_opens_stays_open_and_tries_again() {
    let (breaker, now) = breaker(1, None, "consecutiveFailures >= 2");
    assert_eq!(call(&breaker, now, Ending::Failure), Ok(()));
    assert_eq!(call(&breaker, now, Ending::Success), Ok(()));
    assert_eq!(call(&breaker, now, Ending::Failure), Ok(()));
    assert_eq!(call(&breaker, now, Ending::Failure), Ok(()));
    assert_eq!(call(&breaker, now, Ending::Success), Err(Refusal::Open));
    assert_eq!(call(&breaker, now + ms(100), Ending::Success), Err(Refusal::Open));
    // A failure on trial opens it again, a success closes it.
    assert_eq!(call(&breaker, now + ms(101), Ending::Failure), Ok(()));
    assert_eq!(call(&breaker, now + ms(150), Ending::Success), Err(Refusal::Open));
    assert_eq!(call(&breaker, now + ms(202), Ending::Success), Ok(()));
    assert_eq!(call(&breaker, now + ms(202), Ending::Failure), Ok(()));
    assert_eq!(call(&breaker, now + ms(202), Ending::Failure), Ok(()));
    assert_eq!(call(&breaker, now + ms(202), Ending::Failure), Err(Refusal::Open));
}

#[test]
fn half_open_it_takes_as_many_trials_as_it_may() {
    let (breaker, now) = breaker(2, None, "true");
    call(&breaker, now, Ending::Failure).unwrap();
    let later = now + ms(101);
    let first = breaker.admit(later).unwrap();
    let second = breaker.admit(later).unwrap();
    assert_eq!(breaker.admit(later).unwrap_err(), Refusal::TooMany);
    // One that was given up makes room.
    drop(second);
    let second = breaker.admit(later).unwrap();
    first.end(Ending::Success, later);
    assert_eq!(breaker.admit(later).unwrap_err(), Refusal::TooMany);
    second.end(Ending::Success, later);
    let closed: Vec<_> = (0..3).map(|_| breaker.admit(later).unwrap()).collect();
    assert_eq!(closed.len(), 3);
}

#[test]
fn the_counts_begin_anew_with_each_interval() {
    let (breaker, now) = breaker(1, Some(50), "totalFailures >= 2");
    call(&breaker, now, Ending::Failure).unwrap();
    call(&breaker, now + ms(51), Ending::Failure).unwrap();
    call(&breaker, now + ms(51), Ending::Untold).unwrap();
    call(&breaker, now + ms(51), Ending::Failure).unwrap();
    assert_eq!(call(&breaker, now + ms(52), Ending::Success), Err(Refusal::Open));
}

#[test]
fn what_began_before_a_change_says_nothing_after_it() {
    let (breaker, now) = breaker(1, None, "true");
    let old = breaker.admit(now).unwrap();
    call(&breaker, now, Ending::Failure).unwrap();
    let trial = breaker.admit(now + ms(101)).unwrap();
    old.end(Ending::Success, now + ms(101));
    assert_eq!(breaker.admit(now + ms(101)).unwrap_err(), Refusal::TooMany);
    trial.end(Ending::Success, now + ms(101));
    call(&breaker, now + ms(101), Ending::Success).unwrap();
}

proptest! {
    /// Whatever happens, calls come through again once the time of being open has passed.
    #[test]
    fn it_is_never_shut_for_good(
        endings in proptest::collection::vec((0..3u8, 0..60u64), 0..60),
        trials in 1..4u32,
    ) {
        let (breaker, mut now) = breaker(trials, Some(30), "consecutiveFailures >= 3");
        for (ending, wait) in endings {
            now += ms(wait);
            let ending = [Ending::Success, Ending::Failure, Ending::Untold][usize::from(ending)];
            let _ = call(&breaker, now, ending);
        }
        now += ms(101);
        for _ in 0..trials {
            prop_assert_eq!(call(&breaker, now, Ending::Success), Ok(()));
        }
        prop_assert_eq!(breaker.inner.lock().unwrap().state, State::Closed);
    }
}
