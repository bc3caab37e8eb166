//! Jobs over HTTP.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use trilby_dapr::jobs::{FailurePolicy, Job, JobData, ScheduleJob};
use trilby_dapr::{Code, Error};

use super::asked::{Answered, Asked, OrTell as _, body_json};
use super::reply;
use crate::api::Shared;
use crate::fault::{About, Block};

/// Protobuf's JSON takes both forms of a name.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Request {
    name: Option<String>,
    schedule: Option<String>,
    repeats: Option<u32>,
    #[serde(alias = "due_time")]
    due_time: Option<String>,
    ttl: Option<String>,
    data: Option<Box<RawValue>>,
    overwrite: bool,
    #[serde(alias = "failure_policy")]
    failure_policy: Option<Policy>,
}

#[derive(Deserialize)]
struct Policy {
    drop: Option<Value>,
    constant: Option<Constant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Constant {
    interval: Option<String>,
    #[serde(alias = "max_retries")]
    max_retries: Option<u32>,
}

pub(super) async fn schedule(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Jobs, "");
    let (cx, name) = (asked.cx.clone(), asked.param(0).trim().to_owned());
    let body = asked.bytes(&shared).await.or_tell(&shared, &about)?;
    let request: Request = if body.is_empty() { Ok(Request::default()) } else { body_json(&body) }
        .or_tell(&shared, &about)?;
    if request.name.as_ref().is_some_and(|name| !name.is_empty()) {
        let error = Error::new(Code::InvalidArgument, "Set the job name in the url only")
            .with_reason("DAPR_SCHEDULER_JOB_NAME");
        return Err(error).or_tell(&shared, &about);
    }
    let request = request.job(name);
    shared.backend.blocks.schedule_job(&cx, request).await.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

pub(super) async fn get(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Jobs, "");
    let job = shared.backend.blocks.get_job(&asked.cx, asked.param(0)).await;
    let job = job.or_tell(&shared, &about)?;
    Ok(reply::json(StatusCode::OK, told(job).to_string()))
}

pub(super) async fn delete(shared: Arc<Shared>, asked: Asked) -> Answered {
    let about = About::new(Block::Jobs, "");
    let deleted = shared.backend.blocks.delete_job(&asked.cx, asked.param(0)).await;
    deleted.or_tell(&shared, &about)?;
    Ok(reply::empty())
}

impl Request {
    fn job(self, name: String) -> ScheduleJob {
        let policy = self.failure_policy.and_then(|policy| match (policy.drop, policy.constant) {
            (Some(_), _) => Some(FailurePolicy::Drop),
            (None, Some(constant)) => Some(FailurePolicy::Constant {
                interval: constant.interval.as_deref().and_then(seconds),
                max_retries: constant.max_retries,
            }),
            (None, None) => None,
        });
        let data = self.data.map(|data| JobData::Json(Bytes::from(data.get().to_owned())));
        let job = Job {
            name,
            schedule: self.schedule,
            repeats: self.repeats,
            due_time: self.due_time,
            ttl: self.ttl,
            data,
            failure_policy: policy,
        };
        ScheduleJob { job, overwrite: self.overwrite }
    }
}

/// A duration in protobuf's JSON: `1.5s`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// A job in daprd's JSON.
fn told(job: Job) -> Value {
    let mut json = Map::from_iter([("name".to_owned(), json!(job.name))]);
    let mut set = |name: &str, value: Option<Value>| {
        json.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("schedule", job.schedule.map(Value::from));
    set("repeats", job.repeats.map(Value::from));
    set("dueTime", job.due_time.map(Value::from));
    set("ttl", job.ttl.map(Value::from));
    set("data", job.data.map(data));
    set("failurePolicy", job.failure_policy.map(policy));
    Value::Object(json)
}

fn data(data: JobData) -> Value {
    match data {
        JobData::Json(text) => json!({
            "@type": "type.googleapis.com/google.protobuf.Value",
            "value": serde_json::from_slice::<Value>(&text).unwrap_or_default(),
        }),
        JobData::Bytes(bytes) => json!({ "@type": "", "value": STANDARD.encode(bytes) }),
    }
}

fn policy(policy: FailurePolicy) -> Value {
    let FailurePolicy::Constant { interval, max_retries } = policy else {
        return json!({ "drop": {} });
    };
    let mut constant = Map::new();
    if let Some(interval) = interval {
        constant.insert("interval".to_owned(), json!(format!("{}s", interval.as_secs_f64())));
    }
    if let Some(max_retries) = max_retries {
        constant.insert("maxRetries".to_owned(), json!(max_retries));
    }
    json!({ "constant": constant })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_comes_back_as_daprd_tells_it() {
        let json = r#"{"schedule":"@every 1h","repeats":4,"dueTime":"1h","ttl":"3h",
            "data":{"a":1.50},"failurePolicy":{"constant":{"interval":"1.5s","maxRetries":3}}}"#;
        let request: Request = body_json(json.as_bytes()).unwrap();
        let scheduled = request.job("j5".to_owned());
        assert!(!scheduled.overwrite);
        let expected = json!({
            "name": "j5", "schedule": "@every 1h", "repeats": 4, "dueTime": "1h", "ttl": "3h",
            "data": { "@type": "type.googleapis.com/google.protobuf.Value", "value": { "a": 1.5 } },
            "failurePolicy": { "constant": { "interval": "1.5s", "maxRetries": 3 } },
        });
        assert_eq!(told(scheduled.job), expected);
        let request: Request =
            body_json(br#"{"due_time":"1s","failurePolicy":{"drop":{}},"overwrite":true}"#)
                .unwrap();
        let scheduled = request.job("j".to_owned());
        assert!(scheduled.overwrite);
        let expected = json!({ "name": "j", "dueTime": "1s", "failurePolicy": { "drop": {} } });
        assert_eq!(told(scheduled.job), expected);
    }
}
