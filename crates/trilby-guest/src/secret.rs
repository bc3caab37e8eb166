//! Read secrets.
//!
//! ```no_run
//! # fn main() -> trilby_guest::Result<()> {
//! let token = trilby_guest::secret::get("secrets", "mail-token")?;
//! let login = trilby_guest::secret::get("secrets", "database")?;
//! let (user, password) = (login.value("user")?, login.value("password")?);
//! # let _ = (token.text()?, user, password);
//! # Ok(())
//! # }
//! ```

use std::fmt;

use crate::call::{self, Answer, Options};
use crate::json::Fields;
use crate::{Code, Error, Result, raw};

/// A secret. `Debug` does not show it.
pub struct Secret {
    answer: Answer,
}

/// Reads a secret.
pub fn get(store: &str, key: &str) -> Result<Secret> {
    Get::new(store, key).send()
}

/// A read with metadata. Give each name once.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `send`"]
pub struct Get<'a> {
    store: &'a str,
    key: &'a str,
    options: Options,
}

impl<'a> Get<'a> {
    /// A read without metadata.
    pub fn new(store: &'a str, key: &'a str) -> Self {
        Self { store, key, options: Options::default() }
    }

    /// Asks for a version of the secret: `version`, `version_id` or `version_stage`. Other metadata
    /// could lead to another secret, and is refused.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.options.push_metadata(name, value);
        self
    }

    /// Reads.
    pub fn send(self) -> Result<Secret> {
        let result = raw::secret_get(self.store, self.key, self.options.block()?);
        Ok(Secret { answer: Answer::open(result)? })
    }
}

impl Secret {
    /// The text of a secret that has one value; read it once. Empty if it has several.
    pub fn text(&self) -> Result<String> {
        String::from_utf8(self.answer.body()?)
            .map_err(|_| Error::new(Code::DataLoss, "the secret is not UTF-8"))
    }

    /// One of the secret's values by name.
    pub fn value(&self, name: &str) -> Result<Option<String>> {
        self.answer.header(&format!("value.{name}"))
    }

    /// All of the secret's values, as pairs of name and value.
    pub fn values(&self) -> Result<Vec<(String, String)>> {
        let mut values = Vec::new();
        // One by one, since keys in PEM and their like have several lines.
        for (name, _) in call::with_prefix(&self.answer.headers()?, "value.") {
            let value = self.value(&name)?.unwrap_or_default();
            values.push((name, value));
        }
        Ok(values)
    }
}

/// A secret of many. `Debug` does not show its values.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// The secret's key in its store.
    pub key: String,
    /// Its values, as pairs of name and value.
    pub values: Vec<(String, String)>,
}

/// Reads all secrets of a store that the route is granted.
pub fn get_bulk(store: &str) -> Result<Vec<Named>> {
    let records = Answer::open(raw::secret_get_bulk(store, ""))?.records()?;
    let named = |fields: &Fields| {
        Ok(Named { key: fields.required("key")?, values: fields.pairs("values") })
    };
    records.iter().map(named).collect()
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Named({:?}, …)", self.key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_keeps_the_secret() {
        let values = vec![("password".to_owned(), "hunter2".to_owned())];
        let shown = format!("{:?}", Named { key: "database".to_owned(), values });
        assert_eq!(shown, "Named(\"database\", …)");
    }
}
