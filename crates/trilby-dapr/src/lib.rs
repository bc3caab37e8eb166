//! The vocabulary of Dapr's building blocks, shared by all who ask for them and all who answer.
//!
//! In the order in which a call flows: a guest's wish becomes a request type ([`state`],
//! [`messaging`], [`secret`]) and goes to a [`Blocks`] implementation with a [`CallContext`]; the
//! answer is a reply type or an [`Error`]. What comes the other way, a topic event or a binding's
//! trigger, is always an [`http::Request`] given to an [`Inbound`]; [`event`] reads and writes
//! its CloudEvents envelope. [`proto`] is the wire form of the same calls.
//!
//! This crate does no I/O.

mod blocks;
mod error;
pub mod event;
pub mod messaging;
pub mod proto;
pub mod secret;
pub mod state;

pub use blocks::{Blocks, CallContext, Inbound};
pub use error::{Code, Error};

/// Names and values that travel beside a request or a reply. Dapr compares names without case.
pub type Metadata = std::collections::BTreeMap<String, String>;

/// A result whose error is Dapr's.
pub type Result<T> = std::result::Result<T, Error>;
