//! What holds for all stores; what needs a real Redis is in [`redis`].

mod model;
mod redis;
mod semantics;
mod together;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;

/// A component named `store`, as if from a file.
pub(in crate::state) fn component(type_name: &str, metadata: &[(&str, &str)]) -> Component {
    Component {
        file: PathBuf::from("components/state.yaml"),
        ..Component::for_test("store", type_name, metadata, 3)
    }
}

/// A store of one type, and the clock that it looks at.
struct Fixture {
    store: StateStore,
    clock: Clock,
    _folder: Option<TempDir>,
}

fn open(type_name: &str) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::set("2026-01-01T00:00:00.25Z");
    let file = folder.path().join("new/state.db");
    let component = component(type_name, &[("connectionString", file.to_str().unwrap())]);
    let store = StateStore::open_at(&component, "app", &BTreeMap::new(), clock.clone()).unwrap();
    Fixture { store, clock, _folder: Some(folder) }
}

/// The stores that need no server.
const STORES: [&str; 2] = ["state.in-memory", "state.sqlite"];

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(30))
}

fn item(key: &str, value: &str) -> StateItem {
    StateItem {
        key: key.to_owned(),
        value: Bytes::copy_from_slice(value.as_bytes()),
        ..StateItem::default()
    }
}

fn save(items: Vec<StateItem>) -> SaveState {
    SaveState { store: "store".to_owned(), items }
}

fn get(key: &str) -> GetState {
    GetState { store: "store".to_owned(), key: key.to_owned(), ..GetState::default() }
}

#[test]
fn encryption_is_refused_and_not_ignored() {
    let component = component("state.in-memory", &[("primaryEncryptionKey", "k")]);
    let error = StateStore::open(&component, "app", &BTreeMap::new()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "components/state.yaml:3: the embedded runtime does not encrypt state; remove \
         `primaryEncryptionKey`, or run a daprd sidecar"
    );
}
