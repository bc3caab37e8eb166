//! The table of a state store, with daprd's schema and encoding, so that daprd and Trilby can take
//! over the same file from each other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use trilby_dapr::Metadata;
use trilby_dapr::state::StateValue;

use super::options::Tables;
use crate::state::clock::{Clock, rfc3339};
use crate::state::ttl;
use crate::state::write::{Delete, Failure, Guard, Set, Value, Write};

/// Expired rows that one step of the cleanup removes, so that calls do not wait for many.
const EXPIRED_REMOVED_MAX: usize = 1000;

/// An open database. Every statement is on one row, so each is atomic by itself.
pub(super) struct Database {
    connection: Connection,
    clock: Clock,
    sql: Statements,
}

/// The statements, which name the tables.
struct Statements {
    get: String,
    set: String,
    set_if_missing: String,
    set_if_etag: String,
    delete: String,
    delete_if_etag: String,
    claim_cleanup: String,
    cleanup: String,
}

impl Database {
    pub(super) fn new(connection: Connection, tables: &Tables, clock: Clock) -> Self {
        Self { connection, clock, sql: Statements::on(tables) }
    }

    /// Reads a key; a missing or expired one is empty.
    pub(super) fn get(&self, key: &str) -> Result<StateValue, String> {
        if key.is_empty() {
            return Err("missing key in get operation".to_owned());
        }
        let mut statement = self.connection.prepare_cached(&self.sql.get).map_err(text)?;
        let now = sqlite_time(self.clock.now());
        let row = statement.query_row(params![key, now], |row| Ok(read(row))).optional();
        row.map_err(text)?.unwrap_or_else(|| Ok(StateValue::default()))
    }

    /// Makes one change.
    pub(super) fn apply(&self, write: &Write) -> Result<(), Failure> {
        match write {
            Write::Set(set) => self.set(set),
            Write::Delete(delete) => self.delete(delete),
        }
    }

    fn set(&self, set: &Set) -> Result<(), Failure> {
        if set.key.is_empty() {
            return Err(Failure::Failed("missing key in set option".to_owned()));
        }
        let seconds = ttl::strict(set.ttl.as_deref()).map_err(Failure::Failed)?;
        let time = self.clock.now();
        let expires = seconds
            .and_then(|seconds| time.checked_add(SignedDuration::from_secs(seconds)).ok())
            .map(sqlite_time);
        let now = sqlite_time(time);
        let (value, is_binary) = match &set.value {
            Value::Bytes(bytes) => (&BASE64.encode(bytes), true),
            Value::Json(text) => (text, false),
        };
        let etag = uuid::Uuid::new_v4().to_string();
        match &set.guard {
            Guard::None => {
                let values = params![set.key, value, is_binary, etag, expires, now];
                self.execute(&self.sql.set, values).map(|_| ())
            }
            Guard::Missing => {
                let values = params![set.key, value, is_binary, etag, expires, now];
                self.execute(&self.sql.set_if_missing, values).and_then(changed)
            }
            Guard::Etag(old) => {
                let values = params![set.key, value, is_binary, etag, expires, now, old];
                self.execute(&self.sql.set_if_etag, values).and_then(changed)
            }
        }
    }

    /// As in daprd, first-write means nothing to this store's deletions.
    fn delete(&self, delete: &Delete) -> Result<(), Failure> {
        if delete.key.is_empty() {
            return Err(Failure::Failed("missing key in delete operation".to_owned()));
        }
        match &delete.guard {
            Guard::None | Guard::Missing => {
                self.execute(&self.sql.delete, params![delete.key]).map(|_| ())
            }
            Guard::Etag(etag) => {
                let now = sqlite_time(self.clock.now());
                self.execute(&self.sql.delete_if_etag, params![delete.key, etag, now])
                    .and_then(changed)
            }
        }
    }

    fn execute(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<usize, Failure> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement.execute(values).map_err(failed)
    }

