//! The table of routes, with everything that one request of each needs.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use trilby_cgi::RouteTable;
use trilby_host::{Host, HostSettings};
use trilby_manifest::Route;
use trilby_sandbox::{Program, Volume};

use crate::{Admission, Files};

/// One route, ready to serve.
pub struct Entry {
    /// The route as the manifest has it.
    pub route: Route,
    /// How the route is named in logs: the path, topic or binding.
    pub label: Arc<str>,
    /// What each response gets unless the guest has set it.
    pub response_headers: HeaderMap,
    /// The bound on the route's own requests, where it has one besides that of the process.
    pub admission: Option<Admission>,
    /// What answers.
    pub answers: Answers,
}

/// What answers the requests of a route.
pub enum Answers {
    /// A guest.
    Guest(Arc<Guest>),
    /// The files of a folder.
    Files(Files),
}

/// A module and what its instances get.
pub struct Guest {
    /// The module, compiled and linked.
    pub program: Program<Host>,
    /// What the guest's host functions work with.
    pub host: HostSettings,
    /// The folders given to the guest.
    pub volumes: Vec<Volume>,
    /// Arguments as WAGI passes them, instead of RFC 3875 section 4.4.
    pub wagi_arguments: bool,
    /// Takes each line that the guest writes to standard error, besides the log.
    pub stderr_copy: Option<LineCopy>,
}

/// Takes lines. It must not block.
pub type LineCopy = Arc<dyn Fn(&str) + Send + Sync>;

/// All routes of an application.
pub struct Table {
    /// HTTP routes, by path.
    pub http: RouteTable<Arc<Entry>>,
    /// Topic routes, by pub/sub component and topic.
    pub topics: HashMap<(String, String), Arc<Entry>>,
    /// Input bindings, by component.
    pub bindings: HashMap<String, Arc<Entry>>,
}
