//! One table of another component in a file of SQLite, which it may share with other processes and
//! with state stores.

use std::time::Duration;

use rusqlite::Connection;

use super::options::Options;
use super::schema::{Schema, open_with};
use crate::Error;
use crate::component::Component;

/// An open file with the table in it.
pub(crate) struct Table {
    pub(crate) connection: Connection,
    /// Letters, digits and `_` only: safe as a part of SQL.
    pub(crate) name: String,
    /// The most that one call may take.
    pub(crate) timeout: Duration,
}

impl Table {
    /// Opens the file that the metadata names as for `state.sqlite`, and makes the table if it is
    /// missing: it is called `name`, unless the metadata `tableName` says otherwise, has these
    /// `columns`, and is made by `create`, in which `TABLE_NAME` stands for its name.
    pub(crate) fn open(
        component: &Component,
        name: &str,
        columns: &str,
        create: &str,
    ) -> Result<Self, Error> {
        let options = Options::with_table(component, name)?;
        let name = options.tables.state.clone();
        let create = create.replace("TABLE_NAME", &name);
        let schema = Schema {
            table: &name,
            columns,
            maker: "Trilby",
            make: &|connection| connection.execute_batch(&create),
        };
        let connection = open_with(&options, &schema)
            .map_err(|message| Error::Open { component: component.name.clone(), message })?;
        Ok(Self { connection, name, timeout: options.timeout })
    }
}
