//! Conditions of routing rules, in CEL.

use serde_json::{Map, Value};

/// A condition on an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    text: String,
}

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[non_exhaustive]
pub struct ConditionError(pub String);

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// When it is not CEL.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        Ok(Self { text: text.to_owned() })
    }

    /// The condition as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is true for an envelope.
    ///
    /// # Errors
    ///
    /// When it has no answer.
    pub fn matches(&self, _envelope: &Map<String, Value>) -> Result<bool, ConditionError> {
        Err(ConditionError("conditions cannot be evaluated yet".to_owned()))
    }
}
