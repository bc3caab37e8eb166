//! Admission: how many guests run at once, and how many requests wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Lets a bounded number of requests run, and a bounded number wait.
#[derive(Clone)]
pub struct Admission {
    running: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
}

/// The turn of one request; the next may start when it is dropped.
pub(crate) struct Turn {
    pub(crate) _of_route: Option<OwnedSemaphorePermit>,
    pub(crate) _of_process: OwnedSemaphorePermit,
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many requests wait as may wait.
    QueueFull,
    /// No turn came before the request's deadline.
    WaitedTooLong,
}

impl Admission {
    /// `running_max` requests at once, and `waiting_max` more in the queue.
    #[must_use]
    pub fn new(running_max: usize, waiting_max: usize) -> Self {
        let running = Arc::new(Semaphore::new(running_max));
        Self { running, waiting: Arc::default(), waiting_max }
    }

    /// Waits for a turn until `deadline`. The turn lasts until the permit is dropped.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Refused> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue()?;
        let turn = timeout_at(deadline, Arc::clone(&self.running).acquire_owned()).await;
        match turn {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphore is never closed, so only the deadline is left.
            Ok(Err(_)) | Err(_) => Err(Refused::WaitedTooLong),
        }
    }

    fn queue(&self) -> Result<Place, Refused> {
        let place = Place(Arc::clone(&self.waiting));
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.waiting_max {
            return Err(Refused::QueueFull);
        }
        Ok(place)
    }
}

/// A place in the queue, given back when dropped, also by a client that goes away.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_runs_one_waits_and_one_is_refused() {
        let admission = Admission::new(1, 1);
        let deadline = Instant::now() + Duration::from_secs(5);
        let first = admission.enter(deadline).await.expect("free");
        let waiter = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(deadline).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert_eq!(admission.enter(deadline).await.map(drop), Err(Refused::QueueFull));
        drop(first);
        assert_eq!(waiter.await.expect("no panic"), Ok(()));
        assert_eq!(admission.waiting.load(Ordering::Acquire), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_deadline() {
        let admission = Admission::new(1, 1);
        let deadline = Instant::now() + Duration::from_secs(5);
        let _first = admission.enter(deadline).await.expect("free");
        assert_eq!(admission.enter(deadline).await.map(drop), Err(Refused::WaitedTooLong));
    }
}
