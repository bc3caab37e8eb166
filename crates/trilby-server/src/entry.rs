//! The table of routes, with everything that one request of each needs.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use trilby_cgi::RouteTable;
use trilby_dapr::subscription::Subscription;
use trilby_host::{Host, HostSettings};
use trilby_manifest::{Pattern, Route};
use trilby_sandbox::{Program, Volume};

use crate::{Admission, Files};

/// One route, ready to serve.
pub struct Entry {
    /// The route as the manifest has it.
    pub route: Route,
    /// How the route is named in logs: the path, topic, binding, job or key.
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
    /// Topic routes, by the paths of [`crate::events::topic_path`].
    pub topics: HashMap<String, Arc<Entry>>,
    /// Input bindings, by component.
    pub bindings: HashMap<String, Arc<Entry>>,
    /// Routes of jobs, by their names.
    pub jobs: Vec<(Pattern, Arc<Entry>)>,
    /// Routes of configuration, by the component and the keys.
    pub configurations: Vec<(String, Pattern, Arc<Entry>)>,
    /// What daprd is told that the app subscribes to.
    pub subscriptions: Vec<Subscription>,
    /// Whether some route uses Dapr, so that the server is not ready without it.
    pub uses_dapr: bool,
    /// The largest body that some route takes, in bytes.
    pub body_in_bytes_max: usize,
}

impl Table {
    /// The route of a job: the exact name before the longest prefix.
    pub(crate) fn job(&self, name: &str) -> Option<&Arc<Entry>> {
        best(self.jobs.iter().map(|(pattern, entry)| (pattern, entry)), name)
    }

    /// The route of a key of a configuration store, in the same way.
    pub(crate) fn configuration(&self, store: &str, key: &str) -> Option<&Arc<Entry>> {
        let of_store = self.configurations.iter().filter(|(known, ..)| known == store);
        best(of_store.map(|(_, pattern, entry)| (pattern, entry)), key)
    }
}

fn best<'a, T>(routes: impl Iterator<Item = (&'a Pattern, T)>, name: &str) -> Option<T> {
    let rank = |pattern: &Pattern| match pattern {
        Pattern::Exact(_) => (true, 0),
        Pattern::Prefix(prefix) => (false, prefix.len()),
    };
    routes
        .filter(|(pattern, _)| pattern.allows(name))
        .max_by_key(|(pattern, _)| rank(pattern))
        .map(|(_, route)| route)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_goes_before_the_longest_prefix() {
        let patterns = ["*", "a*", "abc*", "abcd"].map(|text| Pattern::parse(text).expect(text));
        let best = |name| best(patterns.iter().zip(0..), name);
        let table = [("abcd", 3), ("abcde", 2), ("abc", 2), ("ab", 1), ("x", 0), ("", 0)];
        for (name, expected) in table {
            assert_eq!(best(name), Some(expected), "{name}");
        }
        let only = Pattern::Exact("a".to_owned());
        assert_eq!(super::best([(&only, ())].into_iter(), "b"), None);
    }
}
