//! The server: from an accepted connection to a recorded answer.
//!
//! In the order in which data flows: `listen` accepts connections and drains them at the end;
//! `admit` bounds how many guests run and wait; [`Service`] matches a request to an [`Entry`] and
//! prepares its run; `respond` turns what the guest writes into a response, which is [`Streaming`]
//! while the guest runs on; [`outcome`] maps every ending to an HTTP status and a log line;
//! `dapr_app` answers the questions that daprd asks an app, and takes its deliveries, over HTTP and
//! gRPC; [`events`] gives them the form in which guests get them.
//!
//! # Cancel safety
//!
//! A client that goes away drops its response, and with it the guest that is writing it.

mod admit;
mod body;
mod dapr_app;
mod entry;
pub mod events;
mod files;
mod generation;
mod inbound;
mod linger;
mod listen;
pub mod outcome;
mod prepare;
mod ready;
mod record;
mod redirect;
mod request_id;
mod respond;
mod run;
mod service;
mod streamed;
mod streaming;
#[cfg(test)]
mod testing;
mod tls;

pub use admit::Admission;
pub use body::{BrokenOff, CutOff, RequestBody, ResponseBody};
pub use entry::{Answers, Entry, Guest, LineCopy, Table};
pub use files::Files;
pub use generation::{Before, Served};
pub use inbound::ServiceHandle;
pub use listen::{Drain, ListenSettings, serve};
pub use ready::Ready;
pub use service::{Peer, Service, ServiceSettings};
pub use streaming::Streaming;
pub use tls::{Tls, TlsError};
