use std::cell::Cell;

use super::super::breaker::Settings;
use super::super::retry::{BackOff, StatusCodes};
use super::super::trip::Trip;
use super::*;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn policy(timeout: Option<Duration>, retries_max: Option<u32>, trip: Option<&str>) -> Policy {
    let http = Some(StatusCodes::parse("500-599", &StatusCodes::HTTP).unwrap());
    let retry = Retry { back_off: BackOff::Constant(ms(10)), retries_max, http };
    let breaker = trip.map(|trip| {
        let trip = Trip::parse(trip).unwrap();
        let settings = Settings { trials: 1, interval: None, timeout: ms(1000), trip };
        Arc::new(Breaker::new("store".to_owned(), settings, Instant::now()))
    });
    Policy { target: "store".to_owned(), timeout, retry: Some(Arc::new(retry)), breaker }
}

/// Calls what fails `failures` times with `fault`, and gives the outcome and the number of tries.
async fn run(
    policy: &Policy,
    deadline: Option<Instant>,
    fault: Fault,
    failures: u32,
) -> (Result<&'static str, Stop<&'static str>>, u32) {
    let tries = Cell::new(0);
    let outcome = policy.run(
        deadline,
        |_| fault,
        || {
            tries.set(tries.get() + 1);
            let failed = tries.get() <= failures;
            async move { if failed { Err("failed") } else { Ok("done") } }
        },
    );
    let outcome = outcome.await;
    (outcome, tries.get())
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_passing_is_tried_again_after_its_wait() {
    let policy = policy(None, Some(2), None);
    let begun = Instant::now();
    assert_eq!(run(&policy, None, Fault::Passing, 2).await, (Ok("done"), 3));
    assert_eq!(begun.elapsed(), ms(20));
    assert_eq!(run(&policy, None, Fault::Passing, 9).await, (Err(Stop::Failed("failed")), 3));
    for fault in [Fault::Lasting, Fault::OfTheCall, Fault::Status(StatusCode::NOT_FOUND)] {
        assert_eq!(run(&policy, None, fault, 9).await, (Err(Stop::Failed("failed")), 1));
    }
    let status = Fault::Status(StatusCode::BAD_GATEWAY);
    assert_eq!(run(&policy, None, status, 1).await, (Ok("done"), 2));
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_bounds_all_tries() {
    let policy = policy(None, None, None);
    let begun = Instant::now();
    let (outcome, tries) = run(&policy, Some(begun + ms(25)), Fault::Passing, 99).await;
    assert_eq!((outcome, tries), (Err(Stop::Failed("failed")), 3));
    assert!(begun.elapsed() <= ms(25));
    let never = policy.run(
        Some(begun + ms(50)),
        |_: &&str| Fault::Passing,
        std::future::pending::<Result<(), &str>>,
    );
    assert_eq!(never.await, Err(Stop::Deadline));
    assert_eq!(begun.elapsed(), ms(50));
}

#[tokio::test(start_paused = true)]
async fn each_try_has_the_policys_time() {
    let policy = policy(Some(ms(5)), Some(1), None);
    let begun = Instant::now();
    let tries = Cell::new(0);
    let outcome = policy.run(
        None,
        |_: &&str| Fault::Passing,
        || {
            tries.set(tries.get() + 1);
            let wait = if tries.get() == 1 { ms(60_000) } else { ms(4) };
            async move {
                sleep(wait).await;
                Ok(())
            }
        },
    );
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(begun.elapsed(), ms(5 + 10 + 4));
    let never =
        policy.run(None, |_: &&str| Fault::Passing, std::future::pending::<Result<(), &str>>);
    let stop = never.await.unwrap_err();
    assert_eq!((stop.reason(), &stop), ("context deadline exceeded", &Stop::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_ends_the_tries() {
    let policy = policy(None, None, Some("consecutiveFailures >= 3"));
    let refused = || Err(Stop::Refused(Refusal::Open));
    assert_eq!(run(&policy, None, Fault::Passing, 99).await, (refused(), 3));
    let (outcome, tries) = run(&policy, None, Fault::Passing, 0).await;
    assert_eq!(outcome.unwrap_err().reason(), "circuit breaker is open");
    assert_eq!(tries, 0);
    sleep(ms(1001)).await;
    assert_eq!(run(&policy, None, Fault::Passing, 0).await, (Ok("done"), 1));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_call_does_not_open_a_breaker() {
    let policy = policy(None, None, Some("requests >= 1 && consecutiveFailures >= 1"));
    for _ in 0..5 {
        let wrong = run(&policy, None, Fault::OfTheCall, 9).await;
        assert_eq!(wrong, (Err(Stop::Failed("failed")), 1));
    }
    assert_eq!(run(&policy, None, Fault::Lasting, 9).await.1, 1);
    assert_eq!(run(&policy, None, Fault::Passing, 0).await.0, Err(Stop::Refused(Refusal::Open)));
}
