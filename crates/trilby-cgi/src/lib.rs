//! CGI/1.1 (RFC 3875) and WAGI as pure functions: bytes in, bytes out, no I/O.
//!
//! In the order in which a request flows: [`RouteTable`] finds the route of a path among its
//! [`Pattern`]s and tells where `SCRIPT_NAME` ends; [`environment`] turns the request's head into
//! variables; [`argv_rfc`] or [`argv_wagi`] into arguments. What the guest writes goes through a
//! [`Decoder`], which yields a [`Head`] as soon as it is complete; [`BodyCheck`] compares the rest
//! with its `Content-Length`. An [`OutputError`] says what is wrong with a guest's answer.
//!
//! # Where WAGI and RFC 3875 differ
//! The RFC wins, save for the arguments and the order of routes, where an application made for
//! WAGI can have either. Two of the RFC's wishes are not met: a `Location` with a path is sent to
//! the client instead of being served internally (section 6.2.2), and there are no NPH scripts
//! (section 5).

mod argv;
mod authority;
mod body_check;
mod decoder;
mod env;
mod error;
mod head;
mod header_variables;
mod pattern;
mod route;
mod trace;

pub use argv::{argv_rfc, argv_wagi};
pub use body_check::BodyCheck;
pub use decoder::{Decoder, DecoderLimits, Progress};
pub use env::{BodyLength, EnvError, RequestMeta, Variable, environment};
pub use error::OutputError;
pub use head::Head;
pub use pattern::{Pattern, PatternError};
pub use route::{Found, Precedence, RouteTable};
