//! The store as its callers see it, and a file that changes.

mod redis;
mod table;

use std::path::PathBuf;

use tempfile::TempDir;

use super::watchers::Watchers;
use super::*;

fn component(metadata: &[(&str, &str)]) -> Component {
    Component::for_test("settings", "configuration.in-memory", metadata, 3)
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(30))
}

/// A store over a file, with a value that is only in the component.
fn over_file(text: &str) -> (TempDir, PathBuf, ConfigurationStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.yaml");
    std::fs::write(&path, text).unwrap();
    let file = ("file", path.to_str().unwrap());
    let store = ConfigurationStore::open(&component(&[("items", "{fixed: f, a: never}"), file]));
    (folder, path.clone(), store.unwrap())
}

async fn pairs(store: &ConfigurationStore, keys: &[&str]) -> Vec<String> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let request = GetConfiguration { keys, ..GetConfiguration::default() };
    let items = store.get(&cx(), &request).await.unwrap();
    items.iter().map(|(key, item)| format!("{key}={}@{}", item.value, item.version)).collect()
}

fn told(changes: &mut mpsc::Receiver<Change>) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok((key, item)) = changes.try_recv() {
        told.push(format!("{key}={}@{}", item.value, item.version));
    }
    told
}

#[tokio::test]
async fn keys_are_read_and_missing_ones_left_out() {
    let store = ConfigurationStore::open(&component(&[("items", "{a: x, b: y||2}")])).unwrap();
    assert_eq!(pairs(&store, &[]).await, ["a=x@", "b=y@2"]);
    assert_eq!(pairs(&store, &["b", "no", "b"]).await, ["b=y@2"]);
    assert_eq!(pairs(&store, &["no"]).await, [""; 0]);
    let empty = ConfigurationStore::open(&component(&[])).unwrap();
    assert_eq!(pairs(&empty, &[]).await, [""; 0]);
}

#[tokio::test]
async fn a_changed_file_is_seen_by_readers_and_watchers() {
    let (_folder, path, store) = over_file("{a: x, b: y}");
    assert_eq!(pairs(&store, &[]).await, ["a=x@", "b=y@", "fixed=f@"]);
    let (mut all, mut one) = (store.watch(None), store.watch(Some("a".to_owned())));
    store.poll();
    assert_eq!(told(&mut all), [""; 0], "nothing has changed");

    std::fs::write(&path, "{a: z||2, c: n}").unwrap();
    assert_eq!(pairs(&store, &["a", "b"]).await, ["a=z@2"]);
    assert_eq!(told(&mut all), ["a=z@2", "b=@", "c=n@"]);
    assert_eq!(told(&mut one), ["a=z@2"]);

    // What the file no longer has is what the component has.
    std::fs::write(&path, "{}").unwrap();
    store.poll();
    assert_eq!(told(&mut all), ["a=never@", "c=@"]);
    assert_eq!(told(&mut one), ["a=never@"]);
}

#[tokio::test]
async fn a_file_that_is_no_good_changes_nothing() {
    let (_folder, path, store) = over_file("{a: x}");
    let mut all = store.watch(None);
    for text in ["{a: [", "[1, 2]", "", "{a: [1]}"] {
        std::fs::write(&path, text).unwrap();
        store.poll();
        assert_eq!(pairs(&store, &["a"]).await, ["a=x@"], "{text}");
    }
    std::fs::remove_file(&path).unwrap();
    store.poll();
    assert_eq!(pairs(&store, &["a"]).await, ["a=x@"]);
    assert_eq!(told(&mut all), [""; 0]);
    std::fs::write(&path, "{a: y}").unwrap();
    store.poll();
    assert_eq!(told(&mut all), ["a=y@"]);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_without_any_call() {
    let (_folder, path, store) = over_file("{a: x}");
    let mut all = store.watch(None);
    std::fs::write(&path, "{a: y}").unwrap();
    let (key, item) = all.recv().await.unwrap();
    assert_eq!((key.as_str(), item.value.as_str()), ("a", "y"));
}

#[tokio::test]
async fn a_slow_watcher_gets_the_last_value_of_each_key() {
    let mut watchers = Watchers::default();
    let mut changes = watchers.add(None);
    let value = |value: usize| ConfigurationItem { value: value.to_string(), ..<_>::default() };
    for number in 0..1000 {
        watchers.tell(&[("a".to_owned(), value(number)), ("b".to_owned(), value(number))]);
    }
    let first = told(&mut changes);
    assert_eq!(first.len(), 256);
    assert_eq!(&first[..2], ["a=0@", "b=0@"]);
    watchers.flush();
    assert_eq!(told(&mut changes), ["a=999@", "b=999@"]);
    drop(changes);
    watchers.flush();
    assert!(!watchers.is_any());
}

#[test]
fn mistakes_point_at_the_component() {
    let error = |metadata: &[(&str, &str)]| {
        ConfigurationStore::open(&component(metadata)).err().unwrap().to_string()
    };
    assert_eq!(
        error(&[("items", "[1]")]),
        "c.yaml:3: `items`: a map of keys to values is wanted; this is none, see line 1"
    );
    let missing = error(&[("file", "no/such/file")]);
    assert!(
        missing.starts_with("c.yaml:3: the file `no/such/file`: it cannot be read ("),
        "{missing}"
    );
    assert_eq!(
        error(&[("file", "/dev/zero")]),
        "c.yaml:3: the file `/dev/zero`: it is larger than 4 MiB"
    );
}
