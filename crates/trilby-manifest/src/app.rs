//! The result of loading a manifest: an [`App`] whose every setting is resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::grants::Grants;

/// A loaded and validated application.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// The file it was read from; for a single module, the module itself.
    pub file: PathBuf,
    /// The folder that relative paths start from.
    pub root: PathBuf,
    /// Its name; also the Dapr app id unless the environment names another.
    pub name: String,
    /// Which route wins when several match a path.
    pub precedence: Precedence,
    /// All routes, in file order.
    pub routes: Vec<Route>,
    /// The folder of Dapr's component files; `None` when there is none.
    pub components: Option<PathBuf>,
}

/// Which route wins when several match a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The first in file order: WAGI's `modules.toml`.
    FirstMatch,
    /// The longest, whatever the order: `trilby.toml`.
    LongestMatch,
}

/// One way into one module.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What starts the module.
    pub trigger: Trigger,
    /// The module's file, absolute or relative to the working directory.
    pub module: PathBuf,
    /// How to make the module's file; the same for all routes that share the module.
    pub build: Option<Build>,
    /// The export that is called, `_start` by default.
    pub entrypoint: String,
    /// WAGI's argument template (`${SCRIPT_NAME}`, `${ARGS}`).
    pub argv: Option<String>,
    /// Environment variables given to the guest. CGI variables win over these.
    pub env: BTreeMap<String, String>,
    /// Folders given to the guest.
    pub volumes: Vec<Volume>,
    /// What the guest may ask of Dapr.
    pub grants: Grants,
    /// The bounds of one request.
    pub limits: Limits,
    /// Where the route stands, for messages about it.
    pub place: Place,
}

/// What starts a route's module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// An HTTP request: an exact path, or a prefix when it ends in `/...`.
    Http {
        /// The path as written.
        path: String,
    },
    /// An event on a topic.
    Topic {
        /// The pub/sub component's name.
        pubsub: String,
        /// The topic.
        topic: String,
    },
    /// An input binding.
    Binding {
        /// The binding component's name.
        name: String,
    },
}

/// How to make a module's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// A shell command, run in the manifest's folder.
    pub command: String,
    /// Files and folders, relative to the manifest's folder; when one is newer than the module,
    /// the module is built again.
    pub sources: Vec<PathBuf>,
}

/// A folder of the host, given to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The path that the guest sees.
    pub guest: String,
    /// The folder on the host.
    pub host: PathBuf,
    /// Whether the guest may write.
    pub writable: bool,
}

/// The bounds of one request. No field has a hidden default: loading a manifest sets each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall time from the moment the request got its instance to the end of its answer.
    pub deadline: Duration,
    /// Linear memory of the guest, in bytes.
    pub memory_bytes_max: usize,
    /// Request body, in bytes.
    pub body_in_bytes_max: usize,
    /// Response header block and body, in bytes.
    pub body_out_bytes_max: usize,
    /// Standard error that reaches the log, in bytes; the rest is counted and dropped.
    pub stderr_bytes_max: usize,
    /// Time for one Dapr call, within the request's deadline.
    pub dapr_timeout: Duration,
    /// Guests running at once, in the whole process.
    pub instances_max: usize,
    /// Requests waiting for an instance, in the whole process; more get 503.
    pub queue_depth_max: usize,
}

/// Where something stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1; 0 when there is no file.
    pub line: usize,
}
