//! The route table.

use std::collections::HashMap;

use crate::pattern::{Kind, Pattern};

/// Which route wins when several match a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The first in the table's order, as in WAGI.
    FirstMatch,
    /// An exact path before any prefix, a longer prefix before a shorter one, whatever the order.
    LongestMatch,
}

/// Routes, and what each leads to.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    routes: Vec<(Pattern, T)>,
    search: Search,
}

/// The route of a path.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a, T> {
    /// What the route leads to.
    pub value: &'a T,
    /// The start of the path that identifies the guest, not decoded; what follows it is
    /// `PATH_INFO`. Empty for the routes `/` and `/...`: RFC 3875 section 4.1.13 allows no script
    /// name that is a mere slash before a path info with its own.
    pub script_name: &'a str,
}

#[derive(Clone, Debug)]
enum Search {
    InOrder,
    Index(Index),
}

/// The places of the routes by their paths.
#[derive(Clone, Debug, Default)]
struct Index {
    exact: HashMap<String, usize>,
    prefixes: HashMap<String, usize>,
    /// No longer start of a path need be looked up, so a path of thousands of slashes costs no
    /// more than the routes are deep.
    prefix_bytes_max: usize,
}

impl<T> RouteTable<T> {
    /// A table of these routes. Of two routes with the same path the first is kept.
    #[must_use]
    pub fn new(precedence: Precedence, routes: Vec<(Pattern, T)>) -> Self {
        let search = match precedence {
            Precedence::FirstMatch => Search::InOrder,
            Precedence::LongestMatch => Search::Index(Index::of(&routes)),
        };
        Self { routes, search }
    }

    /// The route of a path, which is given as the client sent it, without its query.
    #[must_use]
    pub fn find<'a>(&'a self, path: &'a str) -> Option<Found<'a, T>> {
        let place = match &self.search {
            Search::InOrder => self.routes.iter().position(|(pattern, _)| pattern.matches(path)),
            Search::Index(index) => index.find(path),
        };
        let (pattern, value) = self.routes.get(place?)?;
        Some(Found { value, script_name: pattern.script_name(path) })
    }
}

impl Index {
    fn of<T>(routes: &[(Pattern, T)]) -> Self {
        let mut index = Self::default();
        for (place, (pattern, _)) in routes.iter().enumerate() {
            let map = match pattern.kind() {
                Kind::Exact => &mut index.exact,
                Kind::Prefix => {
                    index.prefix_bytes_max = index.prefix_bytes_max.max(pattern.path().len());
                    &mut index.prefixes
                }
            };
            map.entry(pattern.path().to_owned()).or_insert(place);
        }
        index
    }

    fn find(&self, path: &str) -> Option<usize> {
        if let Some(place) = self.exact.get(path) {
            return Some(*place);
        }
        // From the whole path up, one segment at a time: the first hit is the longest.
        let mut start = Some(path);
        while let Some(text) = start {
            if text.len() <= self.prefix_bytes_max
                && let Some(place) = self.prefixes.get(text)
            {
                return Some(*place);
            }
            start = text.rsplit_once('/').map(|(parent, _)| parent);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(precedence: Precedence, patterns: &[&str]) -> RouteTable<String> {
        let routes =
            patterns.iter().map(|text| (Pattern::parse(text).unwrap(), (*text).to_owned()));
        RouteTable::new(precedence, routes.collect())
    }

    fn check(
        precedence: Precedence,
        patterns: &[&str],
        path: &str,
        expected: Option<(&str, &str)>,
    ) {
        let table = table(precedence, patterns);
        let found = table.find(path).map(|found| (found.value.as_str(), found.script_name));
        assert_eq!(found, expected, "{path} in {patterns:?}, {precedence:?}");
    }

    #[test]
    fn longest_match_ignores_the_order() {
        let patterns = ["/...", "/api/...", "/api/v1/...", "/api/v1", "/"];
        let table = [
            ("/", Some(("/", ""))),
            ("/x", Some(("/...", ""))),
            ("/apis", Some(("/...", ""))),
            ("/api", Some(("/api/...", "/api"))),
            ("/api/", Some(("/api/...", "/api"))),
            ("/api/v2/x", Some(("/api/...", "/api"))),
            ("/api/v1", Some(("/api/v1", "/api/v1"))),
            ("/api/v1/", Some(("/api/v1/...", "/api/v1"))),
            ("/api/v1/a/b/c", Some(("/api/v1/...", "/api/v1"))),
            ("*", None),
        ];
        for (path, expected) in table {
            check(Precedence::LongestMatch, &patterns, path, expected);
        }
    }

    #[test]
    fn first_match_is_the_files_order() {
        let patterns = ["/api/...", "/api/v1", "/...", "/x"];
        let table = [
            ("/api/v1", Some(("/api/...", "/api"))),
            ("/x", Some(("/...", ""))),
            ("/api", Some(("/api/...", "/api"))),
        ];
        for (path, expected) in table {
            check(Precedence::FirstMatch, &patterns, path, expected);
        }
        check(Precedence::FirstMatch, &["/x"], "/y", None);
    }

    #[test]
    fn the_first_of_two_equal_routes_is_kept() {
        for precedence in [Precedence::FirstMatch, Precedence::LongestMatch] {
            let pattern = || Pattern::parse("/a/...").unwrap();
            let table = RouteTable::new(precedence, vec![(pattern(), 1), (pattern(), 2)]);
            assert_eq!(table.find("/a/b").map(|found| *found.value), Some(1));
        }
    }

    fn a_path() -> impl Strategy<Value = String> {
        // Few letters, so that routes and paths often meet.
        "(/[ab]{0,2}){1,5}"
    }

    fn a_pattern() -> impl Strategy<Value = String> {
        (a_path(), any::<bool>(), any::<bool>()).prop_map(|(path, prefix, root)| {
            let path = if root { "" } else { path.as_str() };
            match (prefix, path) {
                (true, path) => format!("{path}/..."),
                (false, "") => "/".to_owned(),
                (false, path) => path.to_owned(),
            }
        })
    }

    proptest! {
        #[test]
        fn script_name_begins_the_path(
            patterns in prop::collection::vec(a_pattern(), 0..8),
            path in a_path(),
        ) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            for precedence in [Precedence::FirstMatch, Precedence::LongestMatch] {
                let table = table(precedence, &patterns);
                let Some(found) = table.find(&path) else { continue };
                let info = path.strip_prefix(found.script_name).unwrap();
                prop_assert!(info.is_empty() || info.starts_with('/'), "{info}");
                prop_assert!(found.script_name != "/");
            }
        }

        #[test]
        fn longest_match_agrees_with_a_scan_in_any_order(
            patterns in prop::collection::vec(a_pattern(), 0..8).prop_flat_map(|all| {
                (Just(all.clone()), Just(all).prop_shuffle())
            }),
            path in a_path(),
        ) {
            let (one, other) = &patterns;
            let matching = one.iter().filter(|text| Pattern::parse(text).unwrap().matches(&path));
            let best = matching.max_by_key(|text| (!text.ends_with("/..."), text.len()));
            for order in [one, other] {
                let order: Vec<&str> = order.iter().map(String::as_str).collect();
                let table = table(Precedence::LongestMatch, &order);
                prop_assert_eq!(table.find(&path).map(|found| found.value), best);
            }
        }

        #[test]
        fn any_path_may_be_asked_for(path in ".*", pattern in a_pattern()) {
            let table = table(Precedence::LongestMatch, &[&pattern]);
            let matches = Pattern::parse(&pattern).unwrap().matches(&path);
            prop_assert_eq!(table.find(&path).is_some(), matches);
        }
    }
}