    /// Begins a transaction that may write.
    pub(super) fn begin(&self) -> Result<(), String> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(text)
    }

    /// Whether a transaction is open: a grave error ends it.
    pub(super) fn is_in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Marks the place in the transaction to which [`Self::back_to_mark`] goes back.
    pub(super) fn mark(&self) -> Result<(), String> {
        self.connection.execute_batch("SAVEPOINT call").map_err(text)
    }

    /// Undoes what was done since the mark, which stays.
    pub(super) fn back_to_mark(&self) -> Result<(), String> {
        self.connection.execute_batch("ROLLBACK TO call").map_err(text)
    }

    /// Takes the mark away.
    pub(super) fn unmark(&self) -> Result<(), String> {
        self.connection.execute_batch("RELEASE call").map_err(text)
    }

    /// Makes the transaction's changes last. After an error none of them was made.
    pub(super) fn commit(&self) -> Result<(), String> {
        self.connection.execute_batch("COMMIT").map_err(|error| {
            if self.is_in_transaction()
                && let Err(error) = self.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "cannot roll back");
            }
            text(error)
        })
    }

    /// Whether it is this process's turn to clean up: several may share the file (Dapr).
    pub(super) fn claim_cleanup(&self, every: std::time::Duration) -> rusqlite::Result<bool> {
        let milliseconds = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        // As in daprd, a little early counts as in time.
        let at_least = milliseconds.saturating_sub(100);
        let now = sqlite_time(self.clock.now());
        let claimed = self.connection.execute(&self.sql.claim_cleanup, params![now, at_least])?;
        Ok(claimed > 0)
    }

    /// Removes some expired rows. Whether there may be more.
    pub(super) fn cleanup(&self) -> rusqlite::Result<bool> {
        let now = sqlite_time(self.clock.now());
        let removed = self.connection.execute(&self.sql.cleanup, params![now])?;
        Ok(removed == EXPIRED_REMOVED_MAX)
    }
}

impl Statements {
    fn on(tables: &Tables) -> Self {
        let Tables { state, metadata } = tables;
        let set = format!(
            "INSERT INTO {state} (key, value, is_binary, etag, expiration_time, update_time) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO UPDATE SET value = ?2, \
             is_binary = ?3, etag = ?4, expiration_time = ?5, update_time = ?6"
        );
        Self {
            get: format!(
                "SELECT value, is_binary, etag, expiration_time FROM {state} \
                 WHERE key = ?1 AND (expiration_time IS NULL OR expiration_time > ?2)"
            ),
            // An expired row counts as missing. No comparison holds for NULL.
            set_if_missing: format!("{set} WHERE {state}.expiration_time <= ?6"),
            set,
            set_if_etag: format!(
                "UPDATE {state} SET value = ?2, is_binary = ?3, etag = ?4, expiration_time = ?5, \
                 update_time = ?6 WHERE key = ?1 AND etag = ?7 \
                 AND (expiration_time IS NULL OR expiration_time > ?6)"
            ),
            delete: format!("DELETE FROM {state} WHERE key = ?1"),
            delete_if_etag: format!(
                "DELETE FROM {state} WHERE key = ?1 AND etag = ?2 \
                 AND (expiration_time IS NULL OR expiration_time > ?3)"
            ),
            claim_cleanup: format!(
                "INSERT INTO {metadata} (key, value) VALUES ('last-cleanup', ?1) \
                 ON CONFLICT (key) DO UPDATE SET value = ?1 \
                 WHERE (unixepoch(?1) - unixepoch({metadata}.value)) * 1000 > ?2"
            ),
            cleanup: format!(
                "DELETE FROM {state} WHERE rowid IN (SELECT rowid FROM {state} \
                 WHERE expiration_time <= ?1 LIMIT {EXPIRED_REMOVED_MAX})"
            ),
        }
    }
}

fn read(row: &Row<'_>) -> Result<StateValue, String> {
    let (ValueRef::Text(value) | ValueRef::Blob(value)) = row.get_ref(0).map_err(text)? else {
        return Err("the column `value` holds neither text nor bytes".to_owned());
    };
    let data = if row.get::<_, bool>(1).map_err(text)? {
        let decoded = BASE64.decode(value);
        decoded.map_err(|error| format!("failed to decode binary data: {error}"))?
    } else {
        value.to_vec()
    };
    let expires: Option<String> = row.get(3).map_err(text)?;
    let expires = expires.and_then(|time| {
        let time: DateTime = time.parse().ok()?;
        Some(rfc3339(time.to_zoned(TimeZone::UTC).ok()?.timestamp()))
    });
    Ok(StateValue {
        data: Bytes::from(data),
        etag: Some(row.get(2).map_err(text)?),
        metadata: expires
            .map(|time| ("ttlExpireTime".to_owned(), time))
            .into_iter()
            .collect::<Metadata>(),
    })
}

/// A time as SQLite's `CURRENT_TIMESTAMP` writes it: UTC, whole seconds. Sorts as text.
fn sqlite_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn changed(rows: usize) -> Result<(), Failure> {
    if rows == 0 { Err(Failure::Mismatch(None)) } else { Ok(()) }
}

fn failed(error: rusqlite::Error) -> Failure {
    Failure::Failed(text(error))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn text(error: rusqlite::Error) -> String {
    error.to_string()
}
