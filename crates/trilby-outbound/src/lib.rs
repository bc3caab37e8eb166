//! Outbound HTTP for guests: HTTP/1.1 and HTTP/2 over one pool of connections per process.
//!
//! In the order in which a request passes through: `outbound` checks it, sends it and follows
//! redirects; `destination` is its URL, `headers` are what goes with it; `policy` decides whether it
//! may leave; `pools` holds the connections; `connect` opens new ones, to addresses that
//! `resolve` has found and `address` has judged; `body` bounds the answer.
//!
//! # What a guest may reach
//!
//! Only URLs that a rule of the route's `allowed-hosts` is for, and of these only what leads to
//! a public address: the names are resolved here, and the address that passed the check is the
//! one that is connected to. A name whose answer changes between two look-ups (DNS rebinding)
//! gains nothing. A private address opens in two ways: by a rule that names it (`http://10.0.0.1`,
//! or `http://localhost` for the machine itself), or by the route's `allowed-networks`.
//!
//! # Pools
//!
//! The client pools connections by scheme and authority, so within one pool a request can ride
//! on a connection that another request has opened. Hence one pool for each set of private
//! addresses that may be reached; all routes without such a set share one. What a URL's own
//! address or `localhost` may do is checked at each request, before any pool is asked.
//!
//! # Cancel safety
//!
//! Dropping the future of [`Outbound::send`] or [`Outbound::open`], or a [`Body`] before its end,
//! drops the connection, or resets its stream in HTTP/2. The other side may have acted on the
//! request by then.

mod address;
mod body;
mod connect;
mod destination;
mod error;
mod headers;
mod outbound;
mod policy;
mod pools;
mod resolve;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use error::Error;
pub use outbound::Outbound;
pub use policy::Policy;
