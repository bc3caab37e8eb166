//! The host side of the guest ABI: imports that reach Dapr's building blocks.
//!
//! A call flows through the modules in this order: [`link`] defines the imports; `operation` is
//! what all of them have in common: `memory` reads the guest's arguments, `options` the option
//! block, `records` the lists; `blocks` has an operation for each import, which checks the route's
//! grants ([`Access`]) and asks [`trilby_dapr::Blocks`] within the call's deadline; `answer` keeps
//! the reply, or the `stream` of it, for the guest to read by handle (`handles`). `observe` tells
//! of each call.
//!
//! Beside these, `http` has the outbound HTTP that WAGI modules import.
//!
//! The contract with guests is `ABI.md` beside this crate's manifest.

mod access;
mod answer;
mod blocks;
mod handles;
mod host;
mod http;
mod imports;
mod link;
mod memory;
mod observe;
mod operation;
mod options;
mod path;
mod records;
mod stream;
mod text;
mod unavailable;

pub use access::Access;
pub use blocks::call::typed_rpcs;
pub use host::{Host, HostSettings};
pub use http::HttpSettings;
pub use imports::{Block, EXPERIMENTAL_HTTP, IMPORT_MODULES, missing_grants};
pub use link::link;
pub use unavailable::Unavailable;

pub(crate) use text::shown;

#[cfg(test)]
mod tests;
