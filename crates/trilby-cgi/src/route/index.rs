//! All routes by host and path.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::trie::Trie;
use crate::host::{self, HostPattern};
use crate::pattern::Pattern;

/// The places of the routes in their table.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    any_host: Trie,
    hosts: HashMap<String, Trie>,
    /// By their names without the `*.`.
    wildcards: HashMap<String, Trie>,
    /// No longer end of a host need be looked up, so a host of thousands of dots costs no more
    /// than the longest wildcard has.
    wildcard_bytes_max: usize,
}

impl Index {
    pub(super) fn insert(&mut self, host: Option<&HostPattern>, pattern: &Pattern, place: usize) {
        let trie = match host {
            None => &mut self.any_host,
            Some(host) => {
                let hosts = if host.is_wildcard() {
                    self.wildcard_bytes_max = self.wildcard_bytes_max.max(host.name().len());
                    &mut self.wildcards
                } else {
                    &mut self.hosts
                };
                hosts.entry(host.name().to_owned()).or_default()
            }
        };
        trie.insert(pattern, place);
    }

    /// Shows the routes that match, the most specific first, until told to stop.
    pub(super) fn visit(
        &self,
        host: Option<&str>,
        path: &str,
        show: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // What has no slash is no path: the `*` of OPTIONS, for one.
        let Some(path) = path.strip_prefix('/') else { return ControlFlow::Continue(()) };
        let has_hosts = !(self.hosts.is_empty() && self.wildcards.is_empty());
        if has_hosts && let Some(host) = host.and_then(host::normal) {
            if let Some(trie) = self.hosts.get(host.as_ref()) {
                trie.visit(Some(path), show)?;
            }
            self.visit_wildcards(&host, path, show)?;
        }
        self.any_host.visit(Some(path), show)
    }

    fn visit_wildcards(
        &self,
        host: &str,
        path: &str,
        show: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.wildcards.is_empty() {
            return ControlFlow::Continue(());
        }
        // A dot at the very start has no label before it.
        for (dot, _) in host.match_indices('.').filter(|(dot, _)| *dot > 0) {
            let above = host.get(dot + 1..).unwrap_or_default();
            if above.len() <= self.wildcard_bytes_max
                && let Some(trie) = self.wildcards.get(above)
            {
                trie.visit(Some(path), show)?;
            }
        }
        ControlFlow::Continue(())
    }
}
