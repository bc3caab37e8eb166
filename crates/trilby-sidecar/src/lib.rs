//! Dapr's building blocks over gRPC, from a daprd beside this process.
//!
//! [`SidecarConfig`] reads the environment as Dapr's SDKs do; [`Sidecar`] holds one HTTP/2
//! connection, made at the first call and again whenever it is lost, and turns each
//! [`Blocks`](trilby_dapr::Blocks) call into an rpc; `status` turns daprd's answer to a failed one
//! into a [`trilby_dapr::Error`] with the code and the reason that daprd gave; `conflict` sees
//! through the one store that reports a lost race as a failure.
//!
//! A daprd that is late, restarts or is gone costs the calls made meanwhile, each within its
//! deadline, and nothing else.

mod blocks;
mod config;
mod conflict;
mod convert;
mod sidecar;
mod status;
mod stubs;

pub use config::{ConfigError, SidecarConfig};
pub use sidecar::Sidecar;

#[cfg(test)]
mod tests;
