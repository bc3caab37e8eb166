//! The changes of one watched configuration.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trilby_dapr::configuration::ConfigurationItem;
use trilby_dapr::delivery;

use super::post::Receiver;
use super::tries::Tries;
use crate::broker::Backlog;

/// Keys and what they hold now, as a configuration store tells them.
pub(crate) type Changes = mpsc::Receiver<(String, ConfigurationItem)>;

/// Delivers each change, one after the other. A failed one is not repeated, unless a policy
/// says so: the next change of the
/// same key makes it obsolete, and the app can always ask for the value.
pub(super) struct Delivery {
    pub(super) receiver: Receiver,
    pub(super) store: String,
    pub(super) tries: Tries,
    pub(super) changes: Changes,
    pub(super) backlog: Arc<Backlog>,
    pub(super) draining: CancellationToken,
}

impl Delivery {
    pub(super) async fn run(mut self) {
        // Held until what there is when draining begins has been counted, so that nobody finds
        // nothing to wait for.
        let open = self.backlog.ticket(None);
        while let Some(Some((key, item))) =
            self.draining.run_until_cancelled(self.changes.recv()).await
        {
            self.deliver(&key, &item).await;
        }
        self.changes.close();
        let mut rest = Vec::new();
        while let Some(change) = self.changes.recv().await {
            rest.push((change, self.backlog.ticket(None)));
        }
        drop(open);
        for ((key, item), _ticket) in rest {
            self.deliver(&key, &item).await;
        }
    }

    async fn deliver(&self, key: &str, item: &ConfigurationItem) {
        let store = &self.store;
        let post = || self.receiver.post(delivery::configuration(store, key, item));
        match self.tries.all(&self.draining, post).await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::warn!(store, key, status, "a change was not taken; it is not repeated");
            }
            Err(why) => {
                tracing::warn!(store, key, "a change was not taken; it is not repeated: {why}");
            }
        }
    }
}
