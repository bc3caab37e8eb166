//! The block `dapr_jobs_v1`. See the crate's documentation for the operations.

use std::time::Duration;

use dapr_probe::{Answer, Arguments, Failure, Outcome, Query, bytes_field, run};
use serde_json::{Map, Value};
use trilby_guest::jobs::{self, FailurePolicy, Job, Schedule};
use trilby_guest::raw;

fn main() -> std::io::Result<()> {
    run("jobs", operations, imports)
}

fn operations(name: &str, query: &Query) -> Option<Outcome> {
    Some(match name {
        "schedule" => schedule(query),
        "get" => get(query),
        "delete" => delete(query),
        "list" => list(),
        _ => return None,
    })
}

fn imports(name: &str, with: &Arguments) -> Option<i32> {
    let Arguments { a, options, body, .. } = with;
    Some(match name {
        "schedule" => raw::jobs_schedule(a, options, body),
        "get" => raw::jobs_get(a, options),
        "delete" => raw::jobs_delete(a, options),
        "list" => raw::jobs_list(options),
        _ => return None,
    })
}

fn schedule(query: &Query) -> Outcome {
    let mut job = Schedule::new(query.need("name")?);
    if let Some(schedule) = query.get("schedule") {
        job = job.schedule(schedule);
    }
    if let Some(time) = query.get("due-time") {
        job = job.due_time(time);
    }
    if let Some(count) = query.parse("repeats")? {
        job = job.repeats(count);
    }
    if let Some(time) = query.get("ttl") {
        job = job.ttl(time);
    }
    if query.get("overwrite") == Some("true") {
        job = job.overwrite();
    }
    let interval = query.parse("failure-interval")?.map(Duration::from_millis);
    let retries = query.parse("failure-retries")?;
    match query.get("failure-policy") {
        None => {}
        Some("drop") => job = job.failure_policy(FailurePolicy::Drop),
        Some("constant") => {
            job = job.failure_policy(FailurePolicy::Constant { interval, retries });
        }
        Some(_) => return Err(Failure::asked("failure-policy is `drop` or `constant`")),
    }
    if let Some(media_type) = query.get("content-type") {
        job = job.content_type(media_type);
    }
    Ok(job.send(query.body())?.into())
}

fn get(query: &Query) -> Outcome {
    let job = jobs::get(query.need("name")?)?;
    let repeats = job.repeats.map(|count| count.to_string());
    Ok(Answer::from(job.data)
        .maybe("schedule", job.schedule)
        .maybe("due-time", job.due_time)
        .maybe("repeats", repeats)
        .maybe("ttl", job.ttl)
        .maybe("content-type", job.content_type))
}

fn delete(query: &Query) -> Outcome {
    Ok(jobs::delete(query.need("name")?)?.into())
}

fn list() -> Outcome {
    Ok(Answer::lines(jobs::list()?.into_iter().map(shown)))
}

fn shown(job: Job) -> Value {
    let repeats = job.repeats.map(|count| count.to_string());
    let fields = [
        ("name", Some(job.name)),
        ("schedule", job.schedule),
        ("due-time", job.due_time),
        ("repeats", repeats),
        ("ttl", job.ttl),
        ("content-type", job.content_type),
    ];
    let mut shown: Map<String, Value> = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    bytes_field(&mut shown, "data", &job.data);
    shown.into()
}
