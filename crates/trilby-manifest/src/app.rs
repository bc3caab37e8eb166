//! The result of loading a manifest: an [`App`] whose every setting is resolved.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::AllowedHost;
use crate::grants::{Grants, Pattern};

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
    /// What holds for the process as a whole.
    pub server: Server,
    /// The folder of Dapr's component files; `None` when there is none.
    pub components: Option<PathBuf>,
    /// Other apps of this machine by their Dapr app ids, as `http://host:port`: whom service
    /// invocation finds without a sidecar.
    pub apps: BTreeMap<String, String>,
}

/// What holds for the process as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// The proxies whose word about the client is taken (`Forwarded`, `X-Forwarded-*`).
    pub trusted_proxies: Vec<IpNet>,
    /// The bounds of the process.
    pub limits: ProcessLimits,
    /// Where each of these bounds was set, by its key in the manifest.
    pub origins: Origins,
}

/// The bounds of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessLimits {
    /// Guests running at once.
    pub instances_max: usize,
    /// Requests waiting for an instance; more get 503.
    pub queue_depth_max: usize,
    /// Connections open at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// How long a client may take for a request's head, and be idle before it.
    pub head_timeout: Duration,
    /// How long a client may take no byte of an answer that waits for it.
    pub write_timeout: Duration,
}

/// Where limits were set, by their keys in the manifest (`deadline`, `body-in`, …).
pub type Origins = BTreeMap<&'static str, Origin>;

/// Where a limit was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In `[limits]` of the manifest, on this line.
    App(usize),
    /// In the route's own `limits`, on this line.
    Route(usize),
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
    /// What answers.
    pub target: Target,
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
    /// Where the guest may send HTTP requests; nowhere if empty.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Private networks into which the names of allowed hosts may lead.
    pub allowed_networks: Vec<IpNet>,
    /// Whether the guest gets the client's `Authorization` header.
    pub authorization: bool,
    /// Headers that each response gets, unless the guest has set them itself.
    pub response_headers: Vec<(String, String)>,
    /// The bounds of one request.
    pub limits: Limits,
    /// Where each of these bounds was set, by its key in the manifest.
    pub origins: Origins,
    /// Where the route stands, for messages about it.
    pub place: Place,
}

/// What answers the requests of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A module in a file, absolute or relative to the working directory.
    Module(PathBuf),
    /// A module in an OCI registry; the reference is without its `oci:`.
    Registry(String),
    /// A folder whose files are served as they are.
    Files(PathBuf),
}

impl Target {
    /// The file of a module; `None` for files, and for a module that is not fetched yet.
    #[must_use]
    pub fn module(&self) -> Option<&Path> {
        match self {
            Self::Module(path) => Some(path),
            Self::Registry(_) | Self::Files(_) => None,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Module(path) | Self::Files(path) => write!(f, "{}", path.display()),
            Self::Registry(reference) => write!(f, "oci:{reference}"),
        }
    }
}

/// What starts a route's module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// An HTTP request.
    Http {
        /// The path as written: exact, or a prefix when it ends in `/...`; with parameters
        /// (`:id`) in a `trilby.toml`.
        path: String,
        /// The methods, in capitals; any if empty. HEAD goes with GET.
        methods: Vec<String>,
        /// The host (`api.example.com`, `*.example.com`) in lower case; any if `None`.
        host: Option<String>,
    },
    /// An event on a topic.
    Topic {
        /// The pub/sub component's name.
        pubsub: String,
        /// The topic.
        topic: String,
        /// Which events, and how they come.
        options: TopicOptions,
    },
    /// An input binding.
    Binding {
        /// The binding component's name.
        name: String,
    },
    /// Jobs of the app.
    Job {
        /// Their names.
        pattern: Pattern,
    },
    /// A change of configuration.
    Configuration {
        /// The configuration component's name.
        store: String,
        /// The keys.
        pattern: Pattern,
    },
}

/// Which events of a topic a route gets, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopicOptions {
    /// A CEL expression on the event, as it is written; without one the route gets what no other
    /// route of the topic wants.
    pub condition: Option<String>,
    /// The topic for events that could not be delivered.
    pub dead_letter_topic: Option<String>,
    /// Several events at once.
    pub bulk: Option<BulkOptions>,
    /// Whether what is published has no CloudEvents envelope.
    pub raw_payload: bool,
    /// Whether the guest gets the envelope instead of its data.
    pub envelope: bool,
}

/// How many events come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BulkOptions {
    /// How many at most.
    pub messages_max: u32,
    /// How long to wait for more.
    pub await_max: Duration,
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
    /// Time for which the guest may compute.
    pub cpu: Duration,
    /// Linear memory of the guest, in bytes.
    pub memory_bytes_max: usize,
    /// Request line and headers, in bytes.
    pub head_in_bytes_max: usize,
    /// Request body, in bytes.
    pub body_in_bytes_max: usize,
    /// Response header block, in bytes.
    pub head_out_bytes_max: usize,
    /// Response header block and body, in bytes.
    pub body_out_bytes_max: usize,
    /// Standard error that reaches the log, in bytes; the rest is counted and dropped.
    pub stderr_bytes_max: usize,
    /// Time for one Dapr call, within the request's deadline.
    pub dapr_timeout: Duration,
    /// Time for one outbound HTTP request, within the request's deadline.
    pub http_timeout: Duration,
    /// The outbound HTTP responses that a guest has open, all together, in bytes; and the body of
    /// an outbound request.
    pub http_body_bytes_max: usize,
    /// Outbound HTTP responses that a guest may have open at once.
    pub http_calls_max: usize,
    /// Guests of this route running at once.
    pub instances_max: usize,
    /// Requests of this route waiting for an instance; more get 503.
    pub queue_depth_max: usize,
}

/// Where something stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1; 0 when there is no file.
    pub line: usize,
    /// The parts of it that messages point to, in bytes of the file.
    pub parts: BTreeMap<Part, Range<usize>>,
}

/// A part of a route that messages point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All of it: its header.
    Route,
    /// The path, topic, binding, job or configuration.
    Trigger,
    /// The condition on a topic's events.
    Match,
    /// The module.
    Module,
    /// The command that makes the module.
    Build,
    /// The entry point.
    Entrypoint,
    /// The grants.
    Grants,
    /// The limits.
    Limits,
}
