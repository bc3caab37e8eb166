//! Write Trilby guests in Rust: a CGI request in, a response out, and Dapr's building blocks
//! beside it.
//!
//! A guest is a plain `main` for `wasm32-wasip1`. The host runs it once per request, so there is
//! no server to start and nothing to lock:
//!
//! ```no_run
//! use trilby_guest::cgi::{Request, Response};
//! use trilby_guest::state;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let request = Request::read()?;
//!     let value = state::get("statestore", "greeting")?;
//!     match value.etag {
//!         Some(_) => Response::new(200).header("Content-Type", "text/plain").body(value.data),
//!         None => Response::text(404, format!("nothing at {}\n", request.path_info())),
//!     }
//!     .send()?;
//!     Ok(())
//! }
//! ```
//!
//! Only the blocks that a guest calls become imports of its module, and the host refuses at load
//! a module that imports a block its route does not grant. Keep jobs with different grants in
//! binaries of their own.
//!
//! Every block has a module with functions for the plain case, such as [`state::get`], and with a
//! builder for each operation that takes options, such as [`state::Get`]. Options are sent as they
//! are: one that is named twice is refused by the host. The modules, in the order in which a
//! request meets them:
//!
//! # Requests and events: [`cgi`]
//!
//! [`cgi::Request::trigger`] tells a client's request from an event, a job or a change of
//! configuration, and [`cgi::Response`] is the answer to all of them:
//! [`ack`](cgi::Response::ack), [`retry`](cgi::Response::retry) and
//! [`drop_event`](cgi::Response::drop_event) are the ones for events.
//!
//! # State: [`state`]
//!
//! Values by key, with etags against lost updates; many keys at once, transactions, queries.
//! Grants `state`, `state-read`, `state-write` and, for queries, `state-query`.
//!
//! # Publish: [`pubsub`]
//!
//! Events for topics, one or many. Grant `publish`.
//!
//! # Output bindings: [`binding`]
//!
//! Mail, files, queues and other systems. Grant `bindings`.
//!
//! # Service invocation: [`invoke`]
//!
//! Calls of other applications, with bodies of any length in both directions. Grant `invoke`.
//!
//! # Secrets: [`secret`]
//!
//! One, or all that are granted. Grant `secrets`.
//!
//! # Configuration: [`configuration`]
//!
//! What operators may change at run time. Grant `configuration`.
//!
//! # Distributed lock: [`lock`]
//!
//! One holder at a time in all instances of the application. Grant `lock`.
//!
//! # Jobs: [`jobs`]
//!
//! Requests to be delivered later, once or again and again. Grant `jobs`.
//!
//! # Cryptography: [`crypto`]
//!
//! Data encrypted and decrypted with keys outside the guest, whole or as a stream. Grants `encrypt`
//! and `decrypt`.
//!
//! # Conversation: [`conversation`]
//!
//! Large language models. Grant `conversation`.
//!
//! # Actors: [`actor`]
//!
//! Methods, state, reminders and timers of actors. Grant `actors`.
//!
//! # The runtime: [`metadata`] and [`rpc`]
//!
//! What the runtime knows about itself (grant `metadata`), and any other unary rpc of Dapr (grant
//! `call`).
//!
//! # Errors
//!
//! All calls fail with an [`Error`]: a [`Code`], the reason in Dapr's words, and a sentence. Five
//! kinds have a question of their own, since a guest can do something about them:
//!
//! | question | what to do |
//! |---|---|
//! | [`Error::is_conflict`] | read again, and write again |
//! | [`Error::is_not_found`] | go on without |
//! | [`Error::is_denied`] | add the grant that the message names to the manifest |
//! | [`Error::is_unavailable`] | answer 503, or ask for a [retry](cgi::Response::retry) |
//! | [`Error::is_deadline`] | the same, but a write may have happened |
//!
//! # With the other languages, and the manifest
//!
//! `GUIDE.md` beside this crate shows each block in Rust, Go and C, with the lines of the manifest
//! that it needs.
//!
//! # Without the crate
//!
//! [`raw`] holds the imports themselves, as `ABI.md` of `trilby-host` describes them.
//!
//! On other targets than Wasm every call to the host gives [`Code::Unimplemented`]: a guest's
//! logic can then be built and tested natively.

pub mod actor;
pub mod binding;
mod call;
pub mod cgi;
pub mod configuration;
pub mod conversation;
pub mod crypto;
pub mod error;
pub mod invoke;
pub mod jobs;
mod json;
pub mod lock;
pub mod metadata;
pub mod pubsub;
pub mod raw;
pub mod rpc;
pub mod secret;
pub mod state;
mod stream;

pub use error::{Code, Error, Result};

/// The guide's blocks in Rust, as doctests.
#[cfg(doctest)]
#[doc = include_str!("../GUIDE.md")]
struct Guide;
