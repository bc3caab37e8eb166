//! The app channel with guests behind it.

mod deliveries;
mod invocation;
mod readiness;
mod rpcs;
