//! The vocabulary of Dapr's building blocks, shared by all who ask for them and all who answer.
//!
//! In the order in which a call flows: a guest's wish becomes a request type ([`state`],
//! [`messaging`], [`invoke`], [`secret`], [`configuration`], [`lock`], [`jobs`], [`crypto`],
//! [`conversation`], [`actor`], [`runtime`]) and goes to a [`Blocks`] implementation with a
//! [`CallContext`]; the answer is a reply type or an [`Error`]. What comes the other way, described
//! by the types of [`subscription`], is always an [`http::Request`] given to an [`Inbound`];
//! [`delivery`] has the form of those requests and the meaning of their answers, [`event`] reads and
//! writes the CloudEvents envelope, and a [`Condition`] tells from it which way an event goes.
//! [`proto`] is the wire form of the same calls, and [`wire`] leads there and back.
//!
//! This crate does no I/O.

pub mod actor;
mod blocks;
mod condition;
pub mod configuration;
pub mod conversation;
pub mod crypto;
pub mod delivery;
mod error;
pub mod event;
pub mod invoke;
pub mod jobs;
pub mod lock;
pub mod messaging;
pub mod proto;
pub mod runtime;
pub mod secret;
pub mod state;
pub mod stream;
pub mod subscription;
pub mod wire;

pub use blocks::{Blocks, CallContext, Inbound};
pub use condition::{Condition, ConditionError};
pub use error::{Code, Error};

/// Names and values that travel beside a request or a reply. Dapr compares names without case.
pub type Metadata = std::collections::BTreeMap<String, String>;

/// A result whose error is Dapr's.
pub type Result<T> = std::result::Result<T, Error>;
