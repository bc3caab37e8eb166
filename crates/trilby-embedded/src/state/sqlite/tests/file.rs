//! The file: daprd's schema, other owners, and what cannot be opened.

use super::*;

#[tokio::test]
async fn a_file_keeps_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/state.db");
    let store = open(&path, &[]).unwrap();
    save(&store, "key", "value").await.unwrap();
    let etag = get(&store, "key").await.etag;
    drop(store);
    let store = open(&path, &[]).unwrap();
    let value = get(&store, "key").await;
    assert_eq!(value.data, "value");
    assert_eq!(value.etag, etag);
}

/// The tables and rows as daprd 1.18 writes them.
const OF_DAPRD: &str = "
    CREATE TABLE metadata (key text NOT NULL PRIMARY KEY, value text NOT NULL);
    CREATE TABLE state (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL,
        is_binary BOOLEAN NOT NULL,
        etag TEXT NOT NULL,
        expiration_time TIMESTAMP DEFAULT NULL,
        update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    INSERT INTO metadata VALUES ('migrations', '1');
    INSERT INTO state VALUES
        ('app||text', '{\"a\":1}', 0, 'e1', NULL, CURRENT_TIMESTAMP),
        ('app||bytes', 'AAEC', 1, 'e2', '9999-01-02 03:04:05', CURRENT_TIMESTAMP),
        ('app||old', 'AA==', 1, 'e3', DATETIME(CURRENT_TIMESTAMP, '-1 seconds'), CURRENT_TIMESTAMP),
        ('app||bad', '%%', 1, 'e4', NULL, CURRENT_TIMESTAMP);";

#[tokio::test]
async fn a_file_of_daprd_is_read_and_written_in_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("daprd.db");
    let daprd = Connection::open(&path).unwrap();
    daprd.execute_batch(OF_DAPRD).unwrap();
    let store = open(&path, &[]).unwrap();
    let text = get(&store, "text").await;
    assert_eq!((text.data.as_ref(), text.etag.as_deref()), (&b"{\"a\":1}"[..], Some("e1")));
    let bytes = get(&store, "bytes").await;
    assert_eq!(bytes.data.as_ref(), [0, 1, 2]);
    assert_eq!(bytes.metadata.get("ttlExpireTime").unwrap(), "9999-01-02T03:04:05Z");
    assert_eq!(get(&store, "old").await, StateValue::default());
    let request = GetState { key: "bad".to_owned(), ..GetState::default() };
    let error = store.get(&cx(), request).await.unwrap_err();
    let expected = "fail to get bad from state store store: failed to decode binary data: ";
    assert!(error.message.starts_with(expected), "{error}");
    assert_eq!((error.code, error.reason.as_ref()), (Code::Internal, "ERR_STATE_GET"));

    save(&store, "ours", "hi").await.unwrap();
    let row: (String, i64, Option<String>, String) = daprd
        .query_row(
            "SELECT value, is_binary, expiration_time, typeof(update_time) FROM state \
             WHERE key = 'app||ours'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!(row, ("aGk=".to_owned(), 1, None, "text".to_owned()));
}

#[test]
fn a_new_file_has_daprds_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(open(&path, &[("tableName", "t1"), ("metadataTableName", "m1")]).unwrap());
    let connection = Connection::open(&path).unwrap();
    let level: String = connection
        .query_row("SELECT value FROM m1 WHERE key = 'migrations'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(level, "1");
    let mode: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let columns: String = connection
        .query_row(
            "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\", ', ') \
             FROM pragma_table_info('t1')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        columns,
        "key TEXT 1, value TEXT 1, is_binary BOOLEAN 1, etag TEXT 1, expiration_time TIMESTAMP 0, \
         update_time TIMESTAMP 1"
    );
}

#[test]
fn what_cannot_be_opened_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str| folder.path().join(name);
    let text = in_folder("text.db");
    let content = "A text file, long enough not to be taken for a new one.\n".repeat(20);
    std::fs::write(&text, &content).unwrap();
    assert_eq!(
        open(&text, &[]).err().unwrap(),
        format!(
            "component `store`: {} is not an SQLite database; it was left as it is; name another \
             file in `connectionString`",
            text.display()
        )
    );
    assert_eq!(std::fs::read_to_string(&text).unwrap(), content);

    let locked = in_folder("locked.db");
    let owner = Connection::open(&locked).unwrap();
    owner.execute_batch("CREATE TABLE t (c); BEGIN EXCLUSIVE").unwrap();
    assert_eq!(
        open(&locked, &[("busyTimeout", "10ms")]).err().unwrap(),
        format!(
            "component `store`: {} is locked by another process; end that process, or name \
             another file in `connectionString`",
            locked.display()
        )
    );

    let error = open(&text.join("state.db"), &[]).err().unwrap();
    let expected = format!("component `store`: cannot make the folder {}: ", text.display());
    assert!(error.starts_with(&expected), "{error}");

    let error = open(folder.path(), &[]).err().unwrap();
    let expected = format!("component `store`: cannot open {}: ", folder.path().display());
    assert!(error.starts_with(&expected), "{error}");

    let other = in_folder("other.db");
    let owner = Connection::open(&other).unwrap();
    owner.execute_batch("CREATE TABLE state (id INTEGER)").unwrap();
    let error = open(&other, &[]).err().unwrap();
    assert!(error.contains("was not made by Dapr"), "{error}");
    assert!(error.ends_with("name another with `tableName`"), "{error}");
}

#[test]
fn what_comes_from_a_secret_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hunter2.db");
    let open = |text: &str| {
        let mut component = component("state.sqlite", &[("connectionString", text)]);
        component.secret_names.insert("connectionString".to_owned());
        StateStore::open(&component, "app", &BTreeMap::new()).err().unwrap().to_string()
    };
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE state (id INTEGER)").unwrap();
    let missing = folder.path().join("none.db");
    std::fs::create_dir(folder.path().join("hunter2")).unwrap();
    for (text, expected) in [
        (path.display().to_string(), "was not made by Dapr"),
        (path.join("below").display().to_string(), "cannot make the folder (from a secret): "),
        (folder.path().join("hunter2").display().to_string(), "cannot open (from a secret): "),
        (format!("{}?vfs=hunter2", missing.display()), "cannot open (from a secret): "),
    ] {
        let error = open(&text);
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("(from a secret)") && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_locked_file_fails_the_call_and_not_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path, &[("busyTimeout", "10ms")]).unwrap();
    save(&store, "key", "before").await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = save(&store, "key", "during").await.unwrap_err();
    assert_eq!(error.code, Code::Internal);
    assert_eq!(error.message, "failed saving state in state store store: database is locked");
    assert_eq!(get(&store, "key").await.data, "before");
    other.execute_batch("ROLLBACK").unwrap();
    save(&store, "key", "after").await.unwrap();
    assert_eq!(get(&store, "key").await.data, "after");
}

#[tokio::test]
async fn two_stores_on_one_file_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let stores = [open(&path, &[]).unwrap(), open(&path, &[]).unwrap()];
    let write = |index: usize| {
        let store = &stores[index];
        async move {
            for number in 0..20 {
                save(store, &format!("{index}-{number}"), "x").await.unwrap();
            }
        }
    };
    futures_util::future::join(write(0), write(1)).await;
    assert_eq!(rows(&Connection::open(&path).unwrap()), 40);
    assert_eq!(get(&stores[0], "1-19").await.data, "x");
    assert_eq!(get(&stores[1], "0-19").await.data, "x");
}
