//! Opening a file, and daprd's tables in it.

use std::path::Path;

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use super::options::{Location, Options, Tables};

/// The metadata key of the schema's level, as in daprd.
const LEVEL_KEY: &str = "migrations";

/// The level of the schema below.
const LEVEL: &str = "1";

/// What a database must have.
pub(super) struct Schema<'a> {
    /// The name of the table that is looked at.
    pub(super) table: &'a str,
    pub(super) columns: &'a str,
    /// Who makes such tables.
    pub(super) maker: &'a str,
    /// Makes the tables that are missing.
    pub(super) make: &'a dyn Fn(&Connection) -> rusqlite::Result<()>,
}

/// Opens the database of a state store and makes the tables that are missing. The error says what to
/// do.
pub(super) fn open(options: &Options) -> Result<Connection, String> {
    let schema = Schema {
        table: &options.tables.state,
        columns: "key, value, is_binary, etag, expiration_time, update_time",
        maker: "Dapr",
        make: &|connection| migrate(connection, &options.tables),
    };
    open_with(options, &schema)
}

/// The same, for any tables.
pub(super) fn open_with(options: &Options, schema: &Schema<'_>) -> Result<Connection, String> {
    let Location::File { uri, path } = &options.location else {
        return Connection::open_in_memory()
            .and_then(|connection| prepare(&connection, options, schema).map(|()| connection))
            .map_err(|error| {
                format!("cannot open a database in memory: {}", reason(options, &error))
            });
    };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| {
            let folder = options.shown(parent.display());
            format!("cannot make the folder {folder}: {error}")
        })?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let explained = |error| explain(path, options, &error);
    let connection = Connection::open_with_flags(uri, flags).map_err(explained)?;
    connection.busy_timeout(options.busy_timeout).map_err(explained)?;
    // Another program's table is found before anything in its file is changed.
    if connection.table_exists(None, schema.table).map_err(explained)? {
        check_columns(&connection, path, options, schema)?;
    }
    prepare(&connection, options, schema).map_err(explained)?;
    check_columns(&connection, path, options, schema)?;
    Ok(connection)
}

fn prepare(
    connection: &Connection,
    options: &Options,
    schema: &Schema<'_>,
) -> rusqlite::Result<()> {
    if matches!(options.location, Location::File { .. }) {
        let mode = if options.write_ahead_log { "WAL" } else { "DELETE" };
        connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))?;
    }
    for (name, value) in &options.pragmas {
        // Names and values are words, as the reader of the options made sure.
        connection.execute_batch(&format!("PRAGMA {name} = {value}"))?;
    }
    (schema.make)(connection)
}

/// Makes the tables. Another process may be doing the same, so it is done under a lock.
fn migrate(connection: &Connection, tables: &Tables) -> rusqlite::Result<()> {
    let Tables { state, metadata } = tables;
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {metadata} (key text NOT NULL PRIMARY KEY, value text NOT NULL)"
    ))?;
    let level: Option<String> = transaction
        .query_row(
            &format!("SELECT value FROM {metadata} WHERE key = ?1"),
            params![LEVEL_KEY],
            |row| row.get(0),
        )
        .optional()?;
    if level.is_none_or(|level| level == "0") {
        transaction.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {state} (
                key TEXT NOT NULL PRIMARY KEY,
                value TEXT NOT NULL,
                is_binary BOOLEAN NOT NULL,
                etag TEXT NOT NULL,
                expiration_time TIMESTAMP DEFAULT NULL,
                update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
            )"
        ))?;
        transaction.execute(
            &format!("REPLACE INTO {metadata} (key, value) VALUES (?1, ?2)"),
            params![LEVEL_KEY, LEVEL],
        )?;
    }
    transaction.commit()
}

/// Whether the table has the columns that are needed: the file may be another program's.
fn check_columns(
    connection: &Connection,
    path: &Path,
    options: &Options,
    schema: &Schema<'_>,
) -> Result<(), String> {
    let Schema { table, columns, maker, .. } = schema;
    let select = format!("SELECT {columns} FROM {table} LIMIT 0");
    connection.prepare(&select).map(|_| ()).map_err(|error| {
        format!(
            "the table `{}` in {} was not made by {maker} ({}); name another with `tableName`",
            options.shown(table),
            options.shown(path.display()),
            reason(options, &error),
        )
    })
}

/// SQLite's text, or what the code of the error means where the text could quote a secret.
fn reason(options: &Options, error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(code) if options.is_secret => code.to_string(),
        None if options.is_secret => "it is no SQLite error".to_owned(),
        _ => error.to_string(),
    }
}

fn explain(path: &Path, options: &Options, error: &rusqlite::Error) -> String {
    let (path, other_file) = (options.shown(path.display()), options.other_file);
    let code = error.sqlite_error_code();
    let error = reason(options, error);
    match code {
        Some(ErrorCode::NotADatabase) => {
            format!("{path} is not an SQLite database; it was left as it is; {other_file}")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{path} is locked by another process; end that process, or {other_file}")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => format!(
            "cannot open {path}: {error}; check that it is a file and that this user may read \
             and write it and its folder"
        ),
        Some(ErrorCode::ReadOnly) => {
            format!("{path} is read-only ({error}); let this user write the file and its folder")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("{path} is damaged ({error}); put back a copy, or {other_file}")
        }
        _ => format!("cannot open {path}: {error}"),
    }
}
