//! Jobs by a clock that goes with tokio's paused time, for a receiver that answers by a script.

mod due;
mod restart;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;
use trilby_dapr::jobs::{FailurePolicy, JobData};
use trilby_dapr::{Code, Inbound};

use super::*;
use crate::deliveries::{self, Deliveries, Sources};

const MINUTES: Duration = Duration::from_secs(600);

struct Seen {
    ms: u128,
    path: String,
    body: Bytes,
}

/// The script gets the number of deliveries before, and says how long to take and what to answer.
type Script = dyn Fn(usize) -> (Duration, u16) + Send + Sync;

struct App {
    script: Box<Script>,
    started: Instant,
    seen: Mutex<Vec<Seen>>,
    at_once: watch::Sender<usize>,
    at_once_max: Mutex<usize>,
}

impl App {
    fn new(script: impl Fn(usize) -> (Duration, u16) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            started: Instant::now(),
            seen: Mutex::default(),
            at_once: watch::Sender::new(0),
            at_once_max: Mutex::default(),
        })
    }

    fn answering(status: u16) -> Arc<Self> {
        Self::new(move |_| (Duration::ZERO, status))
    }

    fn times(&self) -> Vec<u128> {
        self.seen.lock().unwrap().iter().map(|seen| seen.ms).collect()
    }
}

#[async_trait]
impl Inbound for App {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let ms = self.started.elapsed().as_millis();
        let (takes, status) = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(Seen { ms, path: head.uri.to_string(), body });
            (self.script)(seen.len() - 1)
        };
        self.at_once.send_modify(|at_once| *at_once += 1);
        {
            let mut most = self.at_once_max.lock().unwrap();
            *most = (*most).max(*self.at_once.borrow());
        }
        tokio::time::sleep(takes).await;
        self.at_once.send_modify(|at_once| *at_once -= 1);
        Response::builder().status(status).body(Bytes::new()).unwrap()
    }
}

/// It is ten o'clock when this is called.
fn clock() -> Clock {
    let began = Instant::now();
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    Arc::new(move || now + jiff::SignedDuration::try_from(began.elapsed()).unwrap())
}

fn in_memory() -> Arc<Jobs> {
    Arc::new(Jobs::open_at(None, "shop", clock()).unwrap())
}

fn started(jobs: &Arc<Jobs>, app: &Arc<App>) -> Deliveries {
    let jobs = Some((Arc::clone(jobs), Duration::from_secs(40)));
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    deliveries::start(inbound, Sources { jobs, ..Sources::default() }, None).unwrap()
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(5))
}

fn job(name: &str, schedule: &str) -> Job {
    Job { name: name.into(), schedule: Some(schedule.into()), ..Job::default() }
}

fn once(name: &str, due_time: &str) -> Job {
    Job { name: name.into(), due_time: Some(due_time.into()), ..Job::default() }
}

async fn schedule(jobs: &Arc<Jobs>, job: Job) -> Result<()> {
    jobs.schedule(&cx(), ScheduleJob { job, overwrite: false }).await
}

/// Half a second more than so many, so that what is due at their end has been.
async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds) + Duration::from_millis(500)).await;
}

