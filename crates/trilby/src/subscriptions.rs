//! How events come from a sidecar: daprd calls this app, or this app opens streams to daprd.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use trilby_dapr::Code;
use trilby_sidecar::Sidecar;

/// The time between two questions to a sidecar that is not there, which doubles up to the second.
const ASK_AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// How events of topics come from a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subscriptions {
    /// Over the app channel if daprd was given an app port, else over streams
    Auto,
    /// daprd calls this app on its app port
    AppChannel,
    /// This app opens a stream for each topic: no app port is needed
    Streaming,
}

/// Finds out how events come. With a sidecar that is not there yet this takes until it is.
pub(crate) async fn are_streamed(wanted: Subscriptions, sidecar: Arc<Sidecar>) -> bool {
    match wanted {
        Subscriptions::AppChannel => return false,
        Subscriptions::Streaming => return true,
        Subscriptions::Auto => {}
    }
    let [mut pause, longest] = ASK_AGAIN;
    let mut is_told = false;
    loop {
        match sidecar.app_channel_port().await {
            Ok(port) => return port == 0,
            // One so old that it does not tell has no streams either.
            Err(error) if error.code == Code::Unimplemented => return false,
            Err(error) if error.code == Code::Unauthenticated && !is_told => {
                tracing::error!("no events come: {error}");
                is_told = true;
            }
            Err(error) => tracing::debug!(%error, "the sidecar does not tell its app port yet"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(longest);
    }
}
