//! The host side of the guest ABI: imports that reach Dapr's building blocks.
//!
//! A call flows through the modules in this order: [`link`] defines the imports; `memory` reads
//! the guest's arguments; `options` parses the option block; [`Access`] checks the route's grants;
//! `blocks` asks [`trilby_dapr::Blocks`] within
//! the call's deadline; `answer` keeps the reply for the guest to read by handle.
//!
//! Beside these, `http` has the outbound HTTP that WAGI modules import.
//!
//! The contract with guests is `ABI.md` beside this crate's manifest.

mod access;
mod answer;
mod blocks;
mod host;
mod http;
mod imports;
mod link;
mod memory;
mod options;
mod unavailable;

pub use access::Access;
pub use host::{Host, HostSettings};
pub use http::HttpSettings;
pub use imports::{Block, EXPERIMENTAL_HTTP, IMPORT_MODULES, missing_grants};
pub use link::link;
pub use unavailable::Unavailable;
