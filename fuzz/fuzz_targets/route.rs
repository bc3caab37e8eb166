//! Tables of routes with parameters, hosts and methods: a lookup says the same as a scan over the
//! texts of the routes, and the order of the routes does not matter.

#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use http::Method;
use libfuzzer_sys::fuzz_target;
use trilby_cgi::{HostPattern, Lookup, Pattern, Precedence, Route, RouteTable};

const METHODS: [Method; 4] = [Method::GET, Method::HEAD, Method::POST, Method::DELETE];

#[derive(Arbitrary, Debug)]
struct Input {
    routes: Vec<(String, u8, Option<String>)>,
    method: u8,
    host: Option<String>,
    path: String,
}

/// A route by its text: no pattern is asked whether it matches.
#[derive(Clone, Debug, PartialEq)]
struct Text {
    path: String,
    methods: Vec<Method>,
    /// In the form that a [`HostPattern`] shows.
    host: Option<String>,
}

impl Text {
    fn new((path, methods, host): (String, u8, Option<String>)) -> Option<Self> {
        Pattern::parse(&path).ok()?;
        let host = match host {
            Some(host) => Some(HostPattern::parse(&host).ok()?.to_string()),
            None => None,
        };
        let chosen = (0..).zip(METHODS).filter(|(bit, _)| methods >> bit & 1 == 1);
        Some(Self { path, methods: chosen.map(|(_, method)| method).collect(), host })
    }

    fn route(&self) -> Route<Self> {
        Route {
            pattern: Pattern::parse(&self.path).unwrap(),
            methods: self.methods.clone(),
            host: self.host.as_deref().map(|host| HostPattern::parse(host).unwrap()),
            value: self.clone(),
        }
    }

    /// What two routes share that differ in methods and in the names of parameters at most.
    fn form(&self) -> (Option<String>, String) {
        let segments = self.path.split('/');
        let unnamed = segments.map(|text| if text.starts_with(':') { ":" } else { text });
        (self.host.clone(), unnamed.collect::<Vec<_>>().join("/"))
    }

    fn host_rank(&self, host: Option<&str>) -> Option<usize> {
        let Some(own) = &self.host else { return Some(0) };
        let host = host?;
        match own.strip_prefix("*.") {
            Some(above) => {
                let below = host.strip_suffix(above)?.strip_suffix('.')?;
                (!below.is_empty()).then_some(above.len())
            }
            None => (host == own).then_some(usize::MAX),
        }
    }

    fn path_rank(&self, path: &str) -> Option<Vec<u8>> {
        if !path.starts_with('/') {
            return None;
        }
        let own = self.path.strip_suffix("/...").unwrap_or(&self.path);
        let exact = own.len() == self.path.len();
        let (own, sent) = (own.split('/'), path.split('/'));
        if own.clone().count() > sent.clone().count()
            || (exact && own.clone().count() < sent.clone().count())
        {
            return None;
        }
        let ranks = own.zip(sent).map(|(own, sent)| match own.starts_with(':') {
            true => (!sent.is_empty()).then_some(1),
            false => (own == sent).then_some(2),
        });
        ranks.chain([Some(u8::from(exact))]).collect()
    }

    fn answers(&self, method: &Method) -> bool {
        let as_get = *method == Method::HEAD && self.methods.contains(&Method::GET);
        self.methods.is_empty() || self.methods.contains(method) || as_get
    }
}

/// A host that has one form only, so that this file need not know how others are brought to it.
fn plain_host(text: &str) -> Option<String> {
    let pattern = HostPattern::parse(text).ok()?.to_string();
    (!pattern.starts_with("*.")).then_some(pattern)
}

fuzz_target!(|input: Input| {
    let (method, path) = (&METHODS[usize::from(input.method % 4)], input.path.as_str());
    let host = input.host.as_deref().and_then(plain_host);
    let host = host.as_deref();
    let mut forms = BTreeSet::new();
    let mut texts: Vec<Text> = input.routes.into_iter().filter_map(Text::new).collect();
    texts.retain(|text| forms.insert(text.form()));

    let matching: Vec<_> = texts
        .iter()
        .filter_map(|text| Some(((text.host_rank(host)?, text.path_rank(path)?), text)))
        .collect();
    let answering = || matching.iter().filter(|(_, text)| text.answers(method));
    let first = answering().next().map(|(_, text)| *text);
    let best = answering().max_by(|(one, _), (two, _)| one.cmp(two)).map(|(_, text)| *text);
    for (precedence, expected) in
        [(Precedence::FirstMatch, first), (Precedence::LongestMatch, best)]
    {
        let table = RouteTable::new(precedence, texts.iter().map(Text::route).collect());
        match table.find(method, host, path) {
            Lookup::Found(found) => {
                assert_eq!(Some(found.value), expected);
                let info = path.strip_prefix(found.script_name).unwrap();
                assert!(info.is_empty() || info.starts_with('/'), "{info:?}");
                assert!(found.params.iter().all(|(_, value)| path.contains(value)));
            }
            Lookup::MethodNotAllowed { allow } => {
                assert!(expected.is_none() && !matching.is_empty() && !allow.is_empty());
            }
            Lookup::NotFound => assert!(matching.is_empty()),
        }
    }
    let turned = texts.iter().rev().map(Text::route).collect();
    let turned = RouteTable::new(Precedence::LongestMatch, turned);
    match turned.find(method, host, path) {
        Lookup::Found(found) => assert_eq!(Some(found.value), best),
        _ => assert_eq!(best, None),
    }
});
