//! The app channel with guests behind it.

mod channel;
mod client;
mod deliveries;
mod invocation;
mod readiness;
mod rpcs;
