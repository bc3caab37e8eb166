//! Jobs: work that is due at a time, also after a restart, as with Dapr's scheduler.
//!
//! [`time`] and [`plan`] know when a job is due, [`table`] has the jobs in memory, and [`journal`]
//! on the disk; [`delivery`] brings what is due to the app. A change is on the disk before it is in
//! memory, and a job is done only when its delivery was: after a crash it comes again.

mod calls;
mod delivery;
mod journal;
mod plan;
mod refusals;
mod table;
#[cfg(test)]
mod tests;
mod time;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout_at;
use trilby_dapr::jobs::{Job, ScheduleJob};
use trilby_dapr::{CallContext, Error as DaprError, Result};

use crate::Error;
use crate::deliveries::Clock;
pub(crate) use delivery::Delivery;
use journal::Journal;
use plan::{DEFAULT_POLICY, Plan, Progress};
use table::Table;

/// Jobs of one app at the same time.
const JOBS_MAX: usize = 10_000;

/// Bytes of names, texts and data of all jobs.
const BYTES_MAX: usize = 64 << 20;

/// The jobs of one app.
pub(crate) struct Jobs {
    app_id: String,
    clock: Clock,
    in_memory: bool,
    /// Whoever changes a job holds this from before it looks until the change is in the table.
    journal: Mutex<Journal>,
    table: Mutex<Table>,
    /// Another job may be due first now.
    changed: watch::Sender<()>,
}

impl Jobs {
    /// Opens the jobs that are kept in a file, which is made with the first one; without a path
    /// they are in memory.
    pub(crate) fn open(path: Option<PathBuf>, app_id: &str) -> std::result::Result<Self, Error> {
        Self::open_at(path, app_id, Arc::new(Timestamp::now))
    }

    fn open_at(
        path: Option<PathBuf>,
        app_id: &str,
        clock: Clock,
    ) -> std::result::Result<Self, Error> {
        let in_memory = path.is_none();
        let (journal, found) = match path.map(Journal::open) {
            None => (Journal::Memory, Vec::new()),
            Some(opened) => {
                opened.map_err(|message| Error::Open { component: "jobs".to_owned(), message })?
            }
        };
        let mut table = Table::default();
        for found in found {
            // One that was done when the process ended has no next time.
            if let Some(at) = found.plan.next(&found.progress) {
                table.insert(found.job, found.plan, found.progress, at);
            }
        }
        Ok(Self {
            app_id: app_id.to_owned(),
            clock,
            in_memory,
            journal: Mutex::new(journal),
            table: Mutex::new(table),
            changed: watch::Sender::new(()),
        })
    }

    /// Adds a job.
    pub(crate) async fn schedule(
        self: &Arc<Self>,
        cx: &CallContext,
        request: ScheduleJob,
    ) -> Result<()> {
        let ScheduleJob { mut job, overwrite } = request;
        if job.name.is_empty() {
            return Err(refusals::name_empty());
        }
        if job.schedule.is_none() && job.due_time.is_none() {
            return Err(refusals::schedule_empty());
        }
        refusals::check_name(&job.name, &self.full_name(&job.name))?;
        job.failure_policy.get_or_insert(DEFAULT_POLICY);
        let plan = Plan::of(&job, self.now()).map_err(|why| refusals::not_valid(&why))?;
        self.change(cx, move |jobs| jobs.add(job, plan, overwrite)).await
    }

    /// Reads a job.
    pub(crate) fn get(&self, name: &str) -> Result<Job> {
        if name.is_empty() {
            return Err(refusals::name_empty());
        }
        let job = self.table().get(name).map(|entry| entry.job.clone());
        job.ok_or_else(|| refusals::not_found(name))
    }

    /// Deletes a job, if there is one. A delivery that has begun goes on.
    pub(crate) async fn delete(self: &Arc<Self>, cx: &CallContext, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(refusals::name_empty());
        }
        let name = name.to_owned();
        let delete = move |jobs: &Self| {
            let mut journal = jobs.journal();
            if jobs.table().get(&name).is_some() {
                journal.delete(&name).map_err(|why| refusals::delete_failed(&why))?;
                jobs.table().remove(&name);
            }
            Ok(())
        };
        self.change(cx, delete).await
    }

    /// All jobs, by name.
    pub(crate) fn list(&self) -> Vec<Job> {
        self.table().jobs().cloned().collect()
    }

    fn add(&self, job: Job, plan: Plan, overwrite: bool) -> Result<()> {
        let mut journal = self.journal();
        {
            let table = self.table();
            let old = table.get(&job.name);
            if old.is_some() && !overwrite {
                return Err(refusals::exists(&self.full_name(&job.name)));
            }
            if old.is_none() && table.len() >= JOBS_MAX {
                return Err(refusals::full(&format!("there are {JOBS_MAX} jobs already")));
            }
            let freed = old.map_or(0, |old| table::size(&old.job));
            if table.bytes() - freed + table::size(&job) > BYTES_MAX {
                let most = BYTES_MAX >> 20;
                return Err(refusals::full(&format!("all jobs together may have {most} MiB")));
            }
        }
        let progress = Progress::default();
        // One whose end comes before its first time is over.
        let Some(at) = plan.next(&progress) else {
            journal.delete(&job.name).map_err(|why| refusals::schedule_failed(&why))?;
            self.table().remove(&job.name);
            return Ok(());
        };
        journal.put(&job, &plan).map_err(|why| refusals::schedule_failed(&why))?;
        self.table().insert(job, plan, progress, at);
        self.changed.send_replace(());
        Ok(())
    }

    /// Makes a change, which may write to the disk. Given up, it still takes effect as a whole.
    async fn change(
        self: &Arc<Self>,
        cx: &CallContext,
        change: impl FnOnce(&Self) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        if self.in_memory {
            return change(self);
        }
        let jobs = Arc::clone(self);
        let changed = tokio::task::spawn_blocking(move || change(&jobs));
        match timeout_at(cx.deadline, changed).await {
            Ok(Ok(changed)) => changed,
            Ok(Err(error)) => Err(refusals::schedule_failed(&error.to_string())),
            Err(_) => Err(DaprError::deadline("the change of a job")),
        }
    }

    fn full_name(&self, name: &str) -> String {
        format!("app||default||{}||{name}", self.app_id)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
