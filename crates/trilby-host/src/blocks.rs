//! The operations, one module for each building block: a grant check, a call to Dapr, and what
//! the guest gets.

use trilby_dapr::Metadata;
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::Host;
use crate::stream::Headers;

mod actor;
mod binding;
pub(crate) mod call;
mod configuration;
mod conversation;
mod crypto;
mod invoke;
mod jobs;
mod lock;
mod metadata;
mod pubsub;
mod secret;
mod state;

/// Defines the imports of all of them.
pub(crate) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    state::link(linker)?;
    pubsub::link(linker)?;
    binding::link(linker)?;
    invoke::link(linker)?;
    secret::link(linker)?;
    configuration::link(linker)?;
    lock::link(linker)?;
    jobs::link(linker)?;
    crypto::link(linker)?;
    conversation::link(linker)?;
    actor::link(linker)?;
    metadata::link(linker)?;
    call::link(linker)
}

/// A component's metadata as the headers of an answer.
fn metadata_headers(metadata: Metadata) -> Headers {
    metadata.into_iter().map(|(name, value)| (format!("metadata.{name}"), value)).collect()
}

/// A header for each value that is there.
fn headers<const N: usize>(values: [(&str, Option<String>); N]) -> Headers {
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
