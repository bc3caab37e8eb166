//! Jobs.

use anyhow::{Result, bail};
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use trilby_dapr::proto::runtime::v1::{
    DeleteJobRequest, GetJobRequest, Job, ListJobsRequest, ScheduleJobRequest,
};

use super::encoded;
use crate::differential::case::Step;
use crate::differential::normal::shown;
use crate::differential::session::{Body, Session, answered, told};

/// A job, as JSON over HTTP and as a message over gRPC.
#[derive(Clone, Default)]
pub(in crate::differential) struct Plan {
    name: &'static str,
    schedule: Option<&'static str>,
    due: Option<&'static str>,
    repeats: Option<u32>,
    ttl: Option<&'static str>,
    data: &'static str,
    overwrite: bool,
}

pub(in crate::differential) fn job(name: &'static str) -> Plan {
    Plan { name, ..Plan::default() }
}

impl Plan {
    pub(in crate::differential) fn schedule(mut self, schedule: &'static str) -> Self {
        self.schedule = Some(schedule);
        self
    }

    pub(in crate::differential) fn due(mut self, due: &'static str) -> Self {
        self.due = Some(due);
        self
    }

    pub(in crate::differential) fn repeats(mut self, repeats: u32) -> Self {
        self.repeats = Some(repeats);
        self
    }

    pub(in crate::differential) fn ttl(mut self, ttl: &'static str) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// JSON.
    pub(in crate::differential) fn data(mut self, data: &'static str) -> Self {
        self.data = data;
        self
    }

    pub(in crate::differential) fn overwrite(mut self) -> Self {
        self.overwrite = true;
        self
    }

    fn json(&self) -> String {
        let text =
            |name: &str, value: Option<&str>| value.map(|value| format!("{name:?}:{value:?}"));
        let members = [
            text("schedule", self.schedule),
            text("dueTime", self.due),
            text("ttl", self.ttl),
            self.repeats.map(|repeats| format!("\"repeats\":{repeats}")),
            (!self.data.is_empty()).then(|| format!("\"data\":{}", self.data)),
            self.overwrite.then(|| "\"overwrite\":true".to_owned()),
        ];
        format!("{{{}}}", members.into_iter().flatten().collect::<Vec<_>>().join(","))
    }

    fn message(&self, session: &Session) -> Job {
        let data = (!self.data.is_empty()).then(|| prost_types::Any {
            type_url: "application/json".to_owned(),
            value: Bytes::from_static(self.data.as_bytes()).to_vec(),
        });
        Job {
            name: session.fill(self.name),
            schedule: self.schedule.map(str::to_owned),
            repeats: self.repeats,
            due_time: self.due.map(str::to_owned),
            ttl: self.ttl.map(str::to_owned),
            data,
            failure_policy: None,
        }
    }
}

/// Schedules a job.
pub(in crate::differential) struct Schedule(Plan);

pub(in crate::differential) fn schedule(plan: Plan) -> Schedule {
    Schedule(plan)
}

#[async_trait]
impl Step for Schedule {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0-alpha1/jobs/{}", encoded(&session.fill(self.0.name)));
        let headers = [("content-type", "application/json")];
        let answer = session.send(Method::POST, &path, &headers, self.0.json()).await?;
        Ok(format!("schedule: {}", told(&answer, Body::Json)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let job = Some(self.0.message(session));
        let request = ScheduleJobRequest { job, overwrite: self.0.overwrite };
        let answer = session.dapr().schedule_job(session.request(request)?).await;
        Ok(format!("schedule: {}", answered(answer, |_| String::new())))
    }
}

/// Reads a job.
pub(in crate::differential) struct GetJob(&'static str);

pub(in crate::differential) fn get_job(name: &'static str) -> GetJob {
    GetJob(name)
}

#[async_trait]
impl Step for GetJob {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0-alpha1/jobs/{}", encoded(&session.fill(self.0)));
        let answer = session.send(Method::GET, &path, &[], "").await?;
        Ok(format!("get job: {}", told(&answer, Body::AnyOrder)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = GetJobRequest { name: session.fill(self.0) };
        let answer = session.dapr().get_job(session.request(request)?).await;
        let text = answered(answer, |found| found.job.as_ref().map_or_else(String::new, shown_job));
        Ok(format!("get job: {text}"))
    }
}

fn shown_job(job: &Job) -> String {
    let data = job
        .data
        .as_ref()
        .map(|data| format!("{} {}", data.type_url, shown(&data.value)))
        .unwrap_or_default();
    format!(
        "{:?} schedule={:?} due={:?} repeats={:?} ttl={:?} policy={:?} {data}",
        job.name, job.schedule, job.due_time, job.repeats, job.ttl, job.failure_policy
    )
}

/// Deletes a job.
pub(in crate::differential) struct DeleteJob(&'static str);

pub(in crate::differential) fn delete_job(name: &'static str) -> DeleteJob {
    DeleteJob(name)
}

#[async_trait]
impl Step for DeleteJob {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let path = format!("/v1.0-alpha1/jobs/{}", encoded(&session.fill(self.0)));
        let answer = session.send(Method::DELETE, &path, &[], "").await?;
        Ok(format!("delete job: {}", told(&answer, Body::Json)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let request = DeleteJobRequest { name: session.fill(self.0) };
        let answer = session.dapr().delete_job(session.request(request)?).await;
        Ok(format!("delete job: {}", answered(answer, |_| String::new())))
    }
}

/// Lists those jobs whose names begin with the case's own word; gRPC only.
pub(in crate::differential) struct ListJobs;

pub(in crate::differential) fn list_jobs() -> ListJobs {
    ListJobs
}

#[async_trait]
impl Step for ListJobs {
    async fn http(&self, _: &mut Session) -> Result<String> {
        bail!("there is no such operation over HTTP")
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        let answer = session.dapr().list_jobs(session.request(ListJobsRequest {})?).await;
        let own = session.fill("$-");
        let text = answered(answer, |found| {
            let jobs = found.jobs.iter().filter(|job| job.name.starts_with(&own));
            jobs.map(shown_job).collect::<Vec<_>>().join(" | ")
        });
        Ok(format!("list jobs: {text}"))
    }
}
