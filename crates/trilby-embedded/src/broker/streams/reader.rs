//! Fetches the events of one subscription.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::Value;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Sender, UnboundedSender};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use trilby_dapr::Metadata;

use super::Common;
use super::acks::{Done, Receipt};
use super::held::Hold;
use super::options::Redelivery;
use crate::broker::backlog::Backlog;
use crate::broker::message::{self, Message};
use crate::broker::queues::size;
use crate::redis::Failure;

/// Entries that are fetched together, so that what waits for room is bounded.
const TOGETHER_MAX: usize = 32;

/// How long Redis holds a call that finds nothing.
const BLOCK: Duration = Duration::from_secs(3);

/// How much later its answer may come.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// The longest time for one call that does not wait.
const CALL_MAX: Duration = Duration::from_secs(10);

/// The time until another try when Redis cannot be reached.
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(2);

pub(super) struct Reader {
    pub(super) common: Arc<Common>,
    pub(super) stream: Arc<str>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) queue: Sender<Message>,
    /// What is left of the bound on the bytes of events that are not settled.
    pub(super) bytes: Arc<Semaphore>,
    pub(super) done: UnboundedSender<Done>,
}

impl Reader {
    /// Fetches events that nobody of the group had yet.
    pub(super) async fn read_new(self: Arc<Self>, reading: CancellationToken) {
        let mut connection = None;
        let mut back_off = BACK_OFF_MIN;
        // Given up while Redis gives something, that comes again.
        while let Some(fetched) = reading.run_until_cancelled(self.fetch(&mut connection)).await {
            match fetched {
                Ok(entries) => {
                    self.put(entries).await;
                    back_off = BACK_OFF_MIN;
                }
                Err(failure) => {
                    connection = None;
                    if back_off == BACK_OFF_MIN {
                        self.warn("cannot fetch events; trying again", &failure);
                    }
                    let _ = reading.run_until_cancelled(sleep(back_off)).await;
                    back_off = (back_off * 2).min(BACK_OFF_MAX);
                }
            }
            if self.queue.is_closed() {
                return;
            }
        }
    }

    /// Fetches events that somebody had and did not acknowledge, now and then.
    pub(super) async fn read_again(self: Arc<Self>, when: Redelivery, reading: CancellationToken) {
        let mut start = "0-0".to_owned();
        while let Some(claimed) = reading.run_until_cancelled(self.claim(when, &start)).await {
            start = match claimed {
                Ok(StreamAutoClaimReply { next_stream_id, claimed, .. }) => {
                    self.put(claimed).await;
                    next_stream_id
                }
                Err(failure) => {
                    // Without a group there is nothing, and the other task makes it.
                    if !is_no_group(&failure) {
                        self.warn("cannot fetch events again; trying later", &failure);
                    }
                    "0-0".to_owned()
                }
            };
            if start == "0-0" && reading.run_until_cancelled(sleep(when.every)).await.is_none() {
                return;
            }
        }
    }

    /// Waits for room, and then for events.
    async fn fetch(
        &self,
        connection: &mut Option<MultiplexedConnection>,
    ) -> Result<Vec<StreamId>, Failure> {
        // A queue that is closed is noticed by the caller.
        if self.queue.reserve().await.is_err() {
            return Ok(Vec::new());
        }
        let connection = match connection {
            Some(connection) => connection,
            None => {
                self.make_group().await?;
                let deadline = Instant::now() + CALL_MAX;
                let made = self.common.redis.own_connection(deadline, Some(ANSWER_WITHIN)).await?;
                connection.insert(made)
            }
        };
        let group = &self.common.options.group;
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(group).arg(group);
        read.arg("COUNT").arg(self.queue.capacity().clamp(1, TOGETHER_MAX));
        read.arg("BLOCK").arg(u64::try_from(BLOCK.as_millis()).unwrap_or_default());
        read.arg("STREAMS").arg(&*self.stream).arg(">");
        let reply = read.query_async::<Option<StreamReadReply>>(connection).await;
        let reply = reply.map_err(|error| self.common.redis.failure(&error))?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    /// A group gets all that is in the stream, as daprd's.
    async fn make_group(&self) -> Result<(), Failure> {
        let mut make = redis::cmd("XGROUP");
        make.arg("CREATE").arg(&*self.stream).arg(&self.common.options.group);
        make.arg("0").arg("MKSTREAM");
        match self.common.redis.query::<Value>(Instant::now() + CALL_MAX, &make).await {
            Err(Failure::Refused(text)) if text.starts_with("BUSYGROUP") => Ok(()),
            made => made.map(|_| ()),
        }
    }

    async fn claim(&self, when: Redelivery, start: &str) -> Result<StreamAutoClaimReply, Failure> {
        let group = &self.common.options.group;
        let mut claim = redis::cmd("XAUTOCLAIM");
        claim.arg(&*self.stream).arg(group).arg(group);
        claim.arg(u64::try_from(when.idle.as_millis()).unwrap_or(u64::MAX)).arg(start);
        claim.arg("COUNT").arg(TOGETHER_MAX);
        self.common.redis.query(Instant::now() + CALL_MAX, &claim).await
    }

    /// Puts entries into the queue, in their order.
    async fn put(&self, entries: Vec<StreamId>) {
        // Counted before there is room, so that nobody finds nothing to wait for.
        let _open = (!entries.is_empty()).then(|| self.backlog.ticket(None));
        for entry in entries {
            let (id, (data, metadata)) = (entry.id.clone(), self.read(entry));
            let Some(hold) = Hold::new(&self.common, &self.stream, id) else { continue };
            let room = Arc::clone(&self.bytes).acquire_many_owned(size(&data, &metadata)).await;
            let receipt = Receipt {
                hold,
                done: self.done.clone(),
                comes_again: self.common.options.redelivery.is_some(),
            };
            let message = Message {
                data,
                topic: Arc::clone(&self.stream),
                metadata: Arc::new(metadata),
                receipt: message::Receipt::Stream(receipt),
                ticket: self.backlog.ticket(room.ok()),
            };
            if self.queue.send(message).await.is_err() {
                return;
            }
        }
    }

    /// What daprd reads of an entry, which takes a missing field for an empty one.
    fn read(&self, mut entry: StreamId) -> (Bytes, Metadata) {
        let mut field = |name| match entry.map.remove(name) {
            Some(Value::BulkString(bytes)) => bytes,
            Some(Value::SimpleString(text)) => text.into_bytes(),
            _ => Vec::new(),
        };
        let (data, metadata) = (field("data"), field("metadata"));
        let read = |json: &[u8]| serde_json::from_slice::<Option<Metadata>>(json);
        let metadata = match metadata.is_empty() {
            true => Metadata::new(),
            false => read(&metadata).map(Option::unwrap_or_default).unwrap_or_else(|error| {
                let (topic, id) = (&*self.stream, &entry.id);
                tracing::warn!(pubsub = self.common.name, topic, id, "metadata left out: {error}");
                Metadata::new()
            }),
        };
        (data.into(), metadata)
    }

    fn warn(&self, what: &str, failure: &Failure) {
        tracing::warn!(pubsub = self.common.name, topic = &*self.stream, "{what}: {failure}");
    }
}

fn is_no_group(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(text) if text.starts_with("NOGROUP"))
}
