//! Configuration: values that operators change while the app runs.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{CallContext, Metadata, Result};

/// Configuration stores.
#[async_trait]
pub trait Configuration: Send + Sync {
    /// Reads keys; those that are missing are not in the answer. No keys means all.
    async fn get_configuration(
        &self,
        cx: &CallContext,
        request: GetConfiguration,
    ) -> Result<BTreeMap<String, ConfigurationItem>>;
}

/// Reads keys of a configuration store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetConfiguration {
    /// The component's name.
    pub store: String,
    /// The keys; empty for all.
    pub keys: Vec<String>,
    /// Passed to the component.
    pub metadata: Metadata,
}

/// What a key holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationItem {
    /// The value.
    pub value: String,
    /// Its version; empty where the store has none.
    pub version: String,
    /// What the store adds.
    pub metadata: Metadata,
}
