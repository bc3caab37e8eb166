//! The building blocks, one a file: a request becomes a message, and the answer a reply.

mod actor;
mod configuration;
mod conversation;
mod crypto;
mod invoke;
mod jobs;
mod lock;
mod messaging;
mod runtime;
mod secret;
mod state;

pub(crate) use configuration::item as configuration_item;
