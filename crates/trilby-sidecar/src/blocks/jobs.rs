//! Jobs over gRPC.

use async_trait::async_trait;
use trilby_dapr::jobs::{Job, Jobs, ScheduleJob};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::wire::jobs::{kept, sent};
use trilby_dapr::{CallContext, Code, Error, Result};

use crate::Sidecar;
use crate::metrics::Block;

#[async_trait]
impl Jobs for Sidecar {
    async fn schedule_job(&self, cx: &CallContext, request: ScheduleJob) -> Result<()> {
        let job = Some(sent(request.job)?);
        let message = runtime::ScheduleJobRequest { job, overwrite: request.overwrite };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.schedule_job(request);
        self.link.wait(cx, Block::Jobs, "scheduling a job", call).await.map(drop)
    }

    async fn get_job(&self, cx: &CallContext, name: &str) -> Result<Job> {
        let message = runtime::GetJobRequest { name: name.to_owned() };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.get_job(request);
        let reply = self.link.wait(cx, Block::Jobs, "reading a job", call).await;
        let job = reply.map_err(missing)?.job;
        job.map(kept).ok_or_else(|| {
            Error::new(
                Code::Internal,
                format!("the Dapr sidecar answered without the job `{name}`"),
            )
        })
    }

    async fn delete_job(&self, cx: &CallContext, name: &str) -> Result<()> {
        let message = runtime::DeleteJobRequest { name: name.to_owned() };
        let request = self.link.request(cx, message)?;
        let mut client = self.link.client();
        let call = client.delete_job(request);
        match self.link.wait(cx, Block::Jobs, "deleting a job", call).await {
            Err(error) if missing(error.clone()).code != Code::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn list_jobs(&self, cx: &CallContext) -> Result<Vec<Job>> {
        let request = self.link.request(cx, runtime::ListJobsRequest {})?;
        let mut client = self.link.client();
        let call = client.list_jobs(request);
        let reply = self.link.wait(cx, Block::Jobs, "listing jobs", call).await?;
        Ok(reply.jobs.into_iter().map(kept).collect())
    }
}

/// daprd makes INTERNAL of what its scheduler says; only the text tells that there is no such job.
fn missing(error: Error) -> Error {
    if error.code == Code::Internal && error.message.contains("code = NotFound") {
        return Error::new(Code::NotFound, error.message).with_reason(error.reason);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_job_is_told_by_the_text() {
        let text = "failed to get job due to: rpc error: code = NotFound desc = job not found: n";
        let error = Error::new(Code::Internal, text).with_reason("DAPR_SCHEDULER_GET_JOB");
        let error = missing(error);
        assert_eq!((error.code, &*error.reason), (Code::NotFound, "DAPR_SCHEDULER_GET_JOB"));
        let other = Error::new(Code::Internal, "scheduler clients are disabled");
        assert_eq!(missing(other.clone()), other);
    }
}
