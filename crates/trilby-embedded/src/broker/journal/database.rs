//! The file: a row for each event and each subscription that has not settled it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, params};
use trilby_dapr::Metadata;

use crate::broker::queues::Subscriber;
use crate::exclusive::{self, Layout};

const LAYOUT: Layout = Layout {
    version: 1,
    // A number is given once only, so that numbers have the order of publishing.
    schema: "CREATE TABLE IF NOT EXISTS trilby_events (
                 id INTEGER PRIMARY KEY AUTOINCREMENT,
                 subscription TEXT NOT NULL,
                 number INTEGER NOT NULL,
                 topic TEXT NOT NULL,
                 metadata TEXT NOT NULL,
                 data BLOB NOT NULL
             ) STRICT",
    does: "delivers its events",
};

/// An open file.
pub(super) struct Database {
    connection: Connection,
    /// Whether a commit waits until it is on the disk.
    flushes: bool,
}

/// An event that a subscription has not settled.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) topic: Arc<str>,
    pub(super) metadata: Metadata,
    pub(super) data: Bytes,
}

impl Database {
    /// Opens a file, or makes it. The error says what to do.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let connection = exclusive::open(path, &LAYOUT)?;
        // Whoever has the file first finds out here, and not with the first event.
        connection
            .prepare("SELECT id, subscription, number, topic, metadata, data FROM trilby_events")
            .map_err(|error| exclusive::explain(path, &LAYOUT, &error))?;
        Ok(Self { connection, flushes: true })
    }

    /// Begins a transaction. One that is flushed is on the disk after its commit; another one is
    /// safe from a crash of this process, but not of the machine.
    pub(super) fn begin(&mut self, flushed: bool) -> rusqlite::Result<()> {
        if self.flushes != flushed {
            let mode = if flushed { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", mode)?;
            self.flushes = flushed;
        }
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    /// After an error nothing of the transaction was done.
    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    pub(super) fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "cannot roll back");
        }
    }

    /// Adds an event for one subscription, and says its number.
    pub(super) fn add(
        &self,
        subscriber: &Subscriber,
        topic: &str,
        metadata: &str,
        data: &[u8],
    ) -> rusqlite::Result<i64> {
        let sql = "INSERT INTO trilby_events (subscription, number, topic, metadata, data) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.insert(params![subscriber.topic, subscriber.number, topic, metadata, data])
    }

    pub(super) fn remove(&self, id: i64) -> rusqlite::Result<()> {
        let sql = "DELETE FROM trilby_events WHERE id = ?1";
        self.connection.prepare_cached(sql)?.execute(params![id]).map(|_| ())
    }

    /// What a subscription has not settled, in the order of publishing, without what `is_held`.
    pub(super) fn load(
        &self,
        subscriber: &Subscriber,
        is_held: impl Fn(i64) -> bool,
    ) -> rusqlite::Result<Vec<Row>> {
        let sql = "SELECT id, topic, metadata, data FROM trilby_events \
                   WHERE subscription = ?1 AND number = ?2 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![subscriber.topic, subscriber.number])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if is_held(id) {
                continue;
            }
            let metadata: String = row.get(2)?;
            found.push(Row {
                id,
                topic: row.get::<_, String>(1)?.into(),
                // Written here, as an object of texts.
                metadata: serde_json::from_str(&metadata).unwrap_or_default(),
                data: row.get::<_, Vec<u8>>(3)?.into(),
            });
        }
        Ok(found)
    }
}
