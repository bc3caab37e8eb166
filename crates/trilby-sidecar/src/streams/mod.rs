//! Events and changes of configuration over streams that this process opens.

mod configuration;
mod keeper;
mod route;
mod topic;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use trilby_dapr::Inbound;
use trilby_dapr::subscription::{ConfigurationWatch, Subscription};

use crate::link::Link;

/// Open streams. Dropped without [`finish`](Self::finish), they break off.
pub struct Streams {
    shared: Arc<Shared>,
    /// No more of anything. Cancelled by dropping it.
    _broken_off: DropGuard,
}

/// What the streams have in common.
struct Shared {
    link: Link,
    inbound: Arc<dyn Inbound>,
    tasks: TaskTracker,
    /// Deliveries that have not ended.
    in_flight: AtomicUsize,
    /// No new deliveries.
    closing: CancellationToken,
    broken_off: CancellationToken,
}

impl Streams {
    pub(crate) fn open(
        link: &Link,
        inbound: &Arc<dyn Inbound>,
        subscriptions: Vec<Subscription>,
        watches: Vec<ConfigurationWatch>,
    ) -> Self {
        let broken_off = CancellationToken::new();
        let shared = Arc::new(Shared {
            link: link.clone(),
            inbound: Arc::clone(inbound),
            tasks: TaskTracker::new(),
            in_flight: AtomicUsize::new(0),
            closing: CancellationToken::new(),
            broken_off: broken_off.clone(),
        });
        for subscription in subscriptions {
            shared.spawn(topic::run(Arc::clone(&shared), subscription));
        }
        for watch in watches {
            shared.spawn(configuration::run(Arc::clone(&shared), watch));
        }
        shared.tasks.close();
        Self { shared, _broken_off: broken_off.drop_guard() }
    }

    /// Begins the end: no new events are taken. Those in flight go on, and their outcomes are sent.
    pub fn begin_drain(&self) {
        self.shared.closing.cancel();
    }

    /// Ends the streams within a bound, and says how many deliveries were broken off because it
    /// passed. The sidecar gives what was not acknowledged to the broker again.
    pub async fn finish(self, within: Duration) -> usize {
        self.begin_drain();
        match timeout(within, self.shared.tasks.wait()).await {
            Ok(()) => 0,
            Err(_) => self.shared.in_flight.load(Relaxed),
        }
    }
}

impl Shared {
    /// Runs a task until it ends, or everything is broken off.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let broken_off = self.broken_off.clone();
        self.tasks.spawn(async move {
            // `None` says that it was broken off, which is what was wanted.
            let _ = broken_off.run_until_cancelled(task).await;
        });
    }

    /// Hands over a delivery; `None` if its receiver took far longer than it may.
    async fn deliver(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Option<Response<Bytes>> {
        let _counted = Counted::new(&self.in_flight);
        // The receiver's own bounds are the deadline to run and the deadline to wait before.
        let within = deadline * 2 + SLACK;
        timeout(within, self.inbound.deliver(request)).await.ok()
    }
}

/// What a receiver that ends at its deadlines may take beside them.
const SLACK: Duration = Duration::from_secs(5);

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
