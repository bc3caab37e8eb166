//! When jobs are delivered, and how often.

use super::*;

/// The milliseconds at which a job is delivered within a minute, to an app that answers so.
async fn times(job: Job, script: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Vec<u128> {
    let (jobs, app) = (in_memory(), App::new(move |before| (Duration::ZERO, script(before))));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, job).await.unwrap();
    pass(60).await;
    deliveries.finish(MINUTES).await;
    app.times()
}

#[tokio::test(start_paused = true)]
async fn schedules_repeats_and_ends_decide() {
    let with = |job: Job, due_time: &str, repeats: u32, ttl: &str| {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let repeats = Some(repeats).filter(|repeats| *repeats > 0);
        Job { due_time: text(due_time), repeats, ttl: text(ttl), ..job }
    };
    let every = |interval: &str| job("a", &format!("@every {interval}"));
    let table: [(Job, &[u128]); 11] = [
        (every("20s"), &[20_000, 40_000, 60_000]),
        (job("a", "*/30 * * * * *"), &[30_000, 60_000]),
        (with(every("10s"), "", 2, ""), &[10_000, 20_000]),
        (with(every("10s"), "3s", 3, ""), &[3_000, 13_000, 23_000]),
        (with(every("10s"), "", 0, "25s"), &[10_000, 20_000]),
        (with(every("10s"), "5s", 0, "PT25S"), &[5_000, 15_000, 25_000]),
        (with(every("1h"), "", 0, "1m"), &[]),
        (with(every("1ms"), "", 2, ""), &[1_000, 2_000]),
        (once("a", "7s"), &[7_000]),
        (once("a", "2026-11-23T10:00:08Z"), &[8_000]),
        (once("a", "2020-01-01T00:00:00Z"), &[0]),
    ];
    for (job, expected) in table {
        let name = format!("{job:?}");
        assert_eq!(times(job, |_| 200).await, expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_follow_the_policy() {
    let constant = |seconds, max_retries| {
        let interval = Some(Duration::from_secs(seconds));
        Some(FailurePolicy::Constant { interval, max_retries })
    };
    let nothing = Some(FailurePolicy::Constant { interval: None, max_retries: Some(1) });
    type Row = (Job, Option<FailurePolicy>, fn(usize) -> u16, &'static [u128]);
    let table: [Row; 8] = [
        (once("a", "1s"), None, |_| 500, &[1_000, 2_000, 3_000, 4_000]),
        (once("a", "1s"), None, |_| 404, &[1_000]),
        (once("a", "1s"), None, |n| if n == 0 { 500 } else { 204 }, &[1_000, 2_000]),
        (once("a", "1s"), Some(FailurePolicy::Drop), |_| 500, &[1_000]),
        (once("a", "1s"), constant(5, Some(1)), |_| 500, &[1_000, 6_000]),
        (once("a", "1s"), constant(20, None), |_| 500, &[1_000, 21_000, 41_000]),
        (once("a", "1s"), nothing, |_| 500, &[1_000, 1_100]),
        // The schedule goes on in its step.
        (
            Job { repeats: Some(2), ..job("a", "@every 10s") },
            constant(1, Some(1)),
            |_| 500,
            &[10_000, 11_000, 20_000, 21_000],
        ),
    ];
    for (job, failure_policy, script, expected) in table {
        let job = Job { failure_policy, ..job };
        let name = format!("{job:?}");
        assert_eq!(times(job, script).await, expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_app_gets_the_data_and_then_the_name_is_free() {
    let (jobs, app) = (in_memory(), App::answering(200));
    let deliveries = started(&jobs, &app);
    let data = Some(JobData::Json(Bytes::from_static(br#"{"a":1}"#)));
    schedule(&jobs, Job { data, ..once("a b", "1s") }).await.unwrap();
    pass(2).await;
    assert_eq!(jobs.list(), []);
    schedule(&jobs, once("a b", "1s")).await.unwrap();
    pass(2).await;
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    assert_eq!(seen[0].path, "/job/a%20b");
    assert_eq!((&seen[0].body[..], &seen[1].body[..]), (&br#"{"a":1}"#[..], &b""[..]));
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_caught_up_with() {
    let (jobs, app) = (in_memory(), App::new(|n| (Duration::from_secs([25, 0][n.min(1)]), 200)));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, job("slow", "@every 10s")).await.unwrap();
    pass(45).await;
    // The first takes until 35 s, and two were due meanwhile.
    assert_eq!(app.times(), [10_000, 35_000, 35_000, 40_000]);
    assert_eq!(*app.at_once_max.lock().unwrap(), 1);
    deliveries.finish(MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn many_at_once_but_not_too_many() {
    let (jobs, app) = (in_memory(), App::new(|_| (Duration::from_secs(1), 200)));
    let deliveries = started(&jobs, &app);
    for n in 0..80 {
        schedule(&jobs, once(&n.to_string(), "1s")).await.unwrap();
    }
    pass(10).await;
    assert_eq!(*app.at_once_max.lock().unwrap(), 32);
    let waves: Vec<u128> = [[1_000; 32], [2_000; 32]].concat();
    assert_eq!(app.times(), [waves, vec![3_000; 16]].concat());
    deliveries.finish(MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_replaced_or_deleted_while_it_runs_stays_so() {
    let (jobs, app) = (in_memory(), App::new(|_| (Duration::from_secs(10), 500)));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, once("replaced", "1s")).await.unwrap();
    schedule(&jobs, once("deleted", "1s")).await.unwrap();
    pass(5).await;
    let request = ScheduleJob { job: once("replaced", "2s"), overwrite: true };
    jobs.schedule(&cx(), request).await.unwrap();
    jobs.delete(&cx(), "deleted").await.unwrap();
    pass(7).await;
    // Due at 7 s, while the old one is still being delivered.
    assert_eq!(app.times(), [1_000, 1_000, 11_000]);
    assert_eq!(jobs.list().len(), 1);
    deliveries.finish(MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn draining_starts_nothing_and_waits_for_what_runs() {
    let (jobs, app) = (in_memory(), App::new(|_| (Duration::from_secs(10), 500)));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, once("a", "1s")).await.unwrap();
    schedule(&jobs, once("b", "3s")).await.unwrap();
    pass(2).await;
    deliveries.begin_drain();
    pass(2).await;
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    assert_eq!(app.started.elapsed().as_secs(), 11);
    assert_eq!(app.times(), [1_000]);
    assert_eq!(jobs.list().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_broken_off_comes_again() {
    let (jobs, app) = (in_memory(), App::new(|n| (Duration::from_secs([1000, 0][n]), 200)));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, once("a", "1s")).await.unwrap();
    pass(2).await;
    assert_eq!(deliveries.finish(Duration::from_secs(3)).await, 1);
    let deliveries = started(&jobs, &app);
    pass(1).await;
    assert_eq!(app.times(), [1_000, 5_500]);
    assert_eq!(jobs.list(), []);
    deliveries.finish(MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_source_takes_over() {
    let (jobs, app) = (in_memory(), App::answering(200));
    let old = started(&jobs, &app);
    schedule(&jobs, job("a", "@every 1s")).await.unwrap();
    let sources = Sources { jobs: Some((Arc::clone(&jobs), MINUTES)), ..Sources::default() };
    let inbound = Arc::clone(&app) as Arc<dyn Inbound>;
    let new = deliveries::start(inbound, sources, Some(&old)).unwrap();
    assert_eq!(old.retire(MINUTES).await, 0);
    pass(3).await;
    assert_eq!(app.times(), [1_000, 2_000, 3_000]);
    new.finish(MINUTES).await;
}
