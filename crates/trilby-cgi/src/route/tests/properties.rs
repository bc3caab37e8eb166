use std::collections::BTreeSet;

use proptest::prelude::*;

use super::naive::{self, Text};
use super::*;

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "BREW"];

fn a_path() -> impl Strategy<Value = String> {
    // Few letters, so that routes and paths often meet.
    "(/[ab]{0,2}){1,5}"
}

fn a_text() -> impl Strategy<Value = Text> {
    let segment = prop_oneof![3 => "[ab]{0,2}", 2 => "[a-d]".prop_map(|name| format!(":{name}"))];
    let path = prop::collection::vec(segment, 0..5);
    let methods = prop::sample::subsequence(METHODS.to_vec(), 0..3);
    let host = prop::sample::select(vec!["", "", "", "a.b", "b", "*.b", "*.a.b", "[::1]"]);
    (path, any::<bool>(), methods, host).prop_map(|(path, prefix, methods, host)| {
        // A name only once in a path.
        let mut names = BTreeSet::new();
        let path = path.into_iter().map(|segment| {
            let twice = segment.starts_with(':') && !names.insert(segment.clone());
            if twice { "/a".to_owned() } else { format!("/{segment}") }
        });
        let mut path: String = path.collect();
        if prefix || path.is_empty() {
            path.push_str("/...");
        }
        Text { methods, host, path }
    })
}

/// Method, host and path of a request. The host is there as sent and as the rules see it.
type Request = (&'static str, Option<(&'static str, &'static str)>, String);

fn a_request() -> impl Strategy<Value = Request> {
    let host = prop::sample::select(vec![
        ("a.b", "a.b"),
        ("A.B.:80", "a.b"),
        ("b:1", "b"),
        ("c.b", "c.b"),
        (".b", ".b"),
        ("x.a.b", "x.a.b"),
        ("[0::1]:8080", "[::1]"),
        ("c", "c"),
    ]);
    (prop::sample::select(METHODS.to_vec()), prop::option::of(host), a_path())
}

fn table_of(precedence: Precedence, texts: &[Text]) -> RouteTable<Text> {
    RouteTable::new(precedence, texts.iter().map(Text::route).collect())
}

proptest! {
    #[test]
    fn a_lookup_agrees_with_a_scan(
        texts in prop::collection::vec(a_text(), 0..10),
        (method, host, path) in a_request(),
    ) {
        for precedence in [Precedence::FirstMatch, Precedence::LongestMatch] {
            let table = table_of(precedence, &texts);
            let name = host.map(|(_, name)| name);
            let expected = naive::find(precedence, &texts, method, name, &path);
            let sent = host.map(|(sent, _)| sent);
            match (table.find(&method.parse().unwrap(), sent, &path), expected) {
                (Lookup::Found(found), Ok(place)) => prop_assert_eq!(found.value, &texts[place]),
                (Lookup::MethodNotAllowed { allow }, Err(methods)) => {
                    prop_assert!(!methods.is_empty());
                    prop_assert_eq!(allow, methods.join(", "));
                }
                (Lookup::NotFound, Err(methods)) => prop_assert!(methods.is_empty()),
                (lookup, expected) => prop_assert!(false, "{lookup:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn the_order_of_distinct_routes_does_not_matter(
        (mut one, mut other) in prop::collection::vec(a_text(), 0..10).prop_flat_map(|all| {
            (Just(all.clone()), Just(all).prop_shuffle())
        }),
        (method, host, path) in a_request(),
    ) {
        let mut forms = BTreeSet::new();
        one.retain(|text| forms.insert(text.form()));
        other.retain(|text| one.contains(text));
        // Of routes that are wholly the same, one is as good as the other.
        let method = method.parse().unwrap();
        let host = host.map(|(sent, _)| sent);
        let (one, other) = (
            table_of(Precedence::LongestMatch, &one),
            table_of(Precedence::LongestMatch, &other),
        );
        prop_assert_eq!(one.find(&method, host, &path), other.find(&method, host, &path));
    }

    #[test]
    fn script_name_and_parameters_are_parts_of_the_path(
        texts in prop::collection::vec(a_text(), 0..10),
        (method, host, path) in a_request(),
    ) {
        let table = table_of(Precedence::LongestMatch, &texts);
        let host = host.map(|(sent, _)| sent);
        let lookup = table.find(&method.parse().unwrap(), host, &path);
        let Lookup::Found(found) = lookup else { return Ok(()) };
        let info = path.strip_prefix(found.script_name).unwrap();
        prop_assert!(info.is_empty() || info.starts_with('/'), "{info}");
        prop_assert!(found.script_name != "/");
        let mut own = found.value.path.clone();
        for (name, value) in &found.params {
            prop_assert!(!value.is_empty());
            own = own.replacen(&format!("/:{name}"), &format!("/{value}"), 1);
        }
        match own.strip_suffix("/...") {
            Some(own) => prop_assert_eq!(found.script_name, if own == "/" { "" } else { own }),
            None => prop_assert_eq!(own, path),
        }
    }

    #[test]
    fn any_host_and_path_may_be_asked_for(host in ".*", path in ".*", text in a_text()) {
        let table = table_of(Precedence::LongestMatch, &[text]);
        let lookup = table.find(&Method::GET, Some(&host), &path);
        prop_assert!(path.starts_with('/') || lookup == Lookup::NotFound);
    }
}
