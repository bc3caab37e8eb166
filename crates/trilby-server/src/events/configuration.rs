//! A change of configuration, in daprd's JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::outcome::Outcome;

/// What a key holds now; both are empty when it was deleted.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) struct Change {
    #[serde(default)]
    pub(super) value: String,
    #[serde(default)]
    pub(super) version: String,
}

#[derive(Deserialize)]
struct Changes {
    items: BTreeMap<String, Option<Change>>,
}

/// Reads the change of `key`. Where a key has a character that daprd's path loses, the one item there
/// is is meant.
pub(super) fn read(body: &[u8], key: &str) -> Result<Change, Outcome> {
    const NO_CHANGE: Outcome = Outcome::BadRequest("the body is no change of configuration\n");
    let mut changes: Changes = serde_json::from_slice(body).map_err(|_| NO_CHANGE)?;
    if let Some(change) = changes.items.remove(key) {
        return Ok(change.unwrap_or_default());
    }
    match changes.items.pop_first() {
        Some((_, change)) if changes.items.is_empty() => Ok(change.unwrap_or_default()),
        _ => Err(NO_CHANGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_change_is_found() {
        let change = |value: &str, version: &str| {
            Some(Change { value: value.into(), version: version.into() })
        };
        let table = [
            (r#"{"id":"u","items":{"k":{"value":"v1","version":"4"}}}"#, change("v1", "4")),
            (r#"{"items":{"k":{"value":"v","version":"","metadata":{}}}}"#, change("v", "")),
            (r#"{"items":{"a":{"value":"x"},"k":{"value":"v"}}}"#, change("v", "")),
            // Deleted.
            (r#"{"items":{"k":{}}}"#, change("", "")),
            (r#"{"items":{"k":null}}"#, change("", "")),
            (r#"{"items":{"k?":{"value":"v"}}}"#, change("v", "")),
            (r#"{"items":{"a":{},"b":{}}}"#, None),
            (r#"{"items":{}}"#, None),
            ("{}", None),
            ("", None),
        ];
        for (body, expected) in table {
            assert_eq!(read(body.as_bytes(), "k").ok(), expected, "{body}");
        }
    }
}
