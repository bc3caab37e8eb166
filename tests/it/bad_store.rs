//! A state store whose file cannot be used: an error at start that names the file, whose content
//! stays what it was.

use anyhow::Result;
use insta::assert_snapshot;
use rusqlite::Connection;

use crate::folder::{Folder, MANIFEST};

/// An application whose `store` is kept in `data/state.db`.
fn app() -> Result<Folder> {
    let component = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\n\
                     spec:\n  type: state.sqlite\n  version: v1\n  metadata:\n  - name: \
                     connectionString\n    value: data/state.db\n  - name: busyTimeout\n    \
                     value: 10ms\n";
    Folder::with_app()?.with("components/store.yaml", component)
}

#[tokio::test]
async fn a_locked_file_is_left_alone() -> Result<()> {
    let folder = app()?.with("data/state.db", "")?;
    let file = folder.path("data/state.db");
    let owner = Connection::open(&file)?;
    owner.execute_batch("CREATE TABLE t (c); INSERT INTO t VALUES (1); BEGIN EXCLUSIVE")?;
    assert_snapshot!(folder.refused().await?, @"error: component `store`: data/state.db is locked by another process; end that process, or name another file in `connectionString`");
    owner.execute_batch("ROLLBACK")?;
    let tables = "SELECT group_concat(name) FROM sqlite_schema";
    let tables: String = owner.query_row(tables, [], |row| row.get(0))?;
    assert_eq!(tables, "t");
    // Once it is free, it is used.
    folder.launch().start().await?;
    Ok(())
}

#[tokio::test]
async fn the_default_stores_file_has_a_flag() -> Result<()> {
    let manifest = format!("{MANIFEST}grants = {{ state = [\"statestore\"] }}\n");
    let folder = Folder::with_app()?.with("trilby.toml", manifest)?.with(".trilby/state.db", "")?;
    let owner = Connection::open(folder.path(".trilby/state.db"))?;
    owner.execute_batch("CREATE TABLE t (c); BEGIN EXCLUSIVE")?;
    assert_snapshot!(folder.refused().await?, @"error: component `statestore`: .trilby/state.db is locked by another process; end that process, or choose another folder with --data-dir");
    folder.launch().args(&["--data-dir", "elsewhere"]).start().await?;
    assert!(folder.path("elsewhere/state.db").exists());
    Ok(())
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() -> Result<()> {
    let content = "Notes, long enough not to be taken for a new database.\n".repeat(20);
    let folder = app()?.with("data/state.db", &content)?;
    assert_snapshot!(folder.refused().await?, @"error: component `store`: data/state.db is not an SQLite database; it was left as it is; name another file in `connectionString`");
    assert_eq!(std::fs::read_to_string(folder.path("data/state.db"))?, content);
    Ok(())
}

#[tokio::test]
async fn another_programs_database_is_left_alone() -> Result<()> {
    let folder = app()?.with("data/state.db", "")?;
    let file = folder.path("data/state.db");
    let owner = Connection::open(&file)?;
    owner.execute_batch("CREATE TABLE state (id INTEGER); INSERT INTO state VALUES (7)")?;
    drop(owner);
    let content = std::fs::read(&file)?;
    assert_snapshot!(folder.refused().await?, @"error: component `store`: the table `state` in data/state.db was not made by Dapr (no such column: key in SELECT key, value, is_binary, etag, expiration_time, update_time FROM state LIMIT 0 at offset 7); name another with `tableName`");
    assert!(std::fs::read(&file)? == content, "the file has changed");
    Ok(())
}

#[tokio::test]
async fn a_damaged_database_is_left_alone() -> Result<()> {
    let folder = app()?;
    folder.launch().start().await?.process().kill();
    let file = folder.path("data/state.db");
    Connection::open(&file)?.execute_batch("PRAGMA journal_mode = DELETE")?;
    let mut content = std::fs::read(&file)?;
    content.get_mut(100..4096).expect("a whole page").fill(0xff);
    let folder = folder.with("data/state.db", &content)?;
    assert_snapshot!(folder.refused().await?, @"error: component `store`: data/state.db is damaged (database disk image is malformed); put back a copy, or name another file in `connectionString`");
    assert!(std::fs::read(&file)? == content, "the file has changed");
    Ok(())
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_or_opened_is_named() -> Result<()> {
    let folder = app()?.with("data", "a file where a folder should be")?;
    assert_snapshot!(folder.refused().await?, @"error: component `store`: cannot make the folder data: File exists (os error 17)");
    let folder = app()?.with("data/state.db/x", "a folder where a file should be")?;
    assert_snapshot!(folder.refused().await?, @"error: component `store`: cannot open data/state.db: unable to open database file: file:data/state.db; check that it is a file and that this user may read and write it and its folder");
    Ok(())
}
