//! The thread that owns a store's database: SQLite blocks, and has one writer at a time anyway.
//!
//! Writes that wait together share one transaction, and so one flush to the disk. A write is
//! answered only when its transaction has been committed.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use trilby_dapr::state::StateValue;

use super::database::Database;
use crate::state::bulk::read_all;
use crate::state::write::{Failure, Write};

/// Calls whose writes share a transaction, so that the first does not wait long for the last.
const SHARED_MAX: usize = 64;

/// One call.
pub(super) struct Job {
    pub(super) work: Work,
    /// The call's place in the queue.
    pub(super) place: OwnedSemaphorePermit,
}

pub(super) enum Work {
    Get { key: String, answer: oneshot::Sender<Result<StateValue, String>> },
    GetMany { keys: Vec<String>, answer: oneshot::Sender<Option<Vec<Result<StateValue, String>>>> },
    Write(Writes),
}

/// The changes of one call.
pub(super) struct Writes {
    pub(super) writes: Vec<Write>,
    /// Whether all of them are to be made or none.
    pub(super) atomic: bool,
    /// One outcome for each change; one for all if they are atomic.
    pub(super) answer: oneshot::Sender<Vec<Outcome>>,
    /// Room in the queue for as long as the changes are in memory.
    pub(super) _bytes: OwnedSemaphorePermit,
}

/// What became of one change, or of several that are atomic.
pub(super) type Outcome = Result<(), Failure>;

/// Serves calls until nobody can make any more; what is in the queue by then is still done.
pub(super) fn run(database: &Database, jobs: &Receiver<Job>, cleanup_every: Option<Duration>) {
    let mut cleanup = cleanup_every.map(Cleanup::new);
    let mut held = None;
    loop {
        match held.take().map_or_else(|| next(jobs, cleanup.as_ref()), Ok) {
            Ok(job) => held = serve(database, job, jobs),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(cleanup) = &mut cleanup
            && cleanup.at <= Instant::now()
        {
            cleanup.step(database);
        }
    }
}

fn next(jobs: &Receiver<Job>, cleanup: Option<&Cleanup>) -> Result<Job, RecvTimeoutError> {
    match cleanup {
        Some(cleanup) => jobs.recv_timeout(cleanup.at.saturating_duration_since(Instant::now())),
        None => jobs.recv().map_err(RecvTimeoutError::from),
    }
}

/// The removal of expired rows, in steps with calls between them.
struct Cleanup {
    every: Duration,
    /// When the next step is due.
    at: Instant,
    /// Whether this process has the turn, and not another that shares the file.
    has_turn: bool,
}

impl Cleanup {
    fn new(every: Duration) -> Self {
        Self { every, at: Instant::now() + every, has_turn: false }
    }

    fn step(&mut self, database: &Database) {
        let has_turn = self.has_turn || database.claim_cleanup(self.every).unwrap_or_else(warn);
        self.has_turn = has_turn && database.cleanup().unwrap_or_else(warn);
        let wait = if self.has_turn { Duration::ZERO } else { self.every };
        self.at = Instant::now() + wait;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that unwrap_or_else wants")]
fn warn(error: rusqlite::Error) -> bool {
    tracing::warn!(%error, "cannot remove expired state; trying again later");
    false
}

/// Serves one call, and with a write the writes that wait behind it. Returns the call that it
/// took from the queue but did not serve.
fn serve(database: &Database, job: Job, jobs: &Receiver<Job>) -> Option<Job> {
    let first = match job.work {
        Work::Get { key, answer } => {
            drop(job.place);
            // A caller that has given up needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(database.get(&key));
            }
            return None;
        }
        Work::GetMany { keys, answer } => {
            drop(job.place);
            if !answer.is_closed() {
                let _ = answer.send(read_all(&keys, |key| database.get(key)));
            }
            return None;
        }
        Work::Write(writes) => writes,
    };
    let mut shared = vec![first];
    let mut places = vec![job.place];
    let mut held = None;
    while shared.len() < SHARED_MAX
        && let Ok(job) = jobs.try_recv()
    {
        match job.work {
            Work::Write(writes) => {
                shared.push(writes);
                places.push(job.place);
            }
            Work::Get { .. } | Work::GetMany { .. } => {
                held = Some(job);
                break;
            }
        }
    }
    drop(places);
    shared.retain(|writes| !writes.answer.is_closed());
    let outcomes = transact(database, &shared);
    for (writes, outcomes) in shared.into_iter().zip(outcomes) {
        let _ = writes.answer.send(outcomes);
    }
    held
}

/// Makes the changes of several calls in one transaction. The calls do not depend on each other:
/// what is refused leaves the others as they are.
fn transact(database: &Database, calls: &[Writes]) -> Vec<Vec<Outcome>> {
    let all_failed = |error: &str| {
        let failure = || Err(Failure::Failed(error.to_owned()));
        calls.iter().map(|call| call.writes.iter().map(|_| failure()).collect()).collect()
    };
    if calls.is_empty() {
        return Vec::new();
    }
    if let Err(error) = database.begin() {
        return all_failed(&error);
    }
    let mut outcomes = Vec::with_capacity(calls.len());
    for call in calls {
        let made = if call.atomic { together(database, call) } else { singly(database, call) };
        match made {
            Ok(of_call) => outcomes.push(of_call),
            Err(failure) => return all_failed(&failure.to_string()),
        }
    }
    match database.commit() {
        Ok(()) => outcomes,
        Err(error) => all_failed(&error),
    }
}

/// Makes each change by itself. The error is one that has ended the transaction.
fn singly(database: &Database, call: &Writes) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(call.writes.len());
    for write in &call.writes {
        let outcome = database.apply(write);
        if let Err(failure) = &outcome
            && !database.is_in_transaction()
        {
            return Err(failure.clone());
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Makes all changes or none. The error is one that has ended the transaction.
fn together(database: &Database, call: &Writes) -> Result<Vec<Outcome>, Failure> {
    database.mark().map_err(Failure::Failed)?;
    let outcome = call.writes.iter().try_for_each(|write| database.apply(write));
    if let Err(failure) = &outcome {
        if !database.is_in_transaction() {
            return Err(failure.clone());
        }
        database.back_to_mark().map_err(Failure::Failed)?;
    }
    database.unmark().map_err(Failure::Failed)?;
    Ok(vec![outcome])
}
