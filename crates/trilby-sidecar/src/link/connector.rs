//! Making connections, but not at once again after one could not be made.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use tokio::time::{Instant, sleep_until, timeout};
use tower::Service;

use super::socket::Socket;
use crate::address::Address;
use crate::metrics::Counters;

/// How long one attempt to connect may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long nobody tries after the first failure; twice as long after each further one.
const BACKOFF_MIN: Duration = Duration::from_millis(50);

/// How long nobody tries at most. A call waits for the next try, so it must be short.
const BACKOFF_MAX: Duration = Duration::from_millis(500);

/// Connects to one address, whatever the URL says. Within the back-off after a failure it gives that
/// failure again, without trying.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Shared>);

struct Shared {
    address: Address,
    /// Who tells that the sidecar is lost, and counts. One of its APIs is enough for that.
    counters: Option<Arc<Counters>>,
    trouble: Mutex<Option<Trouble>>,
}

/// What came of the last attempt, when it failed.
struct Trouble {
    backoff: Duration,
    retry_at: Instant,
    cause: String,
}

impl Connector {
    pub(crate) fn new(address: Address, counters: Option<Arc<Counters>>) -> Self {
        Self(Arc::new(Shared { address, counters, trouble: Mutex::default() }))
    }

    /// Whether the last attempt failed.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.trouble(|trouble| trouble.is_some())
    }

    /// Waits until the next try may be made, unless that is after `deadline`. Whoever waits here holds
    /// up nobody else, as a call that waits for a connection would.
    pub(crate) async fn until_next_try(&self, deadline: Instant) {
        let retry_at = self.trouble(|trouble| trouble.as_ref().map(|trouble| trouble.retry_at));
        if let Some(retry_at) = retry_at.filter(|retry_at| *retry_at < deadline) {
            sleep_until(retry_at).await;
        }
    }

    /// Lets the next one who wants a connection try at once: the other side was seen to be there.
    pub(crate) fn end_backoff(&self) {
        self.trouble(|trouble| {
            if let Some(trouble) = trouble {
                trouble.retry_at = Instant::now();
            }
        });
    }

    async fn connect(self) -> io::Result<Socket> {
        let now = Instant::now();
        let waiting = |trouble: &mut Option<Trouble>| {
            let trouble = trouble.as_ref().filter(|trouble| now < trouble.retry_at)?;
            Some(trouble.cause.clone())
        };
        if let Some(cause) = self.trouble(waiting) {
            return Err(io::Error::other(cause));
        }
        let attempt = timeout(CONNECT_TIMEOUT, Socket::connect(&self.0.address)).await;
        match attempt.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(socket) => {
                self.succeeded();
                Ok(socket)
            }
            Err(error) => {
                self.failed(&error);
                Err(error)
            }
        }
    }

    fn succeeded(&self) {
        let before = self.trouble(Option::take);
        let Some(counters) = &self.0.counters else { return };
        counters.connects.fetch_add(1, Relaxed);
        if before.is_some() {
            tracing::info!(address = %self.0.address, "the Dapr sidecar is back");
        }
    }

    fn failed(&self, error: &io::Error) {
        let is_first = self.trouble(|trouble| {
            let before = trouble.as_ref().map(|trouble| trouble.backoff);
            let backoff = before.map_or(BACKOFF_MIN, |before| (before * 2).min(BACKOFF_MAX));
            let retry_at = Instant::now() + backoff;
            *trouble = Some(Trouble { backoff, retry_at, cause: error.to_string() });
            before.is_none()
        });
        let Some(counters) = &self.0.counters else { return };
        counters.connect_failures.fetch_add(1, Relaxed);
        if is_first {
            tracing::warn!(
                address = %self.0.address,
                %error,
                "the Dapr sidecar cannot be reached; calls fail until it is back"
            );
        }
    }

    fn trouble<T>(&self, work: impl FnOnce(&mut Option<Trouble>) -> T) -> T {
        work(&mut self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service<Uri> for Connector {
    type Response = Socket;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Socket>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_are_not_repeated_within_the_backoff() {
        let folder = tempfile::tempdir().expect("can write");
        let address = Address::Unix(folder.path().join("nobody"));
        let counters = Arc::new(Counters::default());
        let connector = Connector::new(address, Some(Arc::clone(&counters)));
        let failures = || counters.snapshot().connect_failures;
        let mut expected = 0;
        for wait_ms in [50, 100, 200, 400, 500, 500] {
            let error = connector.clone().connect().await.err().expect("nobody there");
            expected += 1;
            assert_eq!(failures(), expected);
            tokio::time::advance(Duration::from_millis(wait_ms - 1)).await;
            let again = connector.clone().connect().await.err().expect("still waiting");
            assert_eq!(again.to_string(), error.to_string());
            assert_eq!(failures(), expected);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(connector.is_in_trouble());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_can_wait_for_the_next_try() {
        let folder = tempfile::tempdir().expect("can write");
        let address = Address::Unix(folder.path().join("nobody"));
        let connector = Connector::new(address, None);
        let waited = async |within_ms| {
            let begun = Instant::now();
            connector.until_next_try(begun + Duration::from_millis(within_ms)).await;
            begun.elapsed().as_millis()
        };
        assert_eq!(waited(1000).await, 0, "nothing has failed yet");
        assert!(connector.clone().connect().await.is_err());
        assert_eq!(waited(20).await, 0, "there is no time for it");
        assert_eq!(waited(1000).await, 50);
        assert_eq!(waited(1000).await, 0);
        assert!(connector.clone().connect().await.is_err());
        connector.end_backoff();
        assert_eq!(waited(1000).await, 0, "it was seen to be there");
    }

    #[tokio::test]
    async fn a_success_ends_the_backoff() {
        let folder = tempfile::tempdir().expect("can write");
        let path = folder.path().join("s");
        let connector = Connector::new(Address::Unix(path.clone()), Some(Arc::default()));
        assert!(connector.clone().connect().await.is_err());
        let _listener = tokio::net::UnixListener::bind(&path).expect("can bind");
        while connector.clone().connect().await.is_err() {
            tokio::task::yield_now().await;
        }
        assert!(!connector.is_in_trouble());
    }
}
