//! The cases, by building block.

mod state;

use super::case::Case;

/// All that is done with a store.
pub(super) fn state(store: &'static str) -> Vec<Case> {
    state::items(store)
}
