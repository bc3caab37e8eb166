//! CGI/1.1 (RFC 3875) and WAGI as pure functions: bytes in, bytes out, no I/O.
//!
//! In the order in which a request flows: [`client`] tells who sent it, by the word of trusted
//! proxies; [`RouteTable`] finds its [`Route`] by host, path and method and tells where
//! `SCRIPT_NAME` ends; [`environment`] turns the request's head into variables; [`argv_rfc`] or
//! [`argv_wagi`] into arguments. What the guest writes goes through a [`Decoder`], which yields a
//! [`Head`] as soon as it is complete; [`BodyCheck`] compares the rest with its `Content-Length`.
//! An [`OutputError`] says what is wrong with a guest's answer.
//!
//! # Where WAGI and RFC 3875 differ
//! The RFC wins, save for the arguments and the order of routes, where an application made for
//! WAGI can have either. [`Head::local_redirect`] tells which `Location` is to be served
//! internally (section 6.2.2). One of the RFC's wishes is not met: there are no NPH scripts
//! (section 5).

mod argv;
mod authority;
mod body_check;
mod decoder;
mod env;
mod error;
mod forwarded;
mod head;
mod header_variables;
mod host;
mod pattern;
mod route;
mod trace;

pub use argv::{argv_rfc, argv_wagi, unknown_placeholders};
pub use body_check::BodyCheck;
pub use decoder::{Decoder, DecoderLimits, Progress};
pub use env::{BodyLength, EnvError, RequestMeta, Variable, environment};
pub use error::OutputError;
pub use forwarded::{Client, client};
pub use head::Head;
pub use host::{HostError, HostPattern};
pub use pattern::{Pattern, PatternError};
pub use route::{Found, Lookup, Precedence, Route, RouteTable};
