//! `configuration.sqlite`: a table that an operator writes with any SQLite shell.
//!
//! ```sql
//! INSERT INTO configuration (key, value) VALUES ('greeting', 'Hello');
//! UPDATE configuration SET value = 'Hi', version = '2' WHERE key = 'greeting';
//! ```
//!
//! `version` is any text, and `metadata` a JSON map of texts; both may be left out. The file may be
//! shared with other processes, whose changes SQLite counts.

use rusqlite::{Connection, Row};
use trilby_dapr::Metadata;
use trilby_dapr::configuration::ConfigurationItem;

use super::items::{self, Items, KEYS_MAX};
use crate::Error;
use crate::component::Component;
use crate::state::sqlite::table::Table;

const COLUMNS: &str = "key, value, version, metadata";

const CREATE: &str = "\
CREATE TABLE IF NOT EXISTS TABLE_NAME (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version TEXT NOT NULL DEFAULT '',
    metadata TEXT NOT NULL DEFAULT '{}'
)";

/// The table, and when it was read.
pub(super) struct WatchedTable {
    component: String,
    connection: Connection,
    select: String,
    /// SQLite's count of other connections' changes when the table was read; `None` if it has to be
    /// read again in any case.
    seen: Option<i64>,
    /// What is wrong with the table, so that it is told only once.
    problem: Option<String>,
}

impl WatchedTable {
    /// Opens the file that the metadata names as for `state.sqlite`, and reads the table.
    pub(super) fn open(component: &Component) -> Result<(Self, Items), Error> {
        let Table { connection, name, .. } =
            Table::open(component, "configuration", COLUMNS, CREATE)?;
        let select = format!("SELECT {COLUMNS} FROM {name} LIMIT {}", KEYS_MAX + 1);
        let component_name = component.name.clone();
        let mut table =
            Self { component: component_name, connection, select, seen: None, problem: None };
        let items = table.read().map_err(|message| Error::Open {
            component: component.name.clone(),
            message: format!("its table `{}`: {message}", component.shown("tableName", &name)),
        })?;
        Ok((table, items))
    }

    /// The items, if the file has changed and the table is good. A table that is not leaves all as
    /// it is.
    pub(super) fn read_if_changed(&mut self) -> Option<Items> {
        if self.seen.is_some() && self.seen == self.version().ok() {
            return None;
        }
        let read = self.read();
        items::news(read, &mut self.problem, |problem| {
            tracing::warn!(
                component = self.component,
                "the configuration stays as it was: {problem}"
            );
        })
    }

    fn read(&mut self) -> Result<Items, String> {
        // Before the rows: what changes between the two is read once more.
        self.seen = self.version().ok();
        let mut statement = self.connection.prepare_cached(&self.select).map_err(text)?;
        let rows = statement.query_map([], |row| Ok(item(row))).map_err(text)?;
        let items = rows.map(|row| row.map_err(text)?).collect::<Result<Items, String>>()?;
        if items.len() > KEYS_MAX {
            return Err(format!("there are more than {KEYS_MAX} keys"));
        }
        Ok(items)
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))
    }
}

/// One row. The error names the key but no value.
fn item(row: &Row<'_>) -> Result<(String, ConfigurationItem), String> {
    let key: String = row.get(0).map_err(|_| "a key is no text".to_owned())?;
    let column = |index, name: &str| {
        row.get::<usize, String>(index).map_err(|_| format!("the `{name}` of `{key}` is no text"))
    };
    let (value, version) = (column(1, "value")?, column(2, "version")?);
    let metadata: Metadata = serde_json::from_str(&column(3, "metadata")?)
        .map_err(|_| format!("the `metadata` of `{key}` is no JSON map of texts"))?;
    Ok((key, ConfigurationItem { value, version, metadata }))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn text(error: rusqlite::Error) -> String {
    error.to_string()
}
