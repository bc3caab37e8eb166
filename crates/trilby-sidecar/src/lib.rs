//! Dapr's building blocks from a daprd beside this process.
//!
//! [`SidecarConfig`] reads the environment as Dapr's SDKs do. [`Sidecar`] turns each
//! [`Blocks`](trilby_dapr::Blocks) call into an rpc over one HTTP/2 connection (`link`), or, for
//! service invocation and conversation, into a request to daprd's HTTP API (`http_api`); `status` and
//! `http_api::error` turn daprd's answer to a failed one into a [`trilby_dapr::Error`] with the code
//! and the reason that daprd gave; `conflict` sees through the stores that report a lost race as a
//! failure. What comes the other way without an app port, events and changes of configuration, comes
//! over [`Streams`].
//!
//! A daprd that is late, restarts or is gone costs the calls made meanwhile, each within its
//! deadline, and nothing else: after a failed attempt to connect, calls fail at once until the next
//! one is due, 50 ms later and up to a second.

mod address;
mod blocks;
mod config;
mod conflict;
mod health;
mod http_api;
mod link;
mod metrics;
mod sidecar;
mod status;
mod streams;

pub use config::{ConfigError, SidecarConfig};
pub use metrics::{CallCount, SidecarMetrics};
pub use sidecar::Sidecar;
pub use streams::Streams;

#[cfg(test)]
mod tests;
