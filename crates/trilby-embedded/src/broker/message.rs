//! An event on its way to one subscription, and the end of that way.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;
use trilby_dapr::Metadata;

use super::backlog::Ticket;
use super::{journal, streams};

/// An event on its way to one subscription.
#[derive(Debug)]
pub(crate) struct Message {
    /// The envelope, or the publisher's raw payload.
    pub(crate) data: Bytes,
    /// The topic to which it was published.
    pub(crate) topic: Arc<str>,
    /// What the publisher said beside it.
    pub(crate) metadata: Arc<Metadata>,
    /// Where else the event is kept until it is settled.
    pub(crate) receipt: Receipt,
    /// Held until the event is settled or left.
    pub(crate) ticket: Ticket,
}

/// Where an event is kept beside the queue.
#[derive(Debug)]
pub(crate) enum Receipt {
    /// Nowhere: what is dropped is gone.
    Memory,
    Journal(journal::Receipt),
    Stream(streams::Receipt),
}

impl Message {
    /// The subscription is done with the event: it does not come again. One that is only dropped
    /// does, if its broker keeps it.
    pub(crate) fn settle(self) {
        match self.receipt {
            Receipt::Memory => {}
            Receipt::Journal(receipt) => receipt.settle(self.ticket),
            Receipt::Stream(receipt) => receipt.settle(self.ticket),
        }
    }

    /// Whether the broker brings the event again by itself when nobody settles it.
    pub(crate) fn comes_again(&self) -> bool {
        matches!(&self.receipt, Receipt::Stream(receipt) if receipt.comes_again())
    }
}

/// What one subscription receives.
#[derive(Debug)]
pub(crate) struct Events {
    /// What an earlier process or subscription did not settle, before anything new.
    earlier: Option<oneshot::Receiver<VecDeque<Message>>>,
    found: VecDeque<Message>,
    queue: mpsc::Receiver<Message>,
    /// Ends who fills the queue, if somebody does so for this subscription alone.
    source: Option<DropGuard>,
}

impl Events {
    pub(super) fn new(queue: mpsc::Receiver<Message>) -> Self {
        Self { earlier: None, found: VecDeque::new(), queue, source: None }
    }

    pub(super) fn after(self, earlier: oneshot::Receiver<VecDeque<Message>>) -> Self {
        Self { earlier: Some(earlier), ..self }
    }

    pub(super) fn from(self, source: DropGuard) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The next event; none when the subscription is closed and nothing is left. Nothing is lost
    /// when this is given up.
    pub(crate) async fn recv(&mut self) -> Option<Message> {
        if let Some(earlier) = &mut self.earlier {
            // A sender that is gone has told why.
            self.found = earlier.await.unwrap_or_default();
            self.earlier = None;
        }
        match self.found.pop_front() {
            Some(message) => Some(message),
            None => self.queue.recv().await,
        }
    }

    /// Takes no new events. Those that are there can still be received.
    pub(crate) fn close(&mut self) {
        self.source = None;
        self.queue.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

#[cfg(test)]
impl Events {
    /// The next event of the queue, if there is one now.
    pub(crate) fn try_recv(&mut self) -> Option<Message> {
        self.queue.try_recv().ok()
    }
}
