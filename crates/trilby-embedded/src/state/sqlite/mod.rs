//! `state.sqlite`: a file that daprd can open too.
//!
//! [`options`] reads the metadata and [`query`] a part of it, [`schema`] opens the file,
//! [`database`] has the statements, and [`worker`] is the thread on which they run. This file is
//! what callers see: a queue to that thread.

mod database;
mod options;
mod query;
mod schema;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};
use trilby_dapr::state::StateValue;
use trilby_dapr::{CallContext, Code, Error};

use self::database::Database;
use self::options::Options;
use self::worker::{Job, Outcome, Work, Writes};
use super::CallFailure;
use super::clock::Clock;
use super::write::Write;
use crate::component::Component;

/// Calls that may wait for the thread; later ones wait to get into the queue.
const QUEUE_DEPTH: usize = 1024;

/// Bytes of keys and values to be written that may wait; later writes wait to get into the queue.
const QUEUE_BYTES: u32 = 64 << 20;

/// How long the end waits for what is in the queue.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A store on its own thread.
pub(super) struct Sqlite {
    name: String,
    timeout: Duration,
    /// The places in the queue. They bound the channel, which has no limit of its own, so that
    /// waiting for a place is async and waiting for a job can have a timeout.
    places: Arc<Semaphore>,
    /// The same, by the size of what is written.
    bytes: Arc<Semaphore>,
    /// Taken away at the end, which ends the thread.
    jobs: Option<mpsc::Sender<Job>>,
    /// Tells that the file is closed. Locked only at the end, by nobody else.
    closed: Mutex<mpsc::Receiver<()>>,
}

impl Sqlite {
    pub(super) fn open(component: &Component, clock: Clock) -> Result<Self, crate::Error> {
        let options = Options::of(component)?;
        let failed = |message| crate::Error::Open { component: component.name.clone(), message };
        let connection = schema::open(&options).map_err(failed)?;
        let database = Database::new(connection, &options.tables, clock);
        let cleanup_every = options.cleanup_every;
        let (jobs, queue) = mpsc::channel();
        let (done, closed) = mpsc::channel();
        std::thread::Builder::new()
            .name(format!("state {}", component.name))
            .spawn(move || {
                worker::run(&database, &queue, cleanup_every);
                // Closes the file.
                drop(database);
                let _ = done.send(());
            })
            .map_err(|error| failed(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            name: component.name.clone(),
            timeout: options.timeout,
            places: Arc::new(Semaphore::new(QUEUE_DEPTH)),
            bytes: Arc::new(Semaphore::new(QUEUE_BYTES as usize)),
            jobs: Some(jobs),
            closed: Mutex::new(closed),
        })
    }

    pub(super) async fn get(
        &self,
        cx: &CallContext,
        key: String,
    ) -> Result<StateValue, CallFailure> {
        let (answer, answered) = oneshot::channel();
        let value = self.call(self.deadline(cx), Work::Get { key, answer }, answered).await?;
        value.map_err(CallFailure::Store)
    }

    /// Reads several keys, in one step of the thread: none when they are too large together.
    pub(super) async fn get_many(
        &self,
        cx: &CallContext,
        keys: Vec<String>,
    ) -> Result<Option<Vec<Result<StateValue, String>>>, CallFailure> {
        let (answer, answered) = oneshot::channel();
        self.call(self.deadline(cx), Work::GetMany { keys, answer }, answered).await
    }

    /// Makes the changes, each by itself.
    pub(super) async fn write(
        &self,
        cx: &CallContext,
        writes: Vec<Write>,
    ) -> Result<Vec<Outcome>, CallFailure> {
        self.change(cx, writes, false).await
    }

    /// Makes all of the changes, in order, or none of them. Guards see the changes before them.
    pub(super) async fn transact(
        &self,
        cx: &CallContext,
        writes: Vec<Write>,
    ) -> Result<Outcome, CallFailure> {
        let outcomes = self.change(cx, writes, true).await?;
        Ok(outcomes.into_iter().collect())
    }

    async fn change(
        &self,
        cx: &CallContext,
        writes: Vec<Write>,
        atomic: bool,
    ) -> Result<Vec<Outcome>, CallFailure> {
        let deadline = self.deadline(cx);
        let size = writes.iter().map(Write::size).fold(0, usize::saturating_add);
        // What is larger than the bound goes alone.
        let size = u32::try_from(size).map_or(QUEUE_BYTES, |size| size.min(QUEUE_BYTES));
        let bytes = self.room(deadline, &self.bytes, size).await?;
        let (answer, answered) = oneshot::channel();
        let work = Work::Write(Writes { writes, atomic, answer, _bytes: bytes });
        self.call(deadline, work, answered).await
    }

    fn deadline(&self, cx: &CallContext) -> Instant {
        cx.deadline.min(Instant::now() + self.timeout)
    }

    async fn call<T>(
        &self,
        deadline: Instant,
        work: Work,
        answered: oneshot::Receiver<T>,
    ) -> Result<T, CallFailure> {
        let place = self.room(deadline, &self.places, 1).await?;
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { work, place }).map_err(|_| gone())?;
        match timeout_at(deadline, answered).await {
            Ok(answer) => answer.map_err(|_| gone()),
            Err(_) => {
                let what = format!("the state store `{}`", self.name);
                Err(CallFailure::Own(Error::deadline(&what)))
            }
        }
    }

    /// Room in the queue.
    async fn room(
        &self,
        deadline: Instant,
        free: &Arc<Semaphore>,
        count: u32,
    ) -> Result<OwnedSemaphorePermit, CallFailure> {
        match timeout_at(deadline, Arc::clone(free).acquire_many_owned(count)).await {
            Ok(room) => room.map_err(|_| gone()),
            Err(_) => Err(CallFailure::Own(self.full())),
        }
    }

    fn full(&self) -> Error {
        let message = format!(
            "the queue of the state store `{}` is full ({QUEUE_DEPTH} calls, or {} MiB to be \
             written); it is too slow for them",
            self.name,
            QUEUE_BYTES >> 20
        );
        Error::new(Code::ResourceExhausted, message).with_reason("TRILBY_QUEUE_FULL")
    }
}

fn gone() -> CallFailure {
    CallFailure::Store("the store is closed".to_owned())
}

/// Ends the thread once it has done what is in the queue, and waits for that.
impl Drop for Sqlite {
    fn drop(&mut self) {
        self.jobs = None;
        let closed = self.closed.get_mut().unwrap_or_else(PoisonError::into_inner);
        if closed.recv_timeout(CLOSE_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!(component = self.name, "the state store is still busy; left to itself");
        }
    }
}
