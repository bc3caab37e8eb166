//! Search.

use super::Entry;
use crate::call::{Answer, Options};
use crate::{Result, raw};

/// A page of what a query found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// What was found.
    pub entries: Vec<Entry>,
    /// Where the next page begins, for `page.token` of the next query; `None` at the end.
    pub token: Option<String>,
}

/// Searches a store with a query of Dapr, in JSON. Few stores can: Redis with RediSearch, MongoDB,
/// PostgreSQL v1, Cosmos DB. It sees all keys of the store, so it needs the grant `state-query`.
///
/// ```no_run
/// use trilby_guest::state;
///
/// # fn main() -> trilby_guest::Result<()> {
/// let query = r#"{"filter": {"EQ": {"state": "paid"}}, "page": {"limit": 10}}"#;
/// let page = state::query("statestore", query)?;
/// # let _ = page.token;
/// # Ok(())
/// # }
/// ```
pub fn query(store: &str, query: &str) -> Result<Page> {
    Query::new(store, query).send()
}

/// A query with metadata. Give each name once.
#[derive(Clone, Debug)]
#[must_use = "nothing is searched before `send`"]
pub struct Query<'a> {
    store: &'a str,
    query: &'a str,
    pub(super) options: Options,
}

impl<'a> Query<'a> {
    /// A query without metadata.
    pub fn new(store: &'a str, query: &'a str) -> Self {
        Self { store, query, options: Options::default() }
    }

    /// Searches.
    pub fn send(self) -> Result<Page> {
        let result = raw::state_query(self.store, self.options.block()?, self.query);
        let answer = Answer::open(result)?;
        let entries = answer.records()?.iter().map(Entry::read).collect::<Result<_>>()?;
        let token = answer.header("token")?.filter(|token| !token.is_empty());
        Ok(Page { entries, token })
    }
}
