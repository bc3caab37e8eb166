//! `configuration.sqlite`: a table that others write.

use rusqlite::Connection;

use super::*;

struct Shared {
    _folder: TempDir,
    path: PathBuf,
    /// Another process's.
    shell: Connection,
}

fn shared() -> Shared {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.db");
    let shell = Connection::open(&path).unwrap();
    Shared { _folder: folder, path, shell }
}

impl Shared {
    fn open(&self) -> Result<ConfigurationStore, String> {
        let metadata = [("connectionString", self.path.to_str().unwrap())];
        let component = Component::for_test("settings", "configuration.sqlite", &metadata, 3);
        ConfigurationStore::open(&component).map_err(|error| error.to_string())
    }

    fn run(&self, sql: &str) {
        self.shell.execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn what_a_shell_writes_is_seen_by_readers_and_watchers() {
    let shared = shared();
    let store = shared.open().unwrap();
    assert_eq!(pairs(&store, &[]).await, [""; 0]);
    let (mut all, mut one) = (store.watch(None), store.watch(Some("a".to_owned())));
    shared.run("INSERT INTO configuration (key, value) VALUES ('a', 'x'), ('b', 7)");
    assert_eq!(pairs(&store, &["b", "a", "no"]).await, ["a=x@", "b=7@"]);
    assert_eq!(told(&mut all), ["a=x@", "b=7@"]);
    shared.run(
        "BEGIN; UPDATE configuration SET value = 'y', version = '2', metadata = '{\"m\": \"n\"}' \
         WHERE key = 'a'; DELETE FROM configuration WHERE key = 'b'; COMMIT",
    );
    let item = store.get(&cx(), &GetConfiguration::default()).await.unwrap().remove("a").unwrap();
    assert_eq!((&*item.value, &*item.version, &*item.metadata["m"]), ("y", "2", "n"));
    assert_eq!(told(&mut all), ["a=y@2", "b=@"]);
    assert_eq!(told(&mut one), ["a=x@", "a=y@2"]);
    store.poll();
    assert_eq!(told(&mut all), [""; 0], "nothing has changed");
    drop(store);
    assert_eq!(pairs(&shared.open().unwrap(), &[]).await, ["a=y@2"]);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_of_a_table_is_told_without_any_call() {
    let shared = shared();
    let store = shared.open().unwrap();
    let mut all = store.watch(None);
    shared.run("INSERT INTO configuration (key, value) VALUES ('a', 'x')");
    let (key, item) = all.recv().await.unwrap();
    assert_eq!((key.as_str(), item.value.as_str()), ("a", "x"));
}

#[tokio::test]
async fn a_table_that_is_no_good_changes_nothing() {
    let shared = shared();
    let store = shared.open().unwrap();
    shared.run("INSERT INTO configuration (key, value) VALUES ('a', 'x')");
    assert_eq!(pairs(&store, &["a"]).await, ["a=x@"]);
    for bad in ["value = x'ff'", "metadata = '[1]'", "metadata = '{\"m\": 1}'"] {
        shared.run(&format!("UPDATE configuration SET {bad}"));
        assert_eq!(pairs(&store, &["a"]).await, ["a=x@"], "{bad}");
        let error = shared.open().err().unwrap();
        let begin = "component `settings`: its table `configuration`: the `";
        assert!(error.starts_with(begin) && error.contains("of `a` is no"), "{error}");
    }
    shared.run("UPDATE configuration SET value = 'y', metadata = '{}'");
    assert_eq!(pairs(&store, &["a"]).await, ["a=y@"]);
    shared.run("DROP TABLE configuration");
    assert_eq!(pairs(&store, &["a"]).await, ["a=y@"]);
}

#[test]
fn another_programs_table_is_left_alone() {
    let shared = shared();
    shared.run("CREATE TABLE configuration (name TEXT)");
    let error = shared.open().err().unwrap();
    let expected = "component `settings`: the table `configuration` in ";
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains("was not made by Trilby"), "{error}");
}
