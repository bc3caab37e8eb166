//! The thread that owns the file.
//!
//! Changes that wait together share one transaction, and so one flush to the disk. An event gets
//! into the queues only when it is on the disk, so that queues have the order of the file.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use bytes::Bytes;
use tokio::sync::oneshot;
use trilby_dapr::Metadata;

use super::database::{Database, Row};
use super::{EVENT_BYTES_MIN, Receipt};
use crate::broker::backlog::Ticket;
use crate::broker::message::{self, Message};
use crate::broker::queues::{Place, Subscriber, size};

/// Changes that share a transaction, so that the first does not wait long for the last.
const SHARED_MAX: usize = 128;

#[derive(Debug)]
pub(super) enum Job {
    Add(Add),
    /// An event that its subscription is done with.
    Settle {
        id: i64,
        ticket: Ticket,
    },
    /// An event that is no longer in this process, but stays in the file.
    Leave {
        id: i64,
    },
    /// Gives a subscription what was left of it.
    Load {
        subscriber: Arc<Subscriber>,
        answer: oneshot::Sender<VecDeque<Message>>,
        _ticket: Ticket,
    },
    /// The end. What is in the queue before it is still done.
    Close,
}

/// An event that is published.
#[derive(Debug)]
pub(super) struct Add {
    pub(super) data: Bytes,
    pub(super) topic: Arc<str>,
    pub(super) metadata: Arc<Metadata>,
    /// Where it is to go, of which there is at least one.
    pub(super) places: Vec<Place>,
    /// Told when it is on the disk. Nothing is published for who has given up.
    pub(super) answer: Option<oneshot::Sender<Result<(), String>>>,
    /// The event whose place it takes.
    pub(super) instead_of: Option<(Receipt, Ticket)>,
}

struct Worker<'a> {
    database: Database,
    /// For receipts, which settle through it.
    jobs: &'a Sender<Job>,
    /// The events of the file that this process has in memory.
    held: HashSet<i64>,
}

pub(super) fn run(database: Database, queue: &Receiver<Job>, jobs: &Sender<Job>) {
    let mut worker = Worker { database, jobs, held: HashSet::new() };
    let mut next = None;
    while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
        match job {
            Job::Close => return,
            Job::Leave { id } => {
                worker.held.remove(&id);
            }
            Job::Load { subscriber, answer, .. } => {
                // What was not taken leaves itself.
                let _ = answer.send(worker.load(&subscriber));
            }
            change @ (Job::Add(_) | Job::Settle { .. }) => {
                let mut shared = vec![change];
                while shared.len() < SHARED_MAX
                    && next.is_none()
                    && let Ok(job) = queue.try_recv()
                {
                    match job {
                        Job::Add(_) | Job::Settle { .. } => shared.push(job),
                        other => next = Some(other),
                    }
                }
                worker.change(shared);
            }
        }
    }
}

impl Worker<'_> {
    fn change(&mut self, mut jobs: Vec<Job>) {
        jobs.retain(|job| {
            let given_up = |add: &Add| add.answer.as_ref().is_some_and(oneshot::Sender::is_closed);
            !matches!(job, Job::Add(add) if given_up(add))
        });
        match self.write(&jobs) {
            Ok(numbers) => self.done(jobs, numbers),
            Err(error) => {
                self.database.roll_back();
                for job in jobs {
                    failed(job, &error);
                }
            }
        }
    }

    /// Makes all changes, or none. Says the numbers of what was added, place by place.
    fn write(&mut self, jobs: &[Job]) -> Result<VecDeque<i64>, String> {
        let flushed = jobs.iter().any(|job| matches!(job, Job::Add(_)));
        let text = |error: rusqlite::Error| error.to_string();
        self.database.begin(flushed).map_err(text)?;
        let mut numbers = VecDeque::new();
        for job in jobs {
            match job {
                Job::Add(add) => {
                    let metadata = serde_json::to_string(&*add.metadata);
                    let metadata = metadata.map_err(|error| error.to_string())?;
                    for Place { subscriber, .. } in &add.places {
                        let added = self.database.add(subscriber, &add.topic, &metadata, &add.data);
                        numbers.push_back(added.map_err(text)?);
                    }
                    if let Some((receipt, _)) = &add.instead_of {
                        self.database.remove(receipt.id).map_err(text)?;
                    }
                }
                Job::Settle { id, .. } => self.database.remove(*id).map_err(text)?,
                Job::Leave { .. } | Job::Load { .. } | Job::Close => {}
            }
        }
        self.database.commit().map_err(text)?;
        Ok(numbers)
    }

    fn done(&mut self, jobs: Vec<Job>, mut numbers: VecDeque<i64>) {
        for job in jobs {
            match job {
                Job::Add(Add { data, topic, metadata, places, answer, instead_of }) => {
                    for place in places {
                        let Some(id) = numbers.pop_front() else { break };
                        self.held.insert(id);
                        let receipt = message::Receipt::Journal(Receipt::new(id, self.jobs));
                        place.put(&data, &topic, &metadata, receipt);
                    }
                    if let Some((mut receipt, _ticket)) = instead_of {
                        receipt.is_settled = true;
                        self.held.remove(&receipt.id);
                    }
                    if let Some(answer) = answer {
                        let _ = answer.send(Ok(()));
                    }
                }
                Job::Settle { id, ticket } => {
                    self.held.remove(&id);
                    drop(ticket);
                }
                Job::Leave { .. } | Job::Load { .. } | Job::Close => {}
            }
        }
    }

    fn load(&mut self, subscriber: &Subscriber) -> VecDeque<Message> {
        let found = self.database.load(subscriber, |id| self.held.contains(&id));
        let found = found.unwrap_or_else(|error| {
            let topic = &*subscriber.topic;
            tracing::error!(topic, %error, "what is left of before cannot be read");
            Vec::new()
        });
        found.into_iter().map(|row| self.message(subscriber, row)).collect()
    }

    fn message(&mut self, subscriber: &Subscriber, row: Row) -> Message {
        let Row { id, topic, metadata, data } = row;
        self.held.insert(id);
        let size = size(&data, &metadata).max(EVENT_BYTES_MIN);
        Message {
            data,
            topic,
            metadata: Arc::new(metadata),
            receipt: message::Receipt::Journal(Receipt::new(id, self.jobs)),
            ticket: subscriber.ticket(size),
        }
    }
}

fn failed(job: Job, error: &str) {
    match job {
        Job::Add(Add { answer: Some(answer), .. }) => {
            let _ = answer.send(Err(error.to_owned()));
        }
        Job::Add(Add { topic, .. }) => {
            tracing::error!(topic = &*topic, error, "a dead letter stays where it is");
        }
        Job::Settle { .. } => {
            tracing::error!(error, "an event that is settled may come again after a restart");
        }
        Job::Leave { .. } | Job::Load { .. } | Job::Close => {}
    }
}
