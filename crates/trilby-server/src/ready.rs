//! Whether what the routes need is there.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

/// How long `/readyz` waits for an answer: less than Kubernetes waits for `/readyz` (1 s).
const WITHIN: Duration = Duration::from_millis(800);

/// Knows whether Dapr can be called.
#[async_trait]
pub trait Ready: Send + Sync + 'static {
    /// Whether guests' calls find Dapr now: daprd's outbound health, never its full health, which
    /// waits for the app itself. Asked at each `/readyz`, and taken for a no if it takes long.
    async fn outbound_ready(&self) -> bool;
}

pub(crate) async fn is_ready(ready: &dyn Ready) -> bool {
    timeout(WITHIN, ready.outbound_ready()).await.unwrap_or(false)
}