#[tokio::test]
async fn refusals_are_daprds() {
    let jobs = in_memory();
    schedule(&jobs, job("there", "@daily")).await.unwrap();
    let with = |change: fn(&mut Job)| {
        let mut job = job("a", "@every 1h");
        change(&mut job);
        job
    };
    let invalid = |job, message, reason| (job, Code::InvalidArgument, message, reason);
    let refused = |job, message| (job, Code::Internal, message, "DAPR_SCHEDULER_SCHEDULE_JOB");
    let table = [
        invalid(Job::default(), "Name is empty", "DAPR_SCHEDULER_JOB_NAME_EMPTY"),
        invalid(
            Job { name: "a".into(), ..Job::default() },
            "Schedule is empty",
            "DAPR_SCHEDULER_SCHEDULE_EMPTY",
        ),
        (
            job("there", "@daily"),
            Code::AlreadyExists,
            "failed to schedule job due to: rpc error: code = AlreadyExists desc = job already \
             exists: 'app||default||shop||there'",
            "DAPR_SCHEDULER_SCHEDULE_JOB",
        ),
        refused(
            job("a/b", "@daily"),
            r#"job name is invalid "app||default||shop||a/b": must not contain '/', '\', '#' or '?'"#,
        ),
        refused(job("a\0b", "@daily"), "must not contain control characters"),
        refused(job(&"a".repeat(500), "@daily"), "must be at most 512 characters"),
        refused(job("a", ""), "job failed validation: empty spec string"),
        refused(job("a", "no"), "job failed validation: expected exactly 6 fields, found 1: [no]"),
        refused(job("a", "* * * * *"), "expected exactly 6 fields, found 5: [* * * * *]"),
        refused(job("a", "R2/PT1S"), "expected exactly 6 fields, found 1: [R2/PT1S]"),
        refused(job("a", "61 * * * * *"), "job failed validation: "),
        refused(job("a", "TZ=Europe/Berlin 0 0 0 * * *"), "no time zones but UTC"),
        refused(job("a", "@every day"), "failed to parse duration @every day: time: invalid"),
        refused(job("a", "@fortnightly"), "job failed validation: "),
        refused(job("a", "0 0 0 31 2 *"), "job failed validation: no such time ever comes"),
        refused(with(|job| job.repeats = Some(0)), "defined repeats must be greater than 0"),
        refused(with(|job| job.ttl = Some("x".into())), "ttl format not recognized"),
        refused(with(|job| job.due_time = Some("x".into())), "due time format not recognized"),
        refused(
            with(|job| (job.due_time, job.ttl) = (Some("1h".into()), Some("-1m".into()))),
            "ttl must be greater than due time",
        ),
        refused(
            Job { ttl: Some("1h".into()), ..once("a", "1m") },
            "job must have a schedule to have a ttl",
        ),
        refused(Job { repeats: Some(2), ..once("a", "1m") }, "job must have a schedule to repeat"),
    ];
    for (job, code, message, reason) in table {
        let name = format!("{job:?}");
        let error = schedule(&jobs, job).await.unwrap_err();
        assert_eq!((error.code, &*error.reason), (code, reason), "{name}");
        assert!(error.message.contains(message), "{name}: {}", error.message);
    }
    assert_eq!(jobs.list().len(), 1);
}

#[tokio::test]
async fn jobs_are_read_listed_and_deleted() {
    let jobs = in_memory();
    for name in ["b", "a||b", "..", "ü", "a b"] {
        schedule(&jobs, job(name, "@hourly")).await.unwrap();
    }
    let names: Vec<_> = jobs.list().into_iter().map(|job| job.name).collect();
    assert_eq!(names, ["..", "a b", "a||b", "b", "ü"]);
    let found = jobs.get("b").unwrap();
    let policy =
        FailurePolicy::Constant { interval: Some(Duration::from_secs(1)), max_retries: Some(3) };
    assert_eq!(found, Job { failure_policy: Some(policy), ..job("b", "@hourly") });

    jobs.delete(&cx(), "b").await.unwrap();
    jobs.delete(&cx(), "b").await.unwrap();
    let error = jobs.get("b").unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::NotFound, "DAPR_SCHEDULER_GET_JOB"));
    assert_eq!(
        error.message,
        "failed to get job due to: rpc error: code = NotFound desc = job not found: b"
    );
    for error in [jobs.get("").unwrap_err(), jobs.delete(&cx(), "").await.unwrap_err()] {
        assert_eq!(&*error.reason, "DAPR_SCHEDULER_JOB_NAME_EMPTY");
    }
}

#[tokio::test]
async fn there_is_a_bound_on_jobs_and_on_their_bytes() {
    let jobs = in_memory();
    let data = Some(JobData::Bytes(vec![0; BYTES_MAX - 100].into()));
    schedule(&jobs, Job { data: data.clone(), ..job("large", "@daily") }).await.unwrap();
    let error = schedule(&jobs, Job { data, ..job("more", "@daily") }).await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_JOBS_FULL"));
    jobs.delete(&cx(), "large").await.unwrap();
    for n in 0..JOBS_MAX {
        schedule(&jobs, job(&n.to_string(), "@daily")).await.unwrap();
    }
    let error = schedule(&jobs, job("more", "@daily")).await.unwrap_err();
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_JOBS_FULL"));
    let request = ScheduleJob { job: job("1", "@hourly"), overwrite: true };
    jobs.schedule(&cx(), request).await.unwrap();
    assert_eq!(jobs.get("1").unwrap().schedule.as_deref(), Some("@hourly"));
}
