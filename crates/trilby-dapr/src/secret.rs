//! Secrets: named values that never reach a log.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use crate::{CallContext, Metadata, Result};

/// Secret stores.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads one secret, which may have several named values.
    async fn get_secret(&self, cx: &CallContext, request: GetSecret) -> Result<Secret>;

    /// Reads all secrets of a store, by name.
    async fn get_secrets(
        &self,
        cx: &CallContext,
        request: GetSecrets,
    ) -> Result<BTreeMap<String, Secret>>;
}

/// Reads all secrets of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetSecrets {
    /// The component's name.
    pub store: String,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// Reads one secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetSecret {
    /// The component's name.
    pub store: String,
    /// The secret's name.
    pub key: String,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// A secret's named values; most secrets have one, named as the secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret {
    /// Value by name.
    pub values: BTreeMap<String, String>,
}

/// Shows names only: values must not reach logs, errors or panics.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_values() {
        let values = BTreeMap::from([("password".to_owned(), "hunter2".to_owned())]);
        let text = format!("{:?}", Secret { values });
        assert!(text.contains("password"));
        assert!(!text.contains("hunter2"));
    }
}
