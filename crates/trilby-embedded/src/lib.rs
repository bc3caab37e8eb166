//! Dapr's building blocks in this process, without a sidecar, from the same component files.
//!
//! In the order of a start: [`Runtime::open`] reads the folders of component YAML (`load`), opens
//! each component (`state`, `broker`, `bindings`, `secrets`, `configuration`, `lock`, `crypto`,
//! `conversation`) and the `jobs`, and is then the [`Blocks`](trilby_dapr::Blocks) that guests call.
//! [`Runtime::start`] brings topic events, binding triggers, jobs and changes of configuration to an
//! [`Inbound`](trilby_dapr::Inbound) until the [`Deliveries`] are drained; [`Runtime::attach`] names
//! who answers when guests invoke their own app.
//!
//! The components are few: `state.in-memory`, `state.sqlite`, `state.redis`, `pubsub.in-memory`,
//! `bindings.http`, `bindings.localstorage`, `bindings.cron`, `secretstores.local.env`,
//! `secretstores.local.file`, `configuration.redis`, `lock.redis`, `crypto.dapr.localstorage` and
//! `conversation.echo`. They answer as daprd's do, errors included, and what they keep in a file of
//! SQLite or in a Redis has daprd's format; where they differ, `DIFFERENCES.md` of this crate says
//! how. `configuration.in-memory`, `configuration.sqlite`, `lock.in-memory` and `lock.sqlite` are
//! types that Dapr does not have: its own need a server. Actors need a sidecar. Encryption of state is refused rather than left out; other kinds of
//! resource, the outbox and unknown metadata are named in a warning.

mod bindings;
mod broker;
mod component;
mod configuration;
mod conversation;
mod crypto;
mod defaults;
mod deliveries;
mod duration;
mod error;
mod inventory;
mod invoke;
mod jobs;
mod json;
mod key_prefix;
mod kind;
mod load;
mod lock;
mod metadata;
mod redis;
mod refusals;
mod runtime;
mod secrets;
mod state;
mod text;

pub use deliveries::Deliveries;
pub use error::Error;
pub use inventory::{ComponentInfo, Inventory};
pub use kind::Kind;
pub use metadata::SubscriptionType;
pub use runtime::{Options, Runtime};
