//! Jobs.

use async_trait::async_trait;
use trilby_dapr::jobs::{Job, Jobs, ScheduleJob};
use trilby_dapr::{CallContext, Error, Result};

use crate::Runtime;

#[async_trait]
impl Jobs for Runtime {
    async fn schedule_job(&self, _: &CallContext, _: ScheduleJob) -> Result<()> {
        Err(no_jobs())
    }

    async fn get_job(&self, _: &CallContext, _: &str) -> Result<Job> {
        Err(no_jobs())
    }

    async fn delete_job(&self, _: &CallContext, _: &str) -> Result<()> {
        Err(no_jobs())
    }

    async fn list_jobs(&self, _: &CallContext) -> Result<Vec<Job>> {
        Err(no_jobs())
    }
}

fn no_jobs() -> Error {
    Error::unimplemented("the embedded runtime has no jobs; run with a Dapr sidecar")
}
