//! A database of SQLite that is this process's alone: what is in it is delivered, and two processes
//! would both deliver it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

/// How long to wait for a process that ends and still has the file. In tests none does.
const BUSY_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 5 });

/// What a file is for.
pub(crate) struct Layout {
    /// The version of its tables, from 1.
    pub(crate) version: i64,
    /// The statement that makes what is missing.
    pub(crate) schema: &'static str,
    /// What another process that has the file does, for messages: `delivers its jobs`.
    pub(crate) does: &'static str,
}

/// Opens a file that no other process can open from then on; it and the folders above it are made
/// if needed. A write that was committed is on the disk. The error names the file and what to do.
pub(crate) fn open(path: &Path, layout: &Layout) -> Result<Connection, String> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| format!("cannot make the folder {}: {error}", parent.display()))?;
    }
    let connection = locked(path).map_err(|error| explain(path, layout, &error))?;
    let version: rusqlite::Result<i64> =
        connection.pragma_query_value(None, "user_version", |row| row.get(0));
    if version.map_err(|error| explain(path, layout, &error))? > layout.version {
        let path = path.display();
        return Err(format!("{path} is from a newer Trilby; use that one, or move the file away"));
    }
    prepare(&connection, layout).map_err(|error| explain(path, layout, &error))?;
    Ok(connection)
}

fn locked(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn prepare(connection: &Connection, layout: &Layout) -> rusqlite::Result<()> {
    let Layout { version, schema, .. } = layout;
    // This write takes the lock, which is then kept.
    let sql = format!("BEGIN IMMEDIATE; {schema}; PRAGMA user_version = {version}; COMMIT");
    connection.execute_batch(&sql)
}

/// An error in words that help.
pub(crate) fn explain(path: &Path, layout: &Layout, error: &rusqlite::Error) -> String {
    let (path, does) = (path.display(), layout.does);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "{path} is in use by another process, which {does}; end that one, or give this one \
             another data folder"
        ),
        Some(ErrorCode::NotADatabase) => {
            format!("{path} is no SQLite database; move it away, and it is made anew")
        }
        _ => format!("cannot open {path}: {error}"),
    }
}
