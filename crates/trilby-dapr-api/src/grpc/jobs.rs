//! Jobs over gRPC.

use tonic::{Request, Status};
use trilby_dapr::jobs::{Job, ScheduleJob};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::wire::jobs::{kept, sent};
use trilby_dapr::{Code, Error};

use super::opened;
use crate::api::Shared;
use crate::fault::{About, Block};

pub(super) async fn schedule(
    shared: &Shared,
    request: Request<runtime::ScheduleJobRequest>,
) -> Result<runtime::ScheduleJobResponse, Status> {
    let (cx, message) = opened(request);
    let scheduled =
        match message.job {
            Some(job) => {
                let request = ScheduleJob { job: kept(job), overwrite: message.overwrite };
                shared.backend.blocks.schedule_job(&cx, request).await
            }
            None => Err(Error::new(Code::InvalidArgument, "Job is empty")
                .with_reason("DAPR_SCHEDULER_EMPTY")),
        };
    scheduled.map_err(|error| told(shared, &error))?;
    Ok(runtime::ScheduleJobResponse {})
}

pub(super) async fn get(
    shared: &Shared,
    request: Request<runtime::GetJobRequest>,
) -> Result<runtime::GetJobResponse, Status> {
    let (cx, message) = opened(request);
    let job = shared.backend.blocks.get_job(&cx, &message.name).await;
    let job = job.and_then(sent).map_err(|error| told(shared, &error))?;
    Ok(runtime::GetJobResponse { job: Some(job) })
}

pub(super) async fn delete(
    shared: &Shared,
    request: Request<runtime::DeleteJobRequest>,
) -> Result<runtime::DeleteJobResponse, Status> {
    let (cx, message) = opened(request);
    let deleted = shared.backend.blocks.delete_job(&cx, &message.name).await;
    deleted.map_err(|error| told(shared, &error))?;
    Ok(runtime::DeleteJobResponse {})
}

/// Deletes all jobs whose names begin so; all if nothing is said.
pub(super) async fn delete_by_prefix(
    shared: &Shared,
    request: Request<runtime::DeleteJobsByPrefixRequest>,
) -> Result<runtime::DeleteJobsByPrefixResponse, Status> {
    let (cx, message) = opened(request);
    let prefix = message.name_prefix.unwrap_or_default();
    let blocks = &shared.backend.blocks;
    let jobs = blocks.list_jobs(&cx).await.map_err(|error| told(shared, &error))?;
    let meant = |job: &Job| job.name.starts_with(&prefix);
    for job in jobs.into_iter().filter(meant) {
        blocks.delete_job(&cx, &job.name).await.map_err(|error| told(shared, &error))?;
    }
    Ok(runtime::DeleteJobsByPrefixResponse {})
}

pub(super) async fn list(
    shared: &Shared,
    request: Request<runtime::ListJobsRequest>,
) -> Result<runtime::ListJobsResponse, Status> {
    let (cx, _) = opened(request);
    let jobs = shared.backend.blocks.list_jobs(&cx).await;
    let jobs = jobs.and_then(|jobs| jobs.into_iter().map(sent).collect());
    Ok(runtime::ListJobsResponse { jobs: jobs.map_err(|error| told(shared, &error))? })
}

fn told(shared: &Shared, error: &Error) -> Status {
    shared.teller().status(error, &About::new(Block::Jobs, ""))
}
