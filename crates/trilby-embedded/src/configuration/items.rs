//! The values of a configuration store as text.
//!
//! JSON or YAML: a map of keys to values, or to maps with `value`, `version` and `metadata`. A value
//! `v||3` is the value `v` in version `3`, as in Dapr's `configuration.redis`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trilby_dapr::Metadata;
use trilby_dapr::configuration::ConfigurationItem;

/// Items by key.
pub(super) type Items = BTreeMap<String, ConfigurationItem>;

/// Keys of a store.
pub(super) const KEYS_MAX: usize = 10_000;

/// Between a value and its version.
const SEPARATOR: &str = "||";

/// The items, if they could be read. Otherwise all stays as it is, and each problem is told once:
/// `problem` is the one before.
pub(super) fn news(
    read: Result<Items, String>,
    problem: &mut Option<String>,
    tell: impl FnOnce(&str),
) -> Option<Items> {
    match read {
        Ok(items) => {
            *problem = None;
            Some(items)
        }
        Err(found) => {
            if problem.as_ref() != Some(&found) {
                tell(&found);
            }
            *problem = Some(found);
            None
        }
    }
}

/// Reads items. The error says what is wrong, and names keys but no values.
pub(super) fn parse(text: &str) -> Result<Items, String> {
    if text.trim().is_empty() {
        return Ok(Items::new());
    }
    // A `y` is a text here, and no truth.
    let options = serde_saphyr::options! { strict_booleans: true };
    let entries = serde_saphyr::from_str_with_options::<Map<String, Value>>(text, options);
    let entries = entries.map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        format!("a map of keys to values is wanted; this is none, see line {line}")
    })?;
    if entries.len() > KEYS_MAX {
        return Err(format!("there are {} keys; at most {KEYS_MAX} may be", entries.len()));
    }
    entries.into_iter().map(|(key, value)| Ok((key.clone(), item(&key, value)?))).collect()
}

/// A value that may have its version behind it.
pub(super) fn versioned(text: &str) -> ConfigurationItem {
    let (value, version) = text.split_once(SEPARATOR).unwrap_or((text, ""));
    let (value, version) = (value.to_owned(), version.to_owned());
    ConfigurationItem { value, version, metadata: Metadata::new() }
}

fn item(key: &str, value: Value) -> Result<ConfigurationItem, String> {
    if key.is_empty() {
        return Err("a key is empty; give it a name".to_owned());
    }
    let Value::Object(mut fields) = value else {
        let text = scalar(key, value)?;
        return Ok(versioned(&text));
    };
    let mut take = |name: &str| fields.remove(name).map(|value| scalar(key, value)).transpose();
    let value = take("value")?.ok_or_else(|| {
        format!("`{key}` has no `value`; a key has a text, or a map with `value`")
    })?;
    let version = take("version")?.unwrap_or_default();
    let metadata = match fields.remove("metadata") {
        None => Metadata::new(),
        Some(Value::Object(metadata)) => metadata
            .into_iter()
            .map(|(name, value)| Ok((name, scalar(key, value)?)))
            .collect::<Result<Metadata, String>>()?,
        Some(_) => return Err(format!("the `metadata` of `{key}` must be a map")),
    };
    if let Some(name) = fields.keys().next() {
        return Err(format!("`{key}` has `{name}`; it may have `value`, `version` and `metadata`"));
    }
    Ok(ConfigurationItem { value, version, metadata })
}

fn scalar(key: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(value) => Ok(value.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => {
            Err(format!("`{key}` holds a list or a map; write it as a text"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_json_and_yaml() {
        let item = |value: &str, version: &str, metadata: &[(&str, &str)]| ConfigurationItem {
            value: value.to_owned(),
            version: version.to_owned(),
            metadata: metadata.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
        };
        let expected = Items::from([
            ("a".to_owned(), item("x", "", &[])),
            ("b".to_owned(), item("y", "3", &[])),
            ("c".to_owned(), item("1", "", &[])),
            ("d".to_owned(), item("true", "7", &[("m", "n")])),
            ("e".to_owned(), item("", "", &[])),
        ]);
        let json = r#"{"a": "x", "b": "y||3", "c": 1, "e": null,
            "d": {"value": true, "version": 7, "metadata": {"m": "n"}}}"#;
        assert_eq!(parse(json).unwrap(), expected);
        let yaml = "a: x\nb: y||3\nc: 1\nd:\n  value: true\n  version: 7\n  metadata: {m: n}\n\
                    e:\n";
        assert_eq!(parse(yaml).unwrap(), expected);
        assert_eq!(parse(" \n"), Ok(Items::new()));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, message) in [
            ("[1]", "a map of keys to values is wanted; this is none, see line 1"),
            ("a: 1\nb: [", "a map of keys to values is wanted; this is none, see line 2"),
            ("a: [1]", "`a` holds a list or a map; write it as a text"),
            ("a: {version: 1}", "`a` has no `value`; a key has a text, or a map with `value`"),
            ("a: {value: 1, v: 2}", "`a` has `v`; it may have `value`, `version` and `metadata`"),
            ("a: {value: 1, metadata: 2}", "the `metadata` of `a` must be a map"),
            ("'': 1", "a key is empty; give it a name"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
        let many: String = (0..=KEYS_MAX).map(|key| format!("k{key}: 1\n")).collect();
        assert_eq!(parse(&many), Err("there are 10001 keys; at most 10000 may be".to_owned()));
    }
}
