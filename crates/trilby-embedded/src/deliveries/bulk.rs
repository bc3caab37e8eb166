//! Several events of one subscription in one delivery.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tokio::time::{Instant, sleep_until};
use trilby_dapr::Metadata;
use trilby_dapr::delivery::{BulkEntry, BulkEvents, CLOUD_EVENT, Verdict};
use trilby_dapr::subscription::Bulk;

use super::post::{Target, headers};
use super::topic::{Delivery, Pending, reason};
use super::tries::Posted;

/// Bytes of events in one delivery, unless one alone has more: it must be within what receivers
/// take, which is 10 MiB by default, also when the events become base64.
const BULK_BYTES_MAX: usize = 4 << 20;

/// Batches as large as the app was found to take, before a larger one is tried: one event that is
/// too large must not keep the others apart for ever.
const FULL_BATCHES: u32 = 16;

/// The most events in one delivery, as far as the app's answers tell.
#[derive(Debug)]
pub(super) struct BatchMax {
    count: usize,
    /// Batches of so many that have begun since it changed.
    full: u32,
}

impl Default for BatchMax {
    fn default() -> Self {
        Self { count: usize::MAX, full: 0 }
    }
}

impl BatchMax {
    /// The app takes so many at most.
    fn shrink(&mut self, count: usize) {
        *self = Self { count: self.count.min(count), full: 0 };
    }

    /// A batch of so many begins.
    fn grow(&mut self, count: usize) {
        self.full += u32::from(count >= self.count);
        if self.full > FULL_BATCHES {
            *self = Self { count: self.count.saturating_mul(2), full: 0 };
        }
    }
}

/// What came of one delivery.
struct Answer {
    /// None when there was no answer.
    status: Option<StatusCode>,
    /// One for each event.
    verdicts: Vec<Verdict>,
    why: String,
}

impl Delivery {
    /// The next events, in their order. None at the end.
    ///
    /// As in daprd, the wait for more begins with the first of them. Nobody waits while draining.
    pub(super) async fn gather(&mut self, bulk: Bulk) -> Option<Vec<Pending>> {
        let first = self.next().await?;
        let mut bytes = first.body.len();
        let mut batch = vec![first];
        let end = Instant::now() + bulk.max_await;
        let count_max = usize::try_from(bulk.max_messages).unwrap_or(usize::MAX);
        while batch.len() < count_max.min(self.batch_max.count) {
            let draining = self.draining.clone();
            let more = tokio::select! {
                biased;
                more = self.next() => more,
                () = draining.cancelled() => None,
                () = sleep_until(end) => None,
            };
            let Some(more) = more else { break };
            bytes = bytes.saturating_add(more.body.len());
            if bytes > BULK_BYTES_MAX {
                self.held = Some(more);
                break;
            }
            batch.push(more);
        }
        Some(batch)
    }

    /// Delivers to each target what is for it.
    pub(super) async fn deliver_all(&mut self, batch: Vec<Pending>) {
        self.batch_max.grow(batch.len());
        let mut groups: Vec<(Arc<Target>, Vec<Pending>)> = Vec::new();
        for pending in batch {
            match groups.iter_mut().find(|(target, _)| Arc::ptr_eq(target, &pending.target)) {
                Some((_, group)) => group.push(pending),
                None => groups.push((Arc::clone(&pending.target), vec![pending])),
            }
        }
        for (target, group) in groups {
            self.deliver_group(&target, group).await;
        }
    }

    /// Delivers the events together, or in parts as large as the app takes.
    async fn deliver_group(&mut self, target: &Target, group: Vec<Pending>) {
        // The next one is the last.
        let mut parts = vec![group];
        while let Some(mut part) = parts.pop() {
            let answer = match self.post_all(target, &part).await {
                Ok(answer) => answer,
                Err(shut) => {
                    part.into_iter().for_each(|pending| self.shut(pending, shut));
                    continue;
                }
            };
            if part.len() > 1 && answer.status == Some(StatusCode::PAYLOAD_TOO_LARGE) {
                let later = part.split_off(part.len().div_ceil(2));
                self.batch_max.shrink(part.len());
                parts.extend([later, part]);
                continue;
            }
            for (pending, verdict) in part.into_iter().zip(answer.verdicts) {
                self.settle(pending, verdict, answer.status, &answer.why);
            }
        }
    }

    /// The error is how long a circuit breaker is open.
    async fn post_all(&self, target: &Target, group: &[Pending]) -> Result<Answer, Duration> {
        let events = self.events_of(group);
        let (ids, body) = (events.entries.iter().map(|entry| entry.id.as_str()), events.to_json());
        let post = target.post("application/json", self.bulk_headers(), body);
        // As in daprd, one event that failed is a failure of the delivery.
        let is_failure = |answer: &Response<Bytes>| {
            let verdicts = Verdict::of_each(answer.status(), answer.body(), ids.clone());
            verdicts.iter().any(|verdict| matches!(verdict, Verdict::Retry))
        };
        Ok(match self.tries.once(is_failure, post).await {
            Posted::Answer(answer) => Answer {
                status: Some(answer.status()),
                verdicts: Verdict::of_each(answer.status(), answer.body(), ids),
                why: reason(&answer),
            },
            Posted::Failed(why) => {
                let verdicts = group.iter().map(|_| Verdict::Retry).collect();
                Answer { status: None, verdicts, why }
            }
            Posted::Shut(wait) => return Err(wait),
        })
    }

    fn events_of(&self, group: &[Pending]) -> BulkEvents {
        let entries = group.iter().map(|pending| BulkEntry {
            id: uuid::Uuid::new_v4().to_string(),
            // To daprd, raw payloads need no envelope among others.
            event: pending.message.data.clone(),
            content_type: if self.is_raw { "application/octet-stream" } else { CLOUD_EVENT }
                .to_owned(),
            metadata: Metadata::clone(&pending.message.metadata),
        });
        BulkEvents {
            id: uuid::Uuid::new_v4().to_string(),
            pubsub: self.subscription.pubsub.clone(),
            topic: self.subscription.topic.clone(),
            metadata: self.bulk_metadata(),
            entries: entries.collect(),
        }
    }

    fn bulk_headers(&self) -> HeaderMap {
        headers(&self.bulk_metadata())
    }

    fn bulk_metadata(&self) -> Metadata {
        Metadata::from([("pubsubName".to_owned(), self.subscription.pubsub.clone())])
    }
}
