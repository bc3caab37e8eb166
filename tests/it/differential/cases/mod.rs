//! The cases, by building block.

pub(super) mod api;
pub(super) mod bare;
pub(super) mod bindings;
pub(super) mod conversation;
pub(super) mod crypto;
pub(super) mod jobs;
pub(super) mod publish;
pub(super) mod secrets;
mod state;
pub(super) mod state_errors;
mod state_many;
pub(super) mod watched;

use super::case::Case;

/// All that is done with a store.
pub(super) fn state(store: &'static str) -> [Vec<Case>; 2] {
    [state::items(store), state_many::many(store)]
}
