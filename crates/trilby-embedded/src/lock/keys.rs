//! The names of locks: Dapr's `lock||<prefix>||<resource>`.

use crate::Error;
use crate::component::Component;
use crate::key_prefix::{SEPARATOR, check_key, strategy};

/// What a store puts before each resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPrefix(String);

impl KeyPrefix {
    /// The prefix that the metadata `keyPrefix` names: `appid` (the default), `name` of the store,
    /// `none`, or a text of one's own, which daprd lower-cases. Unlike state, locks know no
    /// `namespace`.
    pub(super) fn of(component: &Component, app_id: &str) -> Result<Self, Error> {
        let strategy = strategy(component)?;
        let prefix = match strategy.as_str() {
            "none" => "",
            "name" => component.name.as_str(),
            "appid" => app_id,
            own => own,
        };
        let separator = if prefix.is_empty() { "" } else { SEPARATOR };
        Ok(Self(format!("lock{SEPARATOR}{prefix}{separator}")))
    }

    /// The lock's name for an app's resource. The error is daprd's text.
    pub(super) fn apply(&self, resource: &str) -> Result<String, String> {
        check_key(resource)?;
        Ok(format!("{}{resource}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_follows_the_strategy() {
        for (strategy, expected) in [
            ("", "lock||app||r"),
            ("AppId", "lock||app||r"),
            ("name", "lock||locks||r"),
            ("none", "lock||r"),
            ("Shared", "lock||shared||r"),
        ] {
            let metadata = [("keyPrefix", strategy)];
            let component = Component::for_test("locks", "lock.in-memory", &metadata, 1);
            let prefix = KeyPrefix::of(&component, "app").unwrap();
            assert_eq!(prefix.apply("r").as_deref(), Ok(expected), "{strategy}");
        }
        let component = Component::for_test("locks", "lock.in-memory", &[("keyPrefix", "a||b")], 1);
        assert_eq!(
            KeyPrefix::of(&component, "app").unwrap_err().to_string(),
            "c.yaml:1: input key/keyPrefix 'a||b' can't contain '||'"
        );
    }
}
