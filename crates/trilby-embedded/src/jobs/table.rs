//! The jobs in memory, by name and by the time at which they are due.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use trilby_dapr::jobs::Job;

use super::plan::{Plan, Progress};

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Table {
    jobs: BTreeMap<String, Entry>,
    /// Those that wait; not those that are being delivered. The number of an entry keeps apart what
    /// is due at the same time.
    waiting: BTreeMap<(Timestamp, u64), String>,
    /// Names that are being delivered, also of a job that was deleted or replaced meanwhile.
    running: BTreeSet<String>,
    added: u64,
    bytes: usize,
}

/// One job.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Tells it from others of its name, before and after.
    pub(super) number: u64,
    pub(super) job: Job,
    pub(super) plan: Plan,
    pub(super) progress: Progress,
    /// When it is to be delivered.
    at: Timestamp,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// What the jobs take in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.jobs.get(name)
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().map(|entry| &entry.job)
    }

    /// Adds a job, in the place of one of its name.
    pub(super) fn insert(&mut self, job: Job, plan: Plan, progress: Progress, at: Timestamp) {
        self.remove(&job.name);
        self.added += 1;
        self.bytes = self.bytes.saturating_add(size(&job));
        let name = job.name.clone();
        let entry = Entry { number: self.added, job, plan, progress, at };
        self.jobs.insert(name.clone(), entry);
        self.wait(&name);
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(entry) = self.jobs.remove(name) {
            self.bytes = self.bytes.saturating_sub(size(&entry.job));
            self.waiting.remove(&(entry.at, entry.number));
        }
    }

    /// Sets how far a job has come, and when it is to be delivered.
    pub(super) fn advance(&mut self, name: &str, progress: Progress, at: Timestamp) {
        if let Some(entry) = self.jobs.get_mut(name) {
            self.waiting.remove(&(entry.at, entry.number));
            (entry.progress, entry.at) = (progress, at);
            self.wait(name);
        }
    }

    fn wait(&mut self, name: &str) {
        if let Some(entry) = self.jobs.get(name)
            && !self.running.contains(name)
        {
            self.waiting.insert((entry.at, entry.number), name.to_owned());
        }
    }

    /// When the next one is due.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    /// Takes one that is due by `now`. Another of its name is not until [`free`](Self::free).
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Entry> {
        if self.due()? > now {
            return None;
        }
        let (_, name) = self.waiting.pop_first()?;
        let entry = self.jobs.get(&name)?.clone();
        self.running.insert(name);
        Some(entry)
    }

    /// A name is not being delivered any more.
    pub(super) fn free(&mut self, name: &str) {
        self.running.remove(name);
        self.wait(name);
    }
}

/// What a job takes in memory, about.
pub(super) fn size(job: &Job) -> usize {
    let texts = [&job.schedule, &job.due_time, &job.ttl];
    let data = job.data.as_ref().map_or(0, |data| data.bytes().len());
    let texts = texts.into_iter().flatten().map(String::len);
    texts.fold(job.name.len().saturating_add(data), usize::saturating_add)
}
