//! The rules of a lookup as a scan over all routes, from their texts alone.

use std::cmp::Ordering;

use super::*;

/// A route apart from its pattern's code: methods, host, path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    pub(super) methods: Vec<&'static str>,
    pub(super) host: &'static str,
    pub(super) path: String,
}

impl Text {
    pub(super) fn route(&self) -> Route<Self> {
        Route {
            pattern: Pattern::parse(&self.path).unwrap(),
            methods: self.methods.iter().map(|method| method.parse().unwrap()).collect(),
            host: (!self.host.is_empty()).then(|| HostPattern::parse(self.host).unwrap()),
            value: self.clone(),
        }
    }

    /// Host and path without the names of parameters: routes with one form are the same but for
    /// their methods.
    pub(super) fn form(&self) -> (&'static str, String) {
        let segments = self.path.split('/');
        let unnamed = segments.map(|text| if text.starts_with(':') { ":" } else { text });
        (self.host, unnamed.collect::<Vec<_>>().join("/"))
    }

    /// How specific the route is for a host, greater is more; `None` if it does not match.
    fn host_rank(&self, host: Option<&str>) -> Option<usize> {
        match (self.host.strip_prefix("*."), host) {
            _ if self.host.is_empty() => Some(0),
            (_, None) => None,
            (None, Some(host)) => (host == self.host).then_some(usize::MAX),
            (Some(above), Some(host)) => {
                let below = host.strip_suffix(above)?.strip_suffix('.')?;
                (!below.is_empty()).then_some(above.len())
            }
        }
    }

    /// A number for each segment, then one for the end.
    fn path_rank(&self, path: &str) -> Option<Vec<u8>> {
        let (own, prefix) = match self.path.strip_suffix("/...") {
            Some(own) => (own, true),
            None => (self.path.as_str(), false),
        };
        let (own, segments): (Vec<&str>, Vec<&str>) =
            (own.split('/').collect(), path.split('/').collect());
        if own.len() > segments.len() || (!prefix && own.len() < segments.len()) {
            return None;
        }
        let mut rank = Vec::new();
        for (own, segment) in own.iter().zip(&segments) {
            rank.push(match own.starts_with(':') {
                true if !segment.is_empty() => 1,
                false if own == segment => 2,
                _ => return None,
            });
        }
        rank.push(u8::from(!prefix));
        Some(rank)
    }

    fn answers(&self, method: &str) -> bool {
        self.methods.is_empty()
            || self.methods.contains(&method)
            || (method == "HEAD" && self.methods.contains(&"GET"))
    }
}

/// What a table of these routes must find: the place of a route, or the methods of a 405.
pub(super) fn find(
    precedence: Precedence,
    routes: &[Text],
    method: &str,
    host: Option<&str>,
    path: &str,
) -> Result<usize, Vec<&'static str>> {
    let mut best: Option<(usize, (usize, Vec<u8>))> = None;
    let mut methods = Vec::new();
    for (place, route) in routes.iter().enumerate() {
        let Some(rank) = route.host_rank(host).zip(route.path_rank(path)) else { continue };
        methods.extend(&route.methods);
        if !route.answers(method) {
            continue;
        }
        let better = match (&best, precedence) {
            (None, _) => true,
            (Some(_), Precedence::FirstMatch) => false,
            (Some((_, best)), Precedence::LongestMatch) => rank.cmp(best) == Ordering::Greater,
        };
        if better {
            best = Some((place, rank));
        }
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    best.map(|(place, _)| place).ok_or(methods)
}
