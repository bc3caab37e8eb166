//! Why a manifest was not loaded.

use std::path::PathBuf;

/// Why a manifest was not loaded. `Display` gives the whole report: its reader is the person who
/// wrote the manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path leads nowhere, or to something that cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system says. It is part of the text, so it is not a `source` too.
        reason: std::io::Error,
    },
    /// A folder without a manifest.
    #[error(
        "{} has neither `trilby.toml` nor `modules.toml`; name another folder, a manifest, or a \
         `.wasm` or `.wat` file",
        path.display()
    )]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A file of another kind.
    #[error("{} is neither a manifest (`.toml`) nor a module (`.wasm`, `.wat`)", path.display())]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
    /// A manifest beyond any sensible size.
    #[error(
        "{} is larger than {bytes_max} bytes, the most that a manifest may have",
        path.display()
    )]
    TooLarge {
        /// The manifest.
        path: PathBuf,
        /// The bound, in bytes.
        bytes_max: u64,
    },
    /// A manifest that is not text.
    #[error("{position}: this is not UTF-8, which TOML must be")]
    NotText {
        /// The first bad byte, as `file:line:column`.
        position: String,
    },
    /// The manifest has problems: syntax, unknown keys, bad values.
    #[error("{report}")]
    Invalid {
        /// All problems in file order, each with its place, its source line and what to do.
        report: String,
        /// How many there are.
        count: usize,
    },
    /// A file of environment variables has a line that cannot be read.
    #[error("{position}: {problem}")]
    EnvFile {
        /// The line, as `file:line`.
        position: String,
        /// What is wrong with it and what to write; never the value, which may be a secret.
        problem: &'static str,
    },
}
