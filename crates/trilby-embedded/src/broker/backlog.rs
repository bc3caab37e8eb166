//! How much there is still to deliver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, watch};

/// Counts what was accepted and is not settled yet, over all subscriptions: queued, in flight or
/// waiting for another try.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    open: watch::Sender<usize>,
    retired: AtomicBool,
    /// How many there have ever been.
    issued: AtomicU64,
}

/// One piece of the backlog, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    backlog: Arc<Backlog>,
    /// The room that it takes in a queue, if it has a size.
    _room: Option<OwnedSemaphorePermit>,
}

impl Backlog {
    /// Counts one more, which gives back its room when it is settled.
    pub(crate) fn ticket(self: &Arc<Self>, room: Option<OwnedSemaphorePermit>) -> Ticket {
        self.issued.fetch_add(1, Ordering::AcqRel);
        self.open.send_if_modified(|open| {
            *open += 1;
            false
        });
        Ticket { backlog: Arc::clone(self), _room: room }
    }

    /// Nothing more is accepted: its subscriptions are over, though the broker goes on.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// How many were ever accepted: two equal counts have none between them.
    pub(crate) fn issued(&self) -> u64 {
        self.issued.load(Ordering::Acquire)
    }

    pub(crate) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until nothing is open. What is accepted later does not count.
    pub(crate) async fn settled(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Only the last one is worth waking anybody for.
        self.backlog.open.send_if_modified(|open| {
            *open = open.saturating_sub(1);
            *open == 0
        });
    }
}
