//! Dapr's building blocks through the guest ABI: every function and every error, on every back end,
//! by the guests of `tests/guests/dapr`.
#![expect(clippy::indexing_slicing, reason = "a test ends where something is not there")]

pub(crate) mod probe;

mod binding;
mod call;
mod grants;
mod invoke;
mod invoke_own;
mod invoke_paths;
mod invoke_streams;
mod loading;
mod metadata;
mod neighbour;
mod neighbours;
mod odd_names;
mod odd_options;
mod pubsub;
mod pubsub_bulk;
mod pubsub_heard;
mod secret;
mod state;
mod state_bulk;
mod state_transact;
