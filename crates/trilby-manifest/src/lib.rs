//! Reads `trilby.toml` and WAGI's `modules.toml` into a validated [`App`].

mod app;
mod grants;

pub use app::{App, Build, Limits, Place, Precedence, Route, Trigger, Volume};
pub use grants::{Grant, Grants, Pattern};
