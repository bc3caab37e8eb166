//! `dapr_jobs_v1`: jobs.

use bytes::Bytes;
use serde::Serialize;
use trilby_dapr::Error;
use trilby_dapr::jobs::{FailurePolicy, Job, JobData, ScheduleJob};
use trilby_sandbox::State;
use wasmtime::Linker;

use super::headers;
use crate::Host;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Call, Imports};
use crate::options::Options;
use crate::records;

const JSON: &str = "application/json";

const OPTIONS: &[&str] = &[
    "schedule",
    "due-time",
    "repeats",
    "ttl",
    "overwrite",
    "failure-policy",
    "failure-interval",
    "failure-retries",
    "content-type",
];

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    let mut imports = Imports::nameless(linker, "dapr_jobs_v1");
    imports.add("schedule", OPTIONS, schedule)?;
    imports.add("get", &[], get)?;
    imports.add("delete", &[], delete)?;
    imports.add("list", &[], list)
}

async fn schedule(ask: Ask, call: BodyCall<1>) -> Result<(), Error> {
    let BodyCall { names: [name], options, body } = call;
    let request = wish(name, options, body)?;
    ask.access.job(&request.job.name)?;
    ask.blocks.schedule_job(&ask.cx, request).await
}

fn wish(name: String, mut options: Options, body: Bytes) -> Result<ScheduleJob, Error> {
    let is_json = options.take("content-type").is_some_and(|given| is_json(&given));
    if is_json && serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
        return Err(Error::invalid(format!(
            "the job's data is not JSON, as its content-type `{JSON}` says"
        )));
    }
    let data = match is_json {
        true => Some(JobData::Json(body)),
        false => (!body.is_empty()).then_some(JobData::Bytes(body)),
    };
    let job = Job {
        name,
        schedule: options.take("schedule"),
        repeats: options.number("repeats", "a whole number")?,
        due_time: options.take("due-time"),
        ttl: options.take("ttl"),
        data,
        failure_policy: failure_policy(&mut options)?,
    };
    if job.schedule.is_none() && job.due_time.is_none() {
        return Err(Error::invalid("a job needs the option `schedule` or `due-time`"));
    }
    Ok(ScheduleJob { job, overwrite: options.flag("overwrite")?.unwrap_or(false) })
}

fn failure_policy(options: &mut Options) -> Result<Option<FailurePolicy>, Error> {
    let interval = options.duration("failure-interval")?;
    let max_retries = options.number("failure-retries", "a whole number")?;
    let constant = FailurePolicy::Constant { interval, max_retries };
    let policies = [("drop", FailurePolicy::Drop), ("constant", constant)];
    let policy = options.choice("failure-policy", &policies)?;
    let has_details = interval.is_some() || max_retries.is_some();
    if has_details && policy != Some(constant) {
        return Err(Error::invalid(
            "the options `failure-interval` and `failure-retries` need `failure-policy: constant`",
        ));
    }
    Ok(policy)
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(JSON)
}

async fn get(ask: Ask, call: Call<1>) -> Result<Answer, Error> {
    let Call { names: [name], .. } = call;
    ask.access.job(&name)?;
    let job = ask.blocks.get_job(&ask.cx, &name).await?;
    let (body, content_type) = match job.data {
        Some(JobData::Json(json)) => (json, Some(JSON.to_owned())),
        Some(JobData::Bytes(bytes) | JobData::Typed { value: bytes, .. }) => (bytes, None),
        None => (Bytes::new(), None),
    };
    let headers = headers([
        ("schedule", job.schedule),
        ("due-time", job.due_time),
        ("repeats", job.repeats.map(|repeats| repeats.to_string())),
        ("ttl", job.ttl),
        ("content-type", content_type),
    ]);
    Ok(Answer::new(headers, body))
}

async fn delete(ask: Ask, call: Call<1>) -> Result<(), Error> {
    let Call { names: [name], .. } = call;
    ask.access.job(&name)?;
    ask.blocks.delete_job(&ask.cx, &name).await
}

/// A job of the list.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Listed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl<'a> Listed<'a> {
    fn of(job: &'a Job) -> Self {
        let (data, data_base64) = match &job.data {
            Some(data) => records::fields(data.bytes()),
            None => (None, None),
        };
        Self {
            name: &job.name,
            schedule: job.schedule.as_deref(),
            due_time: job.due_time.as_deref(),
            repeats: job.repeats,
            ttl: job.ttl.as_deref(),
            content_type: matches!(job.data, Some(JobData::Json(_))).then_some(JSON),
            data,
            data_base64,
        }
    }
}

/// Dapr lists all jobs of the app; the guest gets those that it is granted.
async fn list(ask: Ask, _: Call<0>) -> Result<Answer, Error> {
    ask.access.some_jobs()?;
    let jobs = ask.blocks.list_jobs(&ask.cx).await?;
    let granted = jobs.iter().filter(|job| ask.access.is_job_granted(&job.name));
    Ok(Answer::new(Vec::new(), records::write(granted.map(Listed::of))?))
}

#[cfg(test)]
mod tests;
