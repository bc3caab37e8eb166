//! Whether the sidecar is ready, asked not too often.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::http_api::HttpApi;

/// How long a good answer counts.
const READY_FOR: Duration = Duration::from_secs(1);

/// How long a bad answer counts.
const UNREADY_FOR: Duration = Duration::from_millis(200);

/// How long the sidecar may take for an answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// What is known of the sidecar's health.
#[derive(Default)]
pub(crate) struct Health {
    /// Held by who asks: the others wait for the answer.
    known: Mutex<Option<Known>>,
    was_ready: AtomicBool,
}

#[derive(Clone, Copy)]
struct Known {
    is_ready: bool,
    until: Instant,
}

impl Health {
    pub(crate) fn was_ready(&self) -> bool {
        self.was_ready.load(Relaxed)
    }

    pub(crate) async fn is_ready(&self, http: &HttpApi, within: Duration) -> bool {
        timeout(within, self.ask(http)).await.unwrap_or(false)
    }

    async fn ask(&self, http: &HttpApi) -> bool {
        let mut known = self.known.lock().await;
        if let Some(known) = known.filter(|known| Instant::now() < known.until) {
            return known.is_ready;
        }
        let is_ready = timeout(PROBE_TIMEOUT, http.is_outbound_ready()).await.unwrap_or(false);
        let counts_for = if is_ready { READY_FOR } else { UNREADY_FOR };
        *known = Some(Known { is_ready, until: Instant::now() + counts_for });
        self.was_ready.store(is_ready, Relaxed);
        is_ready
    }
}
