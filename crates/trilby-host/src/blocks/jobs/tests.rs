use std::time::Duration;

use super::*;
use crate::options;

fn of(text: &str, body: &'static str) -> Result<ScheduleJob, Error> {
    wish("j".into(), options::parse(text, OPTIONS)?, body.into())
}

#[test]
fn all_options_of_a_job_are_read() {
    let text = "schedule: @every 1m\ndue-time: 10s\nrepeats: 3\nttl: 1h\noverwrite: true\n\
                failure-policy: constant\nfailure-interval: 2s\nfailure-retries: 5\n\
                content-type: Application/JSON; charset=utf-8";
    let constant =
        FailurePolicy::Constant { interval: Some(Duration::from_secs(2)), max_retries: Some(5) };
    let job = Job {
        name: "j".into(),
        schedule: Some("@every 1m".into()),
        repeats: Some(3),
        due_time: Some("10s".into()),
        ttl: Some("1h".into()),
        data: Some(JobData::Json("{}".into())),
        failure_policy: Some(constant),
    };
    assert_eq!(of(text, "{}"), Ok(ScheduleJob { job, overwrite: true }));
}

#[test]
fn data_is_bytes_unless_it_is_json() {
    let data = |text: &str, body| of(text, body).map(|wish| wish.job.data);
    let bytes = |text: &'static str| Ok(Some(JobData::Bytes(text.into())));
    assert_eq!(data("due-time: 1s", "{}"), bytes("{}"));
    assert_eq!(data("due-time: 1s\ncontent-type: text/plain", "x"), bytes("x"));
    assert_eq!(data("due-time: 1s", ""), Ok(None));
    assert!(data("due-time: 1s\ncontent-type: application/json", "x").is_err());
}

#[test]
fn wrong_jobs_are_told() {
    for (text, what) in [
        ("", "`schedule` or `due-time`"),
        ("due-time: 1s\nfailure-policy: retry", "`drop` or `constant`"),
        ("due-time: 1s\nfailure-retries: 1", "need `failure-policy: constant`"),
        ("due-time: 1s\nfailure-policy: drop\nfailure-interval: 1s", "need `failure-policy"),
        ("due-time: 1s\noverwrite: 1", "`true` or `false`"),
    ] {
        let error = of(text, "").expect_err(text);
        assert!(error.message.contains(what), "{error}");
    }
}

#[test]
fn a_listed_job_has_what_is_set() {
    let job = Job { name: "j".into(), due_time: Some("1s".into()), ..Job::default() };
    let text = |job: &Job| serde_json::to_string(&Listed::of(job)).expect("plain");
    assert_eq!(text(&job), r#"{"name":"j","due-time":"1s"}"#);
    let job = Job { data: Some(JobData::Bytes(vec![0xff].into())), ..job };
    assert_eq!(text(&job), r#"{"name":"j","due-time":"1s","data-base64":"/w=="}"#);
    let job = Job { data: Some(JobData::Json("1".into())), ..job };
    let listed = r#"{"name":"j","due-time":"1s","content-type":"application/json","data":"1"}"#;
    assert_eq!(text(&job), listed);
}
