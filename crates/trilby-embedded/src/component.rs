//! A component as its file describes it, with every reference resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::Error;

/// What messages show instead of a secret.
pub(crate) const HIDDEN: &str = "(from a secret)";

/// One component.
#[derive(Clone)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// Dapr's type, such as `state.sqlite`.
    pub(crate) type_name: String,
    /// Value by name; secrets are already in their places. Dapr compares names without case.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Where each metadata name stands in the file, from 1; empty for a component without a file.
    pub(crate) metadata_lines: BTreeMap<String, usize>,
    /// The metadata names whose values come from a secret store, and are not for messages.
    pub(crate) secret_names: BTreeSet<String>,
    pub(crate) file: PathBuf,
    /// Where the component begins in the file, from 1.
    pub(crate) line: usize,
}

impl Component {
    /// The value of a metadata name; an empty value counts as absent, as in Dapr.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.metadata.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A value that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| {
            self.mistake(format!("a {} needs the metadata `{name}`", self.type_name))
        })
    }

    /// A boolean as Dapr reads them: `y`, `yes`, `true`, `t`, `on` and `1` are true, all else is
    /// false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_true)
    }

    /// Whether the value of a metadata name comes from a secret store.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.secret_names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// What a message may show of the value of a metadata name: `text`, which is that value or a
    /// part of it, unless it is secret.
    pub(crate) fn shown<'a>(&self, name: &str, text: &'a str) -> &'a str {
        if self.is_secret(name) { HIDDEN } else { text }
    }

    /// An error that points at a metadata name, or at the component where it has no such line.
    pub(crate) fn mistake_in(&self, name: &str, message: impl Into<String>) -> Error {
        let mut lines = self.metadata_lines.iter();
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        let line = found.map_or(self.line, |(_, line)| *line);
        Error::Component { file: self.file.clone(), line, message: message.into() }
    }

    /// An error that points at this component.
    pub(crate) fn mistake(&self, message: impl Into<String>) -> Error {
        Error::Component { file: self.file.clone(), line: self.line, message: message.into() }
    }
}

/// Whether Dapr takes a text for a true flag.
pub(crate) fn is_true(text: &str) -> bool {
    let truths = ["y", "yes", "true", "t", "on", "1"];
    truths.iter().any(|truth| text.trim().eq_ignore_ascii_case(truth))
}

#[cfg(test)]
impl Component {
    /// A component as if from line `line` of `c.yaml`.
    pub(crate) fn for_test(
        name: &str,
        type_name: &str,
        metadata: &[(&str, &str)],
        line: usize,
    ) -> Self {
        let metadata = metadata.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Self {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            metadata: metadata.collect(),
            metadata_lines: BTreeMap::new(),
            secret_names: BTreeSet::new(),
            file: "c.yaml".into(),
            line,
        }
    }
}

/// Shows names only: values may be secrets.
impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.name)
            .field("type_name", &self.type_name)
            .field("metadata", &self.metadata.keys())
            .finish_non_exhaustive()
    }
}
