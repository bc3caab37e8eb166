//! What both sides have: the same files, each in a folder of its own.

use std::path::Path;

use trilby_testkit::Components;

/// One component of each kind.
pub(super) fn all(_: Components, folder: &Path) -> Components {
    let database = folder.join("state.db").display().to_string();
    let files = folder.join("files").display().to_string();
    Components::default()
        .add("memory", "state.in-memory", &[])
        .add("sqlite", "state.sqlite", &[("connectionString", &database)])
        .add("pubsub", "pubsub.in-memory", &[])
        .add("files", "bindings.localstorage", &[("rootPath", &files)])
        .with_crypto(folder)
        .with_conversation()
}
