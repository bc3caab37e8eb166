//! Component files that are as they should be, and arbitrary text.

mod configuration;
mod endpoints;
mod mistakes;
mod resiliency;
mod subscriptions;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::Kind;
use crate::component::Component;

const HEAD: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\n";

/// A component that is as it should be, but for what `spec` has.
fn with_spec(spec: &str) -> String {
    format!("{HEAD}metadata:\n  name: store\nspec:\n{spec}")
}

fn with_item(item: &str) -> String {
    with_spec(&format!("  type: state.sqlite\n  version: v1\n  metadata:\n{item}"))
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn options(folders: &[PathBuf], app_id: &str) -> Options {
    Options {
        app_id: app_id.to_owned(),
        components: folders.to_vec(),
        configuration: None,
        defaults: Vec::new(),
        data_dir: PathBuf::new(),
        env: BTreeMap::new(),
        apps: BTreeMap::new(),
    }
}

fn load(folders: &[PathBuf], app_id: &str) -> Result<Found, Error> {
    super::load(&options(folders, app_id))
}

/// Loads and resolves for the app `app`. Errors name files by their name only.
fn components(files: &[(&str, &str)]) -> Result<Vec<Component>, String> {
    let folder = folder(files);
    let env = BTreeMap::from([("CITY".to_owned(), "Bern".to_owned())]);
    let context = Context {
        app_id: "app",
        env: &env,
        secrets: &|store, name, key| match (store, name, key) {
            ("vault", "db", "password") => Lookup::Found("hunter2".to_owned()),
            ("vault", "token", "token") => Lookup::Found("abc".to_owned()),
            ("vault", ..) => Lookup::NoSecret,
            _ => Lookup::NoStore(None),
        },
    };
    let loaded = load(&[folder.path().to_owned()], "app").map(|found| found.components);
    let resolved =
        loaded.and_then(|components| components.iter().map(|c| c.resolve(&context)).collect());
    let place = format!("{}/", folder.path().display());
    resolved.map_err(|error: Error| error.to_string().replace(&place, ""))
}

fn error(text: &str) -> String {
    components(&[("a.yaml", text)]).err().unwrap()
}

#[test]
fn files_and_documents_are_read_in_order() {
    let named =
        |name: &str| format!("{HEAD}metadata: {{name: {name}}}\nspec: {{type: state.in-memory}}\n");
    let two = format!("# Two.\n---\n{}---\n\n---\n{}", named("second"), named("third"));
    let first = named("first");
    let json = r#"{"apiVersion": "dapr.io/v1alpha1", "kind": "Component", "metadata":
        {"name": "fourth"}, "spec": {"type": "State.SQLite3", "version": "v1", "metadata": []}}"#;
    let components = components(&[
        ("c.yaml", json),
        ("b.yml", &two),
        ("a.YAML", &first),
        ("notes.txt", "not: [yaml"),
        ("empty.yaml", "# nothing\n"),
    ])
    .unwrap();
    let found: Vec<(&str, &str, usize)> =
        components.iter().map(|c| (c.name.as_str(), c.type_name.as_str(), c.line)).collect();
    assert_eq!(
        found,
        [
            ("first", "state.in-memory", 1),
            ("second", "state.in-memory", 3),
            ("third", "state.in-memory", 10),
            ("fourth", "state.sqlite", 1),
        ]
    );
    assert_eq!(types::find("state.sqlite").unwrap().kind, Kind::State);
}

#[test]
fn values_become_the_text_that_daprd_gives_a_component() {
    let text = with_item(
        r#"    - {name: connectionString, value: "a {appID} {namespace}"}
    - {name: note-1, value: 10}
    - {name: note-2, value: 1.50}
    - {name: note-3, value: true}
    - {name: note-4, value: {b: [1, x], a: ~}}
    - {name: note-5, value: ~}
    - {name: note-6}
    - {name: note-7, envRef: CITY}
    - {name: note-8, secretKeyRef: {name: db, key: password}}
    - {name: note-9, secretKeyRef: {name: token}}
auth: {secretStore: vault}
"#,
    );
    let components = components(&[("a.yaml", &text)]).unwrap();
    let expected = [
        ("connectionString", "a app default.app"),
        ("note-1", "10"),
        ("note-2", "1.5"),
        ("note-3", "true"),
        ("note-4", r#"{"a":null,"b":[1,"x"]}"#),
        ("note-5", ""),
        ("note-6", ""),
        ("note-7", "Bern"),
        ("note-8", "hunter2"),
        ("note-9", "abc"),
    ];
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(components[0].metadata, expected);
    assert!(components[0].is_secret("note-8") && components[0].is_secret("Note-9"));
    assert!(!components[0].is_secret("note-7"));
}

#[test]
fn scopes_and_other_kinds_are_passed_over() {
    let other = with_spec("  type: state.redis\nscopes: [other-app]\n");
    let ours = with_spec("  type: state.in-memory\nscopes: [other-app, app]\n");
    let unknown = "apiVersion: dapr.io/v1alpha1\nkind: MCPServer\nspec: {what: ever}\n";
    let files = [("a.yaml", other.as_str()), ("b.yaml", ours.as_str()), ("c.yaml", unknown)];
    let components = components(&files).unwrap();
    assert_eq!(components.len(), 1);
    assert_eq!(components[0].type_name, "state.in-memory");
}

#[test]
fn the_repositorys_own_components_are_read() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = |folder: &str| {
        let components = load(&[repository.join(folder)], "app").unwrap().components;
        components.iter().map(|component| component.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named("components"), ["pubsub", "statestore"]);
    let found = load(&[repository.join("components")], "app").unwrap();
    assert_eq!(found.resiliencies.len(), 1);
    assert_eq!(named("examples/guestbook/components"), ["prune", "pubsub", "statestore"]);
}

/// Pieces of component files, so that arbitrary texts get past the YAML parser now and then.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("apiVersion: dapr.io/v1alpha1\n".to_owned()),
        Just("kind: Component\n".to_owned()),
        Just("metadata: {name: x}\n".to_owned()),
        Just("spec:\n  type: state.sqlite\n  metadata:\n".to_owned()),
        Just("    - {name: url, value: 1}\n".to_owned()),
        Just("    - &a {name: b}\n    - *a\n".to_owned()),
        Just("---\n".to_owned()),
        Just("? [".to_owned()),
        "[ -~\n]{0,12}",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused(text in prop_oneof![pieces(), ".{0,80}"]) {
        let _ = parse(Path::new("a.yaml"), &text);
    }
}
