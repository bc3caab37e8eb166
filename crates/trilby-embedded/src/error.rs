//! What can go wrong while the runtime is opened or started.

use std::path::PathBuf;

use crate::Kind;

/// Why the embedded runtime cannot start. What goes wrong in a call is a
/// [`trilby_dapr::Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder or file of components could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The reason the system gives.
        source: std::io::Error,
    },
    /// A component file has a mistake.
    #[error("{}:{line}: {message}", file.display())]
    Component {
        /// The file.
        file: PathBuf,
        /// The line, from 1; 0 for a component that has no file.
        line: usize,
        /// What is wrong, and how to put it right.
        message: String,
    },
    /// A component is described well, but what it works on cannot be opened.
    #[error("component `{component}`: {message}")]
    Open {
        /// The component's name.
        component: String,
        /// What failed, and how to put it right.
        message: String,
    },
    /// Another app's address is none.
    #[error("the app `{id}` has the address `{address}`; name it as `http://host:port`")]
    App {
        /// The app's id.
        id: String,
        /// The text.
        address: String,
    },
    /// A subscription or a binding's route names a component that is not there.
    #[error("no component of type {kind} is named `{name}`{}", hint(nearest.as_deref()))]
    Missing {
        /// What the component would be for.
        kind: Kind,
        /// The name that was looked for.
        name: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; there is `{nearest}`"))
}
