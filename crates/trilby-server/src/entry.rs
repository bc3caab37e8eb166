//! The table of routes, with everything that one request of each needs.

use std::collections::HashMap;
use std::sync::Arc;

use trilby_cgi::RouteTable;
use trilby_host::{Host, HostSettings};
use trilby_manifest::Route;
use trilby_sandbox::{Program, Volume};

/// One route, ready to serve.
pub struct Entry {
    /// The route as the manifest has it.
    pub route: Route,
    /// The module, compiled and linked.
    pub program: Program<Host>,
    /// What the guest's host functions work with.
    pub host: HostSettings,
    /// The folders given to the guest.
    pub volumes: Vec<Volume>,
    /// How the route is named in logs: the path, topic or binding.
    pub label: Arc<str>,
    /// Arguments as WAGI passes them, instead of RFC 3875 section 4.4.
    pub wagi_arguments: bool,
}

/// All routes of an application.
pub struct Table {
    /// HTTP routes, by path.
    pub http: RouteTable<Arc<Entry>>,
    /// Topic routes, by pub/sub component and topic.
    pub topics: HashMap<(String, String), Arc<Entry>>,
    /// Input bindings, by component.
    pub bindings: HashMap<String, Arc<Entry>>,
}
