//! The jobs on the disk, so that they outlive the process: `jobs.db`, a database of SQLite.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use trilby_dapr::jobs::{FailurePolicy, Job, JobData};

use super::plan::{DEFAULT_POLICY, Plan, Progress};
use crate::exclusive::{self, Layout};

/// The file.
const LAYOUT: Layout = Layout {
    version: 1,
    schema: "CREATE TABLE IF NOT EXISTS jobs (
                 name TEXT NOT NULL PRIMARY KEY,
                 record TEXT NOT NULL,
                 data BLOB,
                 count INTEGER NOT NULL,
                 attempts INTEGER NOT NULL,
                 last TEXT
             ) STRICT",
    does: "delivers its jobs",
};

/// Where jobs are kept.
#[derive(Debug)]
pub(super) enum Journal {
    /// Nowhere but in memory.
    Memory,
    /// In a file that is made with the first job.
    Later(PathBuf),
    /// In this file. No other process can open it: both would deliver its jobs.
    Open(Connection),
}

/// What is written of a job beside its data.
#[derive(Serialize, Deserialize)]
struct Record {
    schedule: Option<String>,
    repeats: Option<u32>,
    due_time: Option<String>,
    ttl: Option<String>,
    is_json: bool,
    /// The type of data that is neither JSON nor plain bytes.
    #[serde(default)]
    type_url: Option<String>,
    /// The policy `drop`, or else the two numbers.
    drops: bool,
    interval: Option<Duration>,
    max_retries: Option<u32>,
    begin: String,
    expires: Option<String>,
}

/// A job as it is found in the file.
pub(super) struct Found {
    pub(super) job: Job,
    pub(super) plan: Plan,
    pub(super) progress: Progress,
}

impl Journal {
    /// Opens a file that is there, and reads its jobs. One that is not there is made later.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<Found>), String> {
        if !path.exists() {
            return Ok((Self::Later(path), Vec::new()));
        }
        let connection = exclusive::open(&path, &LAYOUT)?;
        let found =
            read(&connection).map_err(|error| exclusive::explain(&path, &LAYOUT, &error))?;
        let found = found.collect::<Result<Vec<_>, String>>();
        let found = found.map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        Ok((Self::Open(connection), found))
    }

    /// The database; none for jobs in memory.
    fn connection(&mut self) -> Result<Option<&Connection>, String> {
        if let Self::Later(path) = self {
            *self = Self::Open(exclusive::open(path, &LAYOUT)?);
        }
        Ok(if let Self::Open(connection) = self { Some(connection) } else { None })
    }

    /// Keeps a job that is new, in the place of one of its name.
    pub(super) fn put(&mut self, job: &Job, plan: &Plan) -> Result<(), String> {
        let Some(connection) = self.connection()? else { return Ok(()) };
        let record = serde_json::to_string(&Record::of(job, plan));
        let record = record.map_err(|error| error.to_string())?;
        let data = job.data.as_ref().map(|data| &**data.bytes());
        let sql = "INSERT OR REPLACE INTO jobs (name, record, data, count, attempts, last) \
                   VALUES (?1, ?2, ?3, 0, 0, NULL)";
        let put = connection.execute(sql, params![job.name, record, data]);
        put.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Keeps how far a job has come.
    pub(super) fn advance(&mut self, name: &str, progress: &Progress) -> Result<(), String> {
        let Some(connection) = self.connection()? else { return Ok(()) };
        let Progress { count, attempts, last } = progress;
        let last = last.map(|time| time.to_string());
        let sql = "UPDATE jobs SET count = ?2, attempts = ?3, last = ?4 WHERE name = ?1";
        let advanced = connection.execute(sql, params![name, count, attempts, last]);
        advanced.map(|_| ()).map_err(|error| error.to_string())
    }

    pub(super) fn delete(&mut self, name: &str) -> Result<(), String> {
        if matches!(self, Self::Later(_)) {
            return Ok(());
        }
        let Some(connection) = self.connection()? else { return Ok(()) };
        let deleted = connection.execute("DELETE FROM jobs WHERE name = ?1", params![name]);
        deleted.map(|_| ()).map_err(|error| error.to_string())
    }
}

impl Record {
    fn of(job: &Job, plan: &Plan) -> Self {
        let (drops, interval, max_retries) = match job.failure_policy.unwrap_or(DEFAULT_POLICY) {
            FailurePolicy::Drop => (true, None, None),
            FailurePolicy::Constant { interval, max_retries } => (false, interval, max_retries),
        };
        Self {
            schedule: job.schedule.clone(),
            repeats: job.repeats,
            due_time: job.due_time.clone(),
            ttl: job.ttl.clone(),
            is_json: matches!(job.data, Some(JobData::Json(_))),
            type_url: match &job.data {
                Some(JobData::Typed { type_url, .. }) => Some(type_url.clone()),
                _ => None,
            },
            drops,
            interval,
            max_retries,
            begin: plan.begin.to_string(),
            expires: plan.expires.map(|time| time.to_string()),
        }
    }

    fn job(self, name: String, data: Option<Vec<u8>>) -> Result<(Job, Plan), String> {
        let begin = time(&self.begin)?;
        let expires = self.expires.as_deref().map(time).transpose()?;
        let data = data.map(Bytes::from);
        let data = data.map(|value| match self.type_url {
            Some(type_url) => JobData::Typed { type_url, value },
            None if self.is_json => JobData::Json(value),
            None => JobData::Bytes(value),
        });
        let (interval, max_retries) = (self.interval, self.max_retries);
        let constant = FailurePolicy::Constant { interval, max_retries };
        let job = Job {
            name,
            schedule: self.schedule,
            repeats: self.repeats,
            due_time: self.due_time,
            ttl: self.ttl,
            data,
            failure_policy: Some(if self.drops { FailurePolicy::Drop } else { constant }),
        };
        let plan = Plan::again(&job, begin, expires)?;
        Ok((job, plan))
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("`{text}` is no time: {error}"))
}

fn read(connection: &Connection) -> rusqlite::Result<impl Iterator<Item = Result<Found, String>>> {
    let sql = "SELECT name, record, data, count, attempts, last FROM jobs";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (name, record, data): (String, String, Option<Vec<u8>>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let last: Option<String> = row.get(5)?;
        Ok((name, record, data, row.get(3)?, row.get(4)?, last))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().map(|(name, record, data, count, attempts, last)| {
        let bad = |why: String| format!("the job `{name}`: {why}");
        let record: Record =
            serde_json::from_str(&record).map_err(|error| bad(error.to_string()))?;
        let last = last.as_deref().map(time).transpose().map_err(bad)?;
        let (job, plan) = record.job(name.clone(), data).map_err(bad)?;
        Ok(Found { job, plan, progress: Progress { count, attempts, last } })
    }))
}
