//! A state store whose file cannot be used: an error at start that names the file, whose content
//! stays what it was.

use anyhow::Result;
use insta::assert_snapshot;
use rusqlite::Connection;

use crate::folder::Folder;

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
    assert_snapshot!(folder.refused().await?, @"");
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
    let folder = Folder::with_app()?.with(".trilby/state.db", "")?;
    let owner = Connection::open(folder.path(".trilby/state.db"))?;
    owner.execute_batch("CREATE TABLE t (c); BEGIN EXCLUSIVE")?;
    assert_snapshot!(folder.refused().await?, @"");
    folder.launch().args(&["--data-dir", "elsewhere"]).start().await?;
    assert!(folder.path("elsewhere/state.db").exists());
    Ok(())
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() -> Result<()> {
    let content = "Notes, long enough not to be taken for a new database.\n".repeat(20);
    let folder = app()?.with("data/state.db", &content)?;
    assert_snapshot!(folder.refused().await?, @"");
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
    assert_snapshot!(folder.refused().await?, @"");
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
    assert_snapshot!(folder.refused().await?, @"");
    assert!(std::fs::read(&file)? == content, "the file has changed");
    Ok(())
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_or_opened_is_named() -> Result<()> {
    let folder = app()?.with("data", "a file where a folder should be")?;
    assert_snapshot!(folder.refused().await?, @"");
    let folder = app()?.with("data/state.db/x", "a folder where a file should be")?;
    assert_snapshot!(folder.refused().await?, @"");
    Ok(())
}
