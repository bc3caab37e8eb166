//! Dapr's API, served: the gRPC service `dapr.proto.runtime.v1.Dapr` and the HTTP API `/v1.0/…`
//! over any [`trilby_dapr::Blocks`], for every process that has a Dapr SDK.
//!
//! In the order in which a call flows: [`Api::open`] listens (`listen`) on ports and Unix sockets; a
//! request is looked at by `caller` (token, deadline, trace) and by [`ApiAccess`], and then is an rpc
//! (`grpc`) or a route of the HTTP API (`http`). Both make of it a request of [`trilby_dapr`] for the
//! [`Backend`]; what fails goes through `fault`, which tells errors as daprd does on either way. The
//! other direction is `apps`: other apps of this machine are asked for their subscriptions.

mod access;
mod api;
mod apps;
mod backend;
mod caller;
mod embedded;
mod error;
mod fault;
mod grpc;
mod http;
mod listen;
#[cfg(test)]
mod tests;
mod watches;

pub use access::{AllowAll, ApiAccess, Protocol};
pub use api::{Addresses, Api, Listen};
pub use backend::{Backend, Feed, Feeds};
pub use embedded::EmbeddedFeeds;
pub use error::Error;
