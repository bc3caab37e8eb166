//! Jobs: work that is to be done at a time.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CallContext, Result};

/// The app's jobs.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Adds a job.
    async fn schedule_job(&self, cx: &CallContext, request: ScheduleJob) -> Result<()>;

    /// Reads a job.
    async fn get_job(&self, cx: &CallContext, name: &str) -> Result<Job>;

    /// Deletes a job, if there is one.
    async fn delete_job(&self, cx: &CallContext, name: &str) -> Result<()>;

    /// Reads all jobs of the app.
    async fn list_jobs(&self, cx: &CallContext) -> Result<Vec<Job>>;
}

/// Adds a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleJob {
    /// The job.
    pub job: Job,
    /// Whether it may take the place of one of the same name.
    pub overwrite: bool,
}

/// A job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its name, by which it is delivered.
    pub name: String,
    /// When it is due again and again: cron with seconds, `@every 10s`, `@daily`.
    pub schedule: Option<String>,
    /// How often at most.
    pub repeats: Option<u32>,
    /// When it is due first: RFC 3339, or a duration from now.
    pub due_time: Option<String>,
    /// When it ends: RFC 3339, or a duration.
    pub ttl: Option<String>,
    /// What comes with it.
    pub data: Option<JobData>,
    /// What happens when a delivery fails; Dapr's default is three tries, a second apart.
    pub failure_policy: Option<FailurePolicy>,
}

/// What comes with a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobData {
    /// JSON text: `google.protobuf.Value` on the wire.
    Json(Bytes),
    /// Any other bytes.
    Bytes(Bytes),
    /// Bytes of a type of protobuf's, as an SDK of Dapr schedules them. A delivery has the bytes.
    Typed {
        /// The name of the type.
        type_url: String,
        /// The bytes.
        value: Bytes,
    },
}

impl JobData {
    /// Its bytes, whatever they are.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Json(bytes) | Self::Bytes(bytes) | Self::Typed { value: bytes, .. } => bytes,
        }
    }
}

/// What happens when the delivery of a job fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Nothing more.
    Drop,
    /// It is tried again.
    Constant {
        /// The time between tries.
        interval: Option<Duration>,
        /// How many tries more; without end if `None`.
        max_retries: Option<u32>,
    },
}
