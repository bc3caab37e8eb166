use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::Trigger;
use crate::testing::Folder;

fn migrated(folder: &Folder) -> Result<Migrated, MigrateError> {
    let loaded = folder.load("modules.toml").unwrap_or_else(|error| panic!("{error}"));
    migrate(&loaded)
}

fn of_text(text: &str) -> Result<Migrated, MigrateError> {
    migrated(&Folder::new().with("modules.toml", text))
}

#[test]
fn everything_that_wagi_has_is_carried_over() {
    let text = "[[module]]\nroute = \"/a\\\"b\"\nmodule = \"a.wasm\"\nentrypoint = \"run\"\n\
                argv = \"x\\t${ARGS}\"\nvolumes = { \"/d\" = \"data\", \"/\\\\\" = \".\" }\n\
                allowed_hosts = [\"https://a.de/x?y\", \"insecure:allow-all\"]\n\
                http_max_concurrency = 5000\n\n\
                [[module]]\nroute = \"/...\"\nmodule = \"oci:ghcr.io/a/b:1\"\n\
                http_max_concurrency = 2\n\n\
                [[module]]\nroute = \"/c\"\nmodule = \"b.wasm\"\n";
    let folder = Folder::new().with("modules.toml", text).with("components/", "");
    let migrated = migrated(&folder).expect("can be said");
    insta::assert_snapshot!(migrated.text, @r##"
    # Made from WAGI's modules.toml.
    version = 1
    name = "app"

    # The folder `components` was not read before: now it is Dapr's.

    [[route]]
    path = "/a\"b"
    module = "a.wasm"
    entrypoint = "run"
    argv = "x\u0009${ARGS}"
    volumes = { "/d" = { host = "data", writable = true }, "/\\" = { host = ".", writable = true } }
    allowed-hosts = ["https://a.de", "http://*:*", "https://*:*"]
    # `http-calls` was 5000: 1000 is the most that it can be.
    limits = { http-calls = 1000 }

    [[route]]
    path = "/..."
    module = "oci:ghcr.io/a/b:1"
    argv = "${SCRIPT_NAME} ${ARGS}" # WAGI's default, but for empty arguments
    limits = { http-calls = 2 }

    # Route `/c` (line 15) is left out: it was never reached, as `/...` came first.
    "##);
    let notes = ["components", "http-calls", "Route `/c`"];
    assert_eq!(migrated.notes.len(), notes.len());
    for (note, about) in migrated.notes.iter().zip(notes) {
        assert!(note.contains(about), "{note}");
    }

    let before = folder.load("modules.toml").expect("valid").app;
    let folder = folder.with("trilby.toml", &migrated.text);
    let after = folder.load("trilby.toml").unwrap_or_else(|error| panic!("{error}")).app;
    assert_eq!((&after.name, after.routes.len()), (&before.name, 2));
    for (old, new) in before.routes.iter().zip(&after.routes) {
        assert_eq!((&old.trigger, &old.target), (&new.trigger, &new.target));
        assert_eq!((&old.entrypoint, &old.volumes), (&new.entrypoint, &new.volumes));
        let calls = old.limits.http_calls_max.min(1000);
        assert_eq!(calls, new.limits.http_calls_max);
    }
    assert_eq!(after.routes[0].argv.as_deref(), Some("x\t${ARGS}"));
    assert!(after.routes[0].allowed_hosts[0].allows(true, "a.de", 443));
    assert!(!after.routes[0].allowed_hosts[0].allows(false, "a.de", 80));
    assert!(after.routes[0].allowed_hosts[1].allows(false, "b.de", 81));
    assert!(after.routes[0].allowed_hosts[2].allows(true, "b.de", 81));
}

#[test]
fn modules_from_elsewhere_keep_their_place() {
    let folder = Folder::new().with("other/x:y.wasm", "").with("a:b.wasm", "");
    let other = folder.path().join("other/x:y.wasm");
    let text = format!(
        "[[module]]\nroute = \"/a\"\nmodule = \"file://{}\"\n\
         [[module]]\nroute = \"/b\"\nmodule = \"./a:b.wasm\"\n\
         [[module]]\nroute = \"/c\"\nmodule = \"file:/bin/sh\"\n\
         [[module]]\nroute = \"/d\"\nmodule = \"Cargo.toml\"\n",
        other.display()
    );
    let folder = folder.with("modules.toml", &text);
    let migrated = migrated(&folder).expect("can be said");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    for module in ["./a:b.wasm", "other/x:y.wasm", "/bin/sh", &here.to_string_lossy()] {
        let line = format!("module = \"{module}\"\n");
        assert!(migrated.text.contains(&line), "{line} {}", migrated.text);
    }
    let folder = folder.with("trilby.toml", &migrated.text);
    assert_eq!(folder.load("trilby.toml").expect("valid").app.routes.len(), 4);
}

#[test]
fn what_cannot_be_said_is_named() {
    for (lines, expected) in [
        (
            "route = \"/a/:id/...\"",
            "route `/a/:id/...` on line 1 has the segment `:id`, which would be a parameter in a \
             `trilby.toml`; rename it, or keep the `modules.toml`",
        ),
        (
            "route = \"/a/*\"",
            "route `/a/*` on line 1 has a `*`: all paths below `/orders` are written \
             `/orders/...`; or keep the `modules.toml`",
        ),
        (
            "route = \"/a\"\nargv = \"${X}\"",
            "the `argv` of route `/a` on line 1 has `${X}`, which WAGI passes on as it stands and \
             a `trilby.toml` refuses; take it out first",
        ),
    ] {
        let result = of_text(&format!("[[module]]\nmodule = \"a.wasm\"\n{lines}\n"));
        assert_eq!(result.map_err(|error| error.to_string()), Err(expected.to_owned()));
    }
    let folder = Folder::new();
    let loaded = folder.load("a.wasm").expect("valid");
    let error = migrate(&loaded).expect_err("not WAGI's").to_string();
    let expected = "a.wasm is not WAGI's: only a `modules.toml` can be migrated";
    assert_eq!(folder.relative(&error), expected);
}

/// Whether a path of a manifest matches, and how specific that is: exact goes before prefix, and
/// the longer prefix before the shorter.
fn specificity(pattern: &str, path: &str) -> Option<usize> {
    match pattern.strip_suffix("/...") {
        None => (pattern == path).then_some(usize::MAX),
        Some(base) => {
            let rest = path.strip_prefix(base)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(base.len())
        }
    }
}

fn routes(app: &App) -> impl Iterator<Item = (&str, &str)> {
    app.routes.iter().map(|route| match &route.trigger {
        Trigger::Http { path, .. } => (path.as_str(), route.entrypoint.as_str()),
        other => panic!("{other:?}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn each_path_is_answered_as_before(
        patterns in proptest::collection::vec("(/[ab]?){1,3}(/[.]{3})?|/[.]{3}", 1..8),
        asked in proptest::collection::vec("(/[abc]?){1,4}", 1..30),
    ) {
        let entry = |(index, pattern)| {
            format!("[[module]]\nroute = \"{pattern}\"\nmodule = \"a.wasm\"\nentrypoint = \"e{index}\"\n")
        };
        let text: String = patterns.iter().enumerate().map(entry).collect();
        let folder = Folder::new().with("modules.toml", &text);
        let text = migrated(&folder).map_err(|error| TestCaseError::fail(error.to_string()))?.text;
        let before = folder.load("modules.toml").expect("valid").app;
        let folder = folder.with("trilby.toml", &text);
        let after = folder.load("trilby.toml");
        let after = after.map_err(|error| TestCaseError::fail(error.to_string()))?.app;
        let by_name: HashMap<_, _> = routes(&after).map(|(path, name)| (name, path)).collect();
        prop_assert_eq!(by_name.len(), after.routes.len());
        for path in &asked {
            let first = routes(&before).find(|(pattern, _)| specificity(pattern, path).is_some());
            let best = routes(&after)
                .filter_map(|(pattern, name)| Some((specificity(pattern, path)?, name)))
                .max();
            prop_assert_eq!(first.map(|(_, name)| name), best.map(|(_, name)| name), "{}", path);
        }
    }

    #[test]
    fn any_text_in_quotes_is_read_back(text: String) {
        let toml = format!("{} = {}", quoted(&text), quoted(&text));
        let table: toml::Table = toml::from_str(&toml).expect("is TOML");
        prop_assert_eq!(table.get(&text).and_then(toml::Value::as_str), Some(text.as_str()));
    }
}
