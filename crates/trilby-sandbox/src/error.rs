//! What can go wrong before a guest runs.

use crate::resources::{MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};

/// Why a module cannot be served. What goes wrong in a running guest is an
/// [`Ending`](crate::Ending).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Wasmtime refused the engine's settings, or the machine lacks what they need.
    #[error("cannot set up the WebAssembly engine: {0}")]
    Engine(String),
    /// The bytes are not a valid core module.
    #[error("not a valid WebAssembly module: {0}")]
    Invalid(String),
    /// The module is valid, but its memory begins with more than every limit.
    #[error("the module is too large to be instantiated within `memory` of `limits`: {0}")]
    TooLarge(String),
    /// The module is valid, but has more memories, or more or larger tables than an instance may
    /// have.
    #[error(
        "the module needs more than an instance may have ({MEMORIES_MAX} memory, {TABLES_MAX} \
         tables of {TABLE_ELEMENTS_MAX} elements): {0}"
    )]
    Resources(String),
    /// The file is a component, not a core module.
    #[error(
        "this is a WebAssembly component; build it as a core module for WASI preview 1 \
         (wasm32-wasip1)"
    )]
    Component,
    /// The entry point is missing or has parameters or results.
    #[error(
        "the module has no function `{entrypoint}` without parameters and results; it exports {}",
        list(exports)
    )]
    EntryPoint {
        /// The name that was looked for.
        entrypoint: String,
        /// The functions that are there.
        exports: Vec<String>,
    },
    /// An import that the host does not offer.
    #[error(
        "the module imports `{module}.{name}`, which is not offered; {}",
        near(module, offered)
    )]
    UnknownImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
        /// The import modules that are offered.
        offered: Vec<String>,
    },
    /// An import whose type differs from the host's.
    #[error("the module's imports do not fit: {0}")]
    Link(String),
}

/// What is offered instead of an unknown import.
fn near(module: &str, offered: &[String]) -> String {
    if offered.iter().any(|known| known == module) {
        return format!("`{module}` is known, but has no function of this name");
    }
    format!("import modules are {}", list(offered))
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
