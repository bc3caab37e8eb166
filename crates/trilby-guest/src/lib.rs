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
//! The modules, in the order in which a request meets them: [`cgi`], then [`state`], [`pubsub`],
//! [`binding`] and [`secret`], which all fail with an [`Error`]. [`raw`] holds the imports.
//!
//! On other targets than Wasm every call to the host gives [`Code::Unimplemented`]: a guest's
//! logic can then be built and tested natively.

pub mod binding;
mod call;
pub mod cgi;
pub mod error;
pub mod pubsub;
pub mod raw;
pub mod secret;
pub mod state;

pub use error::{Code, Error, Result};
