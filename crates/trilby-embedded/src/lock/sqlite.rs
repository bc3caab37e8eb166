//! `lock.sqlite`: locks between the processes of one machine, which share a file.
//!
//! When a lock ends is a time of day, since a process's own clock means nothing to another.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use trilby_dapr::lock::Unlocked;

use crate::Error;
use crate::component::Component;
use crate::state::sqlite::table::Table;

/// `ends` is in milliseconds since 1970.
const CREATE: &str = "\
CREATE TABLE IF NOT EXISTS TABLE_NAME (
    resource TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, ends INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS TABLE_NAME_ends ON TABLE_NAME (ends)";

/// Locks whose time is over that one call removes.
const ENDED_REMOVED_MAX: usize = 16;

/// The locks.
pub(super) struct SqliteLocks {
    table: Arc<Mutex<Connection>>,
    sql: Arc<Statements>,
    timeout: Duration,
    /// One call at a time: the others wait without a thread.
    turn: Arc<Semaphore>,
}

struct Statements {
    forget: String,
    lock: String,
    owner: String,
    unlock: String,
}

impl SqliteLocks {
    pub(super) fn open(component: &Component) -> Result<Self, Error> {
        let Table { connection, name, timeout } =
            Table::open(component, "lock", "resource, owner, ends", CREATE)?;
        let sql = Statements {
            forget: format!(
                "DELETE FROM {name} WHERE rowid IN \
                 (SELECT rowid FROM {name} WHERE ends <= ?1 LIMIT {ENDED_REMOVED_MAX})"
            ),
            lock: format!(
                "INSERT INTO {name} (resource, owner, ends) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (resource) DO UPDATE SET owner = ?2, ends = ?3 \
                 WHERE {name}.ends <= ?4"
            ),
            owner: format!("SELECT owner FROM {name} WHERE resource = ?1 AND ends > ?2"),
            unlock: format!("DELETE FROM {name} WHERE resource = ?1"),
        };
        let table = Arc::new(Mutex::new(connection));
        Ok(Self { table, sql: Arc::new(sql), timeout, turn: Arc::new(Semaphore::new(1)) })
    }

    pub(super) async fn try_lock(
        &self,
        deadline: Instant,
        key: String,
        owner: String,
        expiry: Duration,
    ) -> Result<bool, String> {
        let expiry = i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX);
        self.run(deadline, move |table, sql| {
            let now = Timestamp::now().as_millisecond();
            table.prepare_cached(&sql.forget)?.execute(params![now])?;
            let ends = now.saturating_add(expiry);
            let mut lock = table.prepare_cached(&sql.lock)?;
            Ok(lock.execute(params![key, owner, ends, now])? > 0)
        })
        .await
    }

    pub(super) async fn unlock(
        &self,
        deadline: Instant,
        key: String,
        owner: String,
    ) -> Result<Unlocked, String> {
        self.run(deadline, move |table, sql| {
            let now = Timestamp::now().as_millisecond();
            // Nobody may take the lock between the look and the deletion.
            let change = table.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let holder = change.query_row(&sql.owner, params![key, now], |row| row.get(0));
            let holder: Option<String> = holder.optional()?;
            match holder {
                None => return Ok(Unlocked::Missing),
                Some(holder) if holder != owner => return Ok(Unlocked::OfOthers),
                Some(_) => change.execute(&sql.unlock, params![key])?,
            };
            change.commit()?;
            Ok(Unlocked::Done)
        })
        .await
    }

    /// Runs on a thread that may block. Work that has begun runs to its end, also when the caller
    /// is gone.
    async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut Connection, &Statements) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let (table, sql) = (Arc::clone(&self.table), Arc::clone(&self.sql));
        let turn = Arc::clone(&self.turn);
        let done = async move {
            let turn = turn.acquire_owned().await.map_err(|_| "the store is closed".to_owned())?;
            let work = tokio::task::spawn_blocking(move || {
                // Held until the thread is done, however long the caller waits.
                let _turn = turn;
                work(&mut table.lock().unwrap_or_else(PoisonError::into_inner), &sql)
            });
            let done = work.await.map_err(|_| "the operation broke off".to_owned())?;
            done.map_err(|error| error.to_string())
        };
        let deadline = deadline.min(Instant::now() + self.timeout);
        let late = || Err("the database does not answer in time".to_owned());
        timeout_at(deadline, done).await.unwrap_or_else(|_| late())
    }
}
