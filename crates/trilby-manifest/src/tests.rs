//! The repository's own manifests, and text that is hardly one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use crate::testing::{Folder, documented};
use crate::{Loaded, Trigger, guest, limits, load, migrate, route, trilby_toml};

/// Where the repository keeps a manifest.
fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[test]
fn the_examples_load() {
    for (name, triggers) in [
        ("hello", 2),
        ("guestbook", 3),
        ("orders", 5),
        ("orders-go", 2),
        ("orders-c", 2),
        ("counter-go", 1),
        ("counter-zig", 1),
        ("counter-assemblyscript", 1),
    ] {
        let folder = in_repository("examples").join(name);
        let Loaded { app, warnings, .. } = load(&folder).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(app.name, name);
        assert_eq!(app.routes.len(), triggers, "{name}");
        assert_eq!(warnings, [""; 0], "{name}");
        assert_eq!(app.components.is_some(), folder.join("components").exists(), "{name}");
    }
}

#[test]
fn the_probe_loads() {
    let text = std::fs::read_to_string(in_repository("tests/guests/probe/trilby.toml"));
    let text = text.expect("is there");
    let folder = Folder::new().with("trilby.toml", &text).with("components/", "");
    let Loaded { app, warnings, .. } = folder.load("").unwrap_or_else(|error| panic!("{error}"));
    let warnings: Vec<_> = warnings.iter().map(|line| folder.relative(line)).collect();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.contains("`REQUEST_METHOD` belongs to the request"), "{warning}");
    assert_eq!(app.name, "probe");
    assert_eq!(app.components, Some(folder.path().join("components")));
    for route in &app.routes {
        assert!(route.build.is_some(), "the first route's build is shared");
        assert_eq!(route.limits.memory_bytes_max, 32 << 20);
        assert_eq!(route.limits.deadline, Duration::from_secs(2));
        assert_eq!(route.env["GREETING"], "hello");
    }
    assert_eq!(app.routes[0].grants.secrets.len(), 2);
    let topic =
        Trigger::Topic { pubsub: "pubsub".into(), topic: "t1".into(), options: Default::default() };
    assert_eq!(app.routes[1].trigger, topic);
    assert_eq!(app.routes[2].trigger, Trigger::Binding { name: "tick".into() });
}

/// Text as manifests have it, in any order.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        Just("[[route]]\n".to_owned()),
        Just("[[module]]\n".to_owned()),
        Just("[limits]\n".to_owned()),
        Just("version = 1\n".to_owned()),
        Just("[server]\n".to_owned()),
        "(path|topic|match|dead-letter|bulk|raw-payload|envelope|job|configuration|apps|binding|module|route|build|deadline|memory|queue|env|volumes|grants|name\
         |methods|host|files|argv|allowed-hosts|allowed-networks|authorization|response-headers\
         |limits|server|trusted-proxies|cpu|head-in|http-calls|connections|allowed_hosts\
         |http_max_concurrency) \
         = (\"/[a-zé.%/ *]{0,5}\"|\"[a-z:/]{0,6}\"\
             |-?[0-9]{1,20}|\\[1, \"a\"\\]|\\[\"[A-Za-z:/*.@ é]{0,8}\"\\]|\"[$\\{\\}A-Z]{0,6}\"|\\{a = \"\\\\u0000\"\\}|true)\n",
        "[ -~\n\r\té日\u{feff}]{0,20}",
    ];
    proptest::collection::vec(scrap, 0..20).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in prop_oneof![any::<String>(), scraps()]) {
        let folder = Folder::new().with("x.toml", &text);
        match folder.load("x.toml") {
            Ok(loaded) => {
                prop_assert!(!loaded.app.routes.is_empty());
                let _ = migrate(&loaded);
            }
            Err(error) => {
                let report = folder.relative(&error.to_string());
                prop_assert!(report.starts_with("error: "), "{}", report);
                prop_assert!(report.contains(" --> x.toml:"), "{}", report);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_loader_panic(bytes: Vec<u8>) {
        let folder = Folder::new();
        std::fs::write(folder.path().join("x.toml"), bytes).expect("can write");
        let _ = folder.load("x.toml");
    }
}

#[test]
fn the_documented_manifest_loads_and_names_the_defaults() {
    let folder = Folder::new().with("trilby.toml", &documented());
    let folder = ["components/", "in/", "out/", "public/"]
        .iter()
        .fold(folder, |folder, name| folder.with(name, ""));
    let Loaded { app, warnings, .. } = folder.load("").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, [""; 0]);
    let (standard, _) = limits::standard().of_route();
    let mut limits = app.routes[0].limits.clone();
    assert_eq!(limits.deadline, Duration::from_secs(1));
    limits.deadline = standard.deadline;
    assert_eq!(limits, standard);
    assert_eq!(app.server.limits, limits::standard().into_server().limits);
}

#[test]
fn the_documented_manifest_has_every_key() {
    let text = documented();
    let lists: [&[&str]; 9] = [
        &trilby_toml::KEYS,
        &trilby_toml::DAPR_KEYS,
        &trilby_toml::SERVER_KEYS,
        &limits::REQUEST_KEYS,
        &limits::SHARED_KEYS,
        &limits::PROCESS_KEYS,
        &route::KEYS,
        &guest::GRANT_KEYS,
        &guest::VOLUME_KEYS,
    ];
    for key in lists.concat() {
        let starts = |at: usize| text[..at].ends_with([' ', '[', '.']);
        let ends = |at: usize| text[at..].starts_with([' ', ']', '.']);
        let mut places = text.match_indices(key).map(|(at, _)| at);
        assert!(places.any(|at| starts(at) && ends(at + key.len())), "`{key}` is not documented");
    }
}
