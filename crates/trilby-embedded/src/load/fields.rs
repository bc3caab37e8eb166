//! Maps whose keys are known: a key that is not known, or stands twice, is an error that names
//! the nearest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use super::node::{Entry, Node, Value};
use super::types::nearest;
use crate::Error;

/// The version of all kinds of resource but the newer form of `Subscription`.
const API_VERSION: &str = "dapr.io/v1alpha1";

/// The entries of a map that are still to be taken.
pub(super) struct Fields<'a> {
    file: &'a Path,
    /// What the map is, for messages, such as "a component".
    what: Cow<'static, str>,
    /// Where the map begins.
    line: usize,
    entries: Vec<Entry>,
}

/// A text and where it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) line: usize,
}

impl<'a> Fields<'a> {
    /// The entries of `node`, which must be a map of `known` keys only.
    pub(super) fn open(
        file: &'a Path,
        what: impl Into<Cow<'static, str>>,
        node: Node,
        known: &[&str],
    ) -> Result<Self, Error> {
        let (what, line) = (what.into(), node.line);
        let Value::Map(entries) = node.value else {
            let found = node.value.what();
            return Err(mistake(file, line, format!("{what} must be a map; this is {found}")));
        };
        let fields = Self { file, what, line, entries };
        fields.check(known)?;
        Ok(fields)
    }

    fn check(&self, known: &[&str]) -> Result<(), Error> {
        for (index, entry) in self.entries.iter().enumerate() {
            let key = &entry.key;
            if !known.contains(&key.as_str()) {
                let hint = nearest(key, known).map_or_else(
                    || format!("it may have {}", list(known)),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("{} has no key `{key}`; {hint}", self.what);
                return Err(mistake(self.file, entry.line, message));
            }
            let first = self.entries.iter().take(index).find(|other| other.key == *key);
            if let Some(first) = first {
                return Err(double(self.file, entry, first.line));
            }
        }
        Ok(())
    }

    /// Where the map begins, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The value of a key; a null counts as absent.
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        let node = self.entries.swap_remove(index).node;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// The text of a key that must be there and not be empty.
    pub(super) fn required(&mut self, key: &str) -> Result<Text, Error> {
        let text = self.text(key)?.filter(|text| !text.text.is_empty());
        text.ok_or_else(|| mistake(self.file, self.line, format!("{} needs `{key}`", self.what)))
    }

    /// The text of a key, if it is there.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<Text>, Error> {
        let file = self.file;
        self.take(key).map(|node| text(file, key, node)).transpose()
    }

