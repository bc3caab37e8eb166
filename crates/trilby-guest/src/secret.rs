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

use crate::call::{Answer, Options};
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

    /// Passes metadata to the component, such as a version.
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
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
