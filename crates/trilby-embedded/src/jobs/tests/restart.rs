//! Jobs in a file: what a process that ends leaves to the next.

use std::path::Path;

use super::*;

fn opened(path: &Path) -> Arc<Jobs> {
    Arc::new(Jobs::open_at(Some(path.to_owned()), "shop", clock()).unwrap())
}

/// Once all who use the jobs are gone, as when the process ends.
async fn ended(jobs: Arc<Jobs>) {
    let alone = async {
        while Arc::strong_count(&jobs) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(MINUTES, alone).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn jobs_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/jobs.db");
    let jobs = opened(&path);
    assert!(!path.exists(), "there is a file before there is a job");
    let all = [
        Job { data: Some(JobData::Bytes(Bytes::from_static(b"\0\xff"))), ..once("a", "1h") },
        Job { data: Some(JobData::Json(Bytes::from_static(b"[1]"))), ..job("b", "@every 5s") },
        Job {
            failure_policy: Some(FailurePolicy::Drop),
            ttl: Some("1h".into()),
            ..job("c", "@hourly")
        },
        Job { repeats: Some(3), ..job("d", "0 0 3 * * *") },
    ];
    for job in all {
        schedule(&jobs, job).await.unwrap();
    }
    schedule(&jobs, job("gone", "@daily")).await.unwrap();
    jobs.delete(&cx(), "gone").await.unwrap();
    let before = jobs.list();
    ended(jobs).await;
    let jobs = opened(&path);
    assert_eq!(jobs.list(), before);
    assert_eq!(before.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_due_while_nobody_was_there_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let jobs = opened(&path);
    schedule(&jobs, once("once", "-1h")).await.unwrap();
    schedule(&jobs, Job { due_time: Some("-25s".into()), ..job("often", "@every 10s") })
        .await
        .unwrap();
    ended(jobs).await;
    let (jobs, app) = (opened(&path), App::answering(200));
    let deliveries = started(&jobs, &app);
    pass(1).await;
    deliveries.finish(MINUTES).await;
    let paths =
        |path: &str| app.seen.lock().unwrap().iter().filter(|seen| seen.path == path).count();
    assert_eq!((paths("/job/once"), paths("/job/often")), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_crash_during_a_delivery_loses_nothing_and_a_delivered_job_does_not_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let jobs = opened(&path);
    let app = App::new(|n| (Duration::from_secs([0, 1000][n]), 200));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, once("delivered", "1s")).await.unwrap();
    schedule(&jobs, once("cut", "2s")).await.unwrap();
    pass(3).await;
    // The second is in the hands of the app.
    drop(deliveries);
    ended(jobs).await;
    let (jobs, app) = (opened(&path), App::answering(200));
    let deliveries = started(&jobs, &app);
    pass(3).await;
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/job/cut"]);
}

#[tokio::test(start_paused = true)]
async fn tries_and_repeats_go_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let (jobs, app) = (opened(&path), App::answering(500));
    let deliveries = started(&jobs, &app);
    schedule(&jobs, once("failing", "1s")).await.unwrap();
    pass(2).await;
    deliveries.finish(MINUTES).await;
    assert_eq!(app.times().len(), 2);
    ended(jobs).await;
    let (jobs, app) = (opened(&path), App::answering(500));
    let deliveries = started(&jobs, &app);
    pass(60).await;
    deliveries.finish(MINUTES).await;
    // Four tries in all, and then it is gone for good.
    assert_eq!(app.times().len(), 2);
    ended(jobs).await;
    assert_eq!(opened(&path).list(), []);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    std::fs::write(&path, "no database, but long enough to be looked at for the header of one")
        .unwrap();
    let error = Jobs::open(Some(path.clone()), "shop").err().unwrap().to_string();
    let expected = format!("component `jobs`: {} is no SQLite database", path.display());
    assert!(error.starts_with(&expected), "{error}");

    std::fs::remove_file(&path).unwrap();
    let jobs = opened(&path);
    schedule(&jobs, job("a", "@daily")).await.unwrap();
    let error = Jobs::open(Some(path.clone()), "shop").err().unwrap().to_string();
    assert!(error.contains("is in use by another process"), "{error}");

    ended(jobs).await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Jobs::open(Some(path), "shop").err().unwrap().to_string();
    assert!(error.contains("is from a newer Trilby"), "{error}");
}
