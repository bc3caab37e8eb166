//! Dapr's app channel, over HTTP and over gRPC: what daprd asks of an app, answered without running
//! a guest, and what it delivers.
//!
//! `paths` has the paths of deliveries; `http` tells what a request is; `grpc` takes the rpcs of
//! `AppCallback`, `callbacks` answers them, and `messages` makes requests of their messages; `answers`
//! has what an answer means to daprd, and `headers` what of a message's metadata a guest sees.

pub(crate) mod answers;
mod callbacks;
mod grpc;
pub(crate) mod headers;
mod http;
mod messages;
pub(crate) mod paths;

pub(crate) use self::grpc::{is_grpc, message_room};
pub(crate) use self::http::{DaprApp, Question};

#[cfg(test)]
mod tests;
