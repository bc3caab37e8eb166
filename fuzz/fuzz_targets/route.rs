//! Routes and paths as they come: what a route matches is the start of the path, and the order of
//! the routes does not matter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trilby_cgi::{Pattern, Precedence, RouteTable};

fuzz_target!(|input: (Vec<String>, String)| {
    let (routes, path) = input;
    let parsed = routes.iter().filter_map(|text| Some((Pattern::parse(text).ok()?, text.clone())));
    let mut routes: Vec<_> = parsed.collect();
    routes.sort_by(|(_, a), (_, b)| a.cmp(b));
    routes.dedup_by(|(_, a), (_, b)| a == b);
    let table = RouteTable::new(Precedence::LongestMatch, routes.clone());
    routes.reverse();
    let turned = RouteTable::new(Precedence::LongestMatch, routes);
    let (found, again) = (table.find(&path), turned.find(&path));
    assert_eq!(found.as_ref().map(|f| f.value), again.as_ref().map(|f| f.value));
    if let Some(found) = found {
        assert!(path.starts_with(found.script_name), "{path:?} {:?}", found.script_name);
    }
});
