//! Cron triggers.

use super::*;

#[tokio::test(start_paused = true)]
async fn cron_triggers_come_on_time_and_failures_are_not_repeated() {
    let app = App::new(|_, before| if before == 1 { FAIL } else { OK });
    let deliveries = ticking(&app, "0,30 * * * * *");
    pass(100).await;
    deliveries.finish(MINUTES).await;
    pass(100).await;
    assert_eq!(app.times(), [8_000, 38_000, 68_000, 98_000]);
    let seen = app.seen.lock().unwrap();
    assert_eq!((seen[0].path.as_str(), seen[0].body.len()), ("/tick", 0));
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].headers["readtimeutc"], "2026-11-23 10:02:00 +0000 UTC");
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_is_due_during_another_is_left_out() {
    let app = App::new(|_, _| Act::After(Duration::from_secs(5), 200));
    let deliveries = ticking(&app, "*/2 * * * * *");
    pass(15).await;
    // The one that is being delivered ends; there is no new one.
    deliveries.finish(MINUTES).await;
    pass(15).await;
    assert_eq!(app.times(), [2_000, 8_000, 14_000]);
    assert_eq!(app.at_once.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_silence_triggers() {
    let app = App::new(|_, _| OK);
    let back = Arc::new(AtomicI64::new(0));
    let deliveries = ticking_after(&app, "0 * * * * *", Arc::clone(&back));
    pass(70).await;
    back.store(3_600_000, Ordering::SeqCst);
    pass(190).await;
    deliveries.finish(MINUTES).await;
    // Noticed at 128 s, when the clock shows 9:04:00.
    assert_eq!(app.times(), [8_000, 68_000, 188_000, 248_000]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_corrected_does_not_repeat_a_trigger() {
    let back = Arc::new(AtomicI64::new(0));
    let set_back = Arc::clone(&back);
    let app = App::new(move |_, _| {
        set_back.store(10, Ordering::SeqCst);
        OK
    });
    let deliveries = ticking_after(&app, "0 * * * * *", back);
    pass(130).await;
    deliveries.finish(MINUTES).await;
    assert_eq!(app.times(), [8_000, 68_010, 128_010]);
}