    /// The items of a list; empty when it is not there.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Node>, Error> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Node { value: Value::List(items), .. }) => Ok(items),
            Some(Node { value, line }) => {
                let message = format!("`{key}` must be a list; this is {}", value.what());
                Err(mistake(self.file, line, message))
            }
        }
    }

    /// The fields of a map under a key, if it is there.
    pub(super) fn map(&mut self, key: &str, known: &[&str]) -> Result<Option<Self>, Error> {
        let file = self.file;
        self.take(key).map(|node| Self::open(file, format!("`{key}`"), node, known)).transpose()
    }

    /// The fields of a map under a key that must be there.
    pub(super) fn needed(&mut self, key: &str, known: &[&str]) -> Result<Self, Error> {
        let missing = mistake(self.file, self.line, format!("{} needs `{key}`", self.what));
        self.map(key, known)?.ok_or(missing)
    }

    /// The entries of a map under a key, whose keys are names of the file's own; empty when it is
    /// not there.
    pub(super) fn entries(&mut self, key: &str) -> Result<Vec<(Text, Node)>, Error> {
        let Some(node) = self.take(key) else {
            return Ok(Vec::new());
        };
        let Value::Map(entries) = &node.value else {
            let message = format!("`{key}` must be a map; this is {}", node.value.what());
            return Err(mistake(self.file, node.line, message));
        };
        let mut lines = BTreeMap::new();
        for entry in entries {
            if let Some(first) = lines.insert(entry.key.as_str(), entry.line) {
                return Err(double(self.file, entry, first));
            }
        }
        let Value::Map(entries) = node.value else {
            return Ok(Vec::new());
        };
        let entries = entries.into_iter();
        Ok(entries.map(|entry| (Text { text: entry.key, line: entry.line }, entry.node)).collect())
    }

    /// A whole number within bounds, if it is there.
    pub(super) fn whole(
        &mut self,
        key: &str,
        within: &RangeInclusive<i64>,
    ) -> Result<Option<i64>, Error> {
        let Some(Node { value, line }) = self.take(key) else {
            return Ok(None);
        };
        let number = match &value {
            Value::Number(text) => text.parse::<i64>().ok(),
            _ => None,
        };
        let Some(number) = number.filter(|number| within.contains(number)) else {
            let (min, max) = (within.start(), within.end());
            let message = format!("`{key}` must be a whole number from {min} to {max}");
            return Err(mistake(self.file, line, message));
        };
        Ok(Some(number))
    }

    /// Dapr's first version of a resource, which must be named.
    pub(super) fn api_version(&mut self) -> Result<(), Error> {
        let version = self.required("apiVersion")?;
        if version.text == API_VERSION {
            return Ok(());
        }
        let message = format!("`apiVersion` must be {API_VERSION}; this is `{}`", version.text);
        Err(mistake(self.file, version.line, message))
    }

    /// The name in the `metadata` of a resource.
    pub(super) fn name(&mut self) -> Result<Text, Error> {
        let Some(metadata) = self.take("metadata") else {
            let message = format!("{} needs `metadata` with its `name`", self.what);
            return Err(mistake(self.file, self.line, message));
        };
        let known = ["name", "namespace", "labels", "annotations"];
        Self::open(self.file, "`metadata`", metadata, &known)?.required("name")
    }

    /// The app ids in the `scopes` of a resource.
    pub(super) fn scopes(&mut self) -> Result<Vec<String>, Error> {
        let scopes = self.list("scopes")?.into_iter();
        scopes.map(|node| Ok(text(self.file, "scopes", node)?.text)).collect()
    }

    /// The secret store in the `auth` of a resource, if it names one.
    pub(super) fn secret_store(&mut self) -> Result<Option<Text>, Error> {
        let store = match self.map("auth", &["secretStore"])? {
            None => None,
            Some(mut auth) => auth.text("secretStore")?,
        };
        Ok(store.filter(|store| !store.text.is_empty()))
    }

    /// A boolean; false when it is not there.
    pub(super) fn flag(&mut self, key: &str) -> Result<bool, Error> {
        Ok(self.optional_flag(key)?.unwrap_or(false))
    }

    /// A boolean, if it is there.
    pub(super) fn optional_flag(&mut self, key: &str) -> Result<Option<bool>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Node { value: Value::Bool(value), .. }) => Ok(Some(value)),
            Some(Node { value, line }) => {
                let message = format!("`{key}` must be true or false; this is {}", value.what());
                Err(mistake(self.file, line, message))
            }
        }
    }
}

/// A key that stands on the line `first` too.
fn double(file: &Path, entry: &Entry, first: usize) -> Error {
    let message = format!("the key `{}` is here already, on line {first}; keep one", entry.key);
    mistake(file, entry.line, message)
}

/// A scalar as text.
pub(super) fn text(file: &Path, key: &str, node: Node) -> Result<Text, Error> {
    if matches!(node.value, Value::List(_) | Value::Map(_)) {
        let message = format!("`{key}` must be a text; this is {}", node.value.what());
        return Err(mistake(file, node.line, message));
    }
    Ok(Text { line: node.line, text: node.value.into_text() })
}

/// An error that points at a line of a file.
pub(crate) fn mistake(file: &Path, line: usize, message: impl Into<String>) -> Error {
    Error::Component { file: file.to_owned(), line, message: message.into() }
}

/// Names in back quotes, for messages.
pub(super) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
