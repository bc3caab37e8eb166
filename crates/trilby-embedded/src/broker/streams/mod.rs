//! `pubsub.redis`: a stream for each topic, and in it a group for each app, as daprd has them, so
//! that Trilby and daprd exchange events through one Redis and share the work of one app.
//!
//! [`options`] reads the metadata. Of one subscription, [`reader`] fetches events, and [`acks`]
//! tells Redis which are done and which are still [`held`].
//!
//! Unlike daprd's component, which acknowledges an event also when the app failed, this leaves it
//! unacknowledged: it comes again after `redeliverInterval`, to whoever of the group is there.

mod acks;
mod held;
mod options;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use redis::Cmd;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trilby_dapr::Metadata;

pub(crate) use self::acks::Receipt;
use self::held::Held;
use self::options::{Options, Trim};
use self::reader::Reader;
use super::Refusal;
use super::backlog::Backlog;
use super::message::{self, Events, Message};
use super::queues::QUEUE_BYTES_MAX;
use crate::Error;
use crate::component::Component;
use crate::redis::Redis;

/// A broker on a Redis.
#[derive(Debug)]
pub(super) struct Streams {
    common: Arc<Common>,
}

/// What all tasks of a broker need.
struct Common {
    /// The component's.
    name: String,
    redis: Redis,
    options: Options,
    held: Held,
}

impl Streams {
    pub(super) fn open(component: &Component, app_id: &str) -> Result<Self, Error> {
        let common = Common {
            name: component.name.clone(),
            redis: Redis::open(component)?,
            options: Options::of(component, app_id)?,
            held: Held::default(),
        };
        Ok(Self { common: Arc::new(common) })
    }

    pub(super) fn at_once_max(&self) -> usize {
        self.common.options.concurrency
    }

    /// Must be called on a tokio runtime, which then has the tasks. No more is read once what is
    /// returned is closed, or `draining` is cancelled.
    pub(super) fn subscribe(
        &self,
        topic: &str,
        backlog: Arc<Backlog>,
        instead_of: Option<&Backlog>,
        draining: &CancellationToken,
    ) -> Events {
        if let Some(old) = instead_of {
            old.retire();
        }
        let common = &self.common;
        let (queue, events) = mpsc::channel(common.options.queue_depth);
        // Bounded by what is held: each event is told of once.
        let (done, told) = mpsc::unbounded_channel();
        let stream: Arc<str> = Arc::from(topic);
        let reader = Arc::new(Reader {
            common: Arc::clone(common),
            stream: Arc::clone(&stream),
            backlog,
            queue,
            bytes: Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize)),
            done,
        });
        let reading = draining.child_token();
        if let Some(redelivery) = common.options.redelivery {
            tokio::spawn(Arc::clone(&reader).read_again(redelivery, reading.clone()));
        }
        tokio::spawn(reader.read_new(reading.clone()));
        tokio::spawn(acks::run(Arc::clone(common), stream, told));
        Events::new(events).from(reading.drop_guard())
    }

    /// Returns when the event is in the stream, which is made if needed.
    pub(super) async fn publish(
        &self,
        deadline: Instant,
        topic: &str,
        data: Bytes,
        metadata: Metadata,
    ) -> Result<(), Refusal> {
        let add = self.common.add(topic, &data, &metadata);
        let added = self.common.redis.query::<String>(deadline, &add).await;
        added.map(|_| ()).map_err(|failure| {
            Refusal::Failed(format!("redis streams: error from publish: {failure}"))
        })
    }

    /// Adds a copy to another stream, and then acknowledges the message.
    pub(super) fn republish(&self, message: Message, topic: &str) {
        let Message { data, metadata, receipt, ticket, .. } = message;
        if let message::Receipt::Stream(receipt) = receipt {
            receipt.letter(self.common.add(topic, &data, &metadata), ticket);
        }
    }
}

impl Common {
    /// Adds an entry to a stream, with the fields that daprd writes and reads.
    fn add(&self, stream: &str, data: &[u8], metadata: &Metadata) -> Cmd {
        let mut add = redis::cmd("XADD");
        add.arg(stream);
        match self.options.trim {
            Trim::Never => {}
            Trim::Length(most) => {
                add.arg("MAXLEN").arg("~").arg(most);
            }
            Trim::Age(most) => {
                let now = Timestamp::now().as_millisecond();
                let oldest = now.saturating_sub(i64::try_from(most.as_millis()).unwrap_or(now));
                add.arg("MINID").arg("~").arg(format!("{oldest}-1"));
            }
        }
        // Texts always have a form in JSON.
        let metadata = serde_json::to_vec(metadata).unwrap_or_default();
        add.arg("*").arg("data").arg(data).arg("metadata").arg(metadata);
        add
    }
}

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Common").field("name", &self.name).finish_non_exhaustive()
    }
}
