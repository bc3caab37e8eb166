//! The calls of guests about jobs.

use async_trait::async_trait;
use trilby_dapr::jobs::{Job, Jobs, ScheduleJob};
use trilby_dapr::{CallContext, Result};

use crate::Runtime;

#[async_trait]
impl Jobs for Runtime {
    async fn schedule_job(&self, cx: &CallContext, request: ScheduleJob) -> Result<()> {
        self.jobs().schedule(cx, request).await
    }

    async fn get_job(&self, _: &CallContext, name: &str) -> Result<Job> {
        self.jobs().get(name)
    }

    async fn delete_job(&self, cx: &CallContext, name: &str) -> Result<()> {
        self.jobs().delete(cx, name).await
    }

    async fn list_jobs(&self, _: &CallContext) -> Result<Vec<Job>> {
        Ok(self.jobs().list())
    }
}
