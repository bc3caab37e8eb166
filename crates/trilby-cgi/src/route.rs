//! The route table.

mod index;
mod trie;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use http::Method;

use crate::host::HostPattern;
use crate::pattern::Pattern;
use index::Index;

/// Which route wins when several match a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The first in the table's order, as in WAGI.
    FirstMatch,
    /// The most specific, whatever the order. The host comes first: a name, then the longer
    /// wildcard, then none. Then the path, segment by segment from the left: a literal before a
    /// parameter before the rest of a prefix; so an exact path comes before any prefix of it, and
    /// a longer prefix before a shorter one.
    LongestMatch,
}

/// A way into a guest.
#[derive(Clone, Debug)]
pub struct Route<T> {
    /// The paths.
    pub pattern: Pattern,
    /// The methods; any if empty. HEAD goes with GET.
    pub methods: Vec<Method>,
    /// The host; any if `None`.
    pub host: Option<HostPattern>,
    /// What the route leads to.
    pub value: T,
}

impl<T> Route<T> {
    fn answers(&self, method: &Method) -> bool {
        self.methods.is_empty()
            || self.methods.contains(method)
            || (method == Method::HEAD && self.methods.contains(&Method::GET))
    }
}

/// Routes, and what each leads to.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    precedence: Precedence,
    routes: Vec<Route<T>>,
    index: Index,
}

/// What a table has for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// A route that matches.
    Found(Found<'a, T>),
    /// Routes match the host and the path, but none of them the method (status 405).
    MethodNotAllowed {
        /// The methods that these routes answer, sorted, for the `Allow` header (RFC 9110
        /// section 10.2.1): `GET, HEAD, POST`.
        allow: String,
    },
    /// No route matches the host and the path.
    NotFound,
}

/// The route of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a, T> {
    /// What the route leads to.
    pub value: &'a T,
    /// The start of the path that identifies the guest, not decoded; what follows it is
    /// `PATH_INFO`. Empty for the routes `/` and `/...`: RFC 3875 section 4.1.13 allows no script
    /// name that is a mere slash before a path info with its own.
    pub script_name: &'a str,
    /// The names and the values of the path's parameters, from the left. The values are not
    /// decoded.
    pub params: Vec<(&'a str, &'a str)>,
}

impl<T> RouteTable<T> {
    /// A table of these routes. Where two have the same paths, host and method, the first
    /// answers.
    #[must_use]
    pub fn new(precedence: Precedence, routes: Vec<Route<T>>) -> Self {
        let mut index = Index::default();
        for (place, route) in routes.iter().enumerate() {
            index.insert(route.host.as_ref(), &route.pattern, place);
        }
        Self { precedence, routes, index }
    }

    /// The route of a request. The host is the authority as the client sent it, with or without a
    /// port; one that is no host matches as if there were none. The path is as the client sent
    /// it, without its query.
    #[must_use]
    pub fn find<'a>(&'a self, method: &Method, host: Option<&str>, path: &'a str) -> Lookup<'a, T> {
        match self.place(method, host, path).and_then(|place| self.routes.get(place)) {
            Some(route) => Lookup::Found(Found {
                value: &route.value,
                script_name: route.pattern.script_name(path),
                params: route.pattern.values(path),
            }),
            None => self.refusal(host, path),
        }
    }

    fn place(&self, method: &Method, host: Option<&str>, path: &str) -> Option<usize> {
        let mut best: Option<usize> = None;
        let _stopped = self.index.visit(host, path, &mut |place| {
            if !self.routes.get(place).is_some_and(|route| route.answers(method)) {
                return ControlFlow::Continue(());
            }
            match self.precedence {
                Precedence::LongestMatch => {
                    best = Some(place);
                    ControlFlow::Break(())
                }
                Precedence::FirstMatch => {
                    best = Some(best.map_or(place, |best| best.min(place)));
                    ControlFlow::Continue(())
                }
            }
        });
        best
    }

    fn refusal(&self, host: Option<&str>, path: &str) -> Lookup<'_, T> {
        let mut methods = BTreeSet::new();
        let _stopped = self.index.visit(host, path, &mut |place| {
            if let Some(route) = self.routes.get(place) {
                methods.extend(route.methods.iter().map(Method::as_str));
            }
            ControlFlow::Continue(())
        });
        if methods.is_empty() {
            return Lookup::NotFound;
        }
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        let methods: Vec<&str> = methods.into_iter().collect();
        Lookup::MethodNotAllowed { allow: methods.join(", ") }
    }
}

#[cfg(test)]
mod tests;
