//! Dapr's building blocks in this process, without a sidecar, from the same component files.
//!
//! In the order of a start: [`Runtime::open`] reads the folders of component YAML (`load`), opens
//! each component (`state`, `broker`, `bindings`, `secrets`) and the `jobs`, and is then the
//! [`Blocks`](trilby_dapr::Blocks) that guests call; [`Runtime::start`] brings topic events and
//! binding triggers to an [`Inbound`](trilby_dapr::Inbound), and [`Runtime::start_jobs`] brings
//! jobs, until the [`Deliveries`] are drained.
//!
//! The components are few and local: `state.in-memory`, `state.sqlite`, `pubsub.in-memory`,
//! `bindings.localstorage`, `bindings.cron`, `secretstores.local.env` and
//! `secretstores.local.file`. They answer as daprd's do, errors included, and `state.sqlite` has
//! daprd's file format. Encryption of state is refused rather than left out; other kinds of
//! resource, the outbox and unknown metadata are named in a warning.

mod bindings;
mod broker;
mod component;
#[cfg_attr(not(test), expect(dead_code, reason = "not among the types of component yet"))]
mod crypto;
mod defaults;
mod deliveries;
mod duration;
mod error;
mod inventory;
mod jobs;
mod json;
mod kind;
mod load;
mod refusals;
mod runtime;
mod secrets;
mod state;
mod stubs;

pub use deliveries::Deliveries;
pub use error::Error;
pub use inventory::{ComponentInfo, Inventory};
pub use kind::Kind;
pub use runtime::{Options, Runtime};
