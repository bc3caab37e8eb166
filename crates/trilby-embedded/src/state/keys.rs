//! The keys under which a store keeps the app's keys: Dapr's `<prefix>||<key>`.

use std::collections::BTreeMap;

use trilby_dapr::{Code, Error, Result};

use crate::component::Component;
use crate::key_prefix::{SEPARATOR, check_key, strategy};

/// What a store puts before each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPrefix(Option<String>);

impl KeyPrefix {
    /// The prefix that the metadata `keyPrefix` names: `appid` (the default), `name` of the store,
    /// `namespace` of the environment, `none`, or a text of one's own, which daprd lower-cases.
    pub(super) fn of(
        component: &Component,
        app_id: &str,
        env: &BTreeMap<String, String>,
    ) -> std::result::Result<Self, crate::Error> {
        let strategy = strategy(component)?;
        let prefix = match strategy.as_str() {
            "none" => None,
            "name" => Some(component.name.clone()),
            "appid" => Some(app_id.to_owned()).filter(|id| !id.is_empty()),
            "namespace" => match env.get("NAMESPACE").filter(|namespace| !namespace.is_empty()) {
                Some(namespace) if !app_id.is_empty() => Some(format!("{namespace}.{app_id}")),
                _ => Some(app_id.to_owned()).filter(|id| !id.is_empty()),
            },
            _ => Some(strategy),
        };
        Ok(Self(prefix))
    }

    /// The store's key for an app's key.
    pub(super) fn apply(&self, key: &str) -> Result<String> {
        check_key(key).map_err(|message| {
            Error::new(Code::InvalidArgument, message).with_reason("DAPR_STATE_ILLEGAL_KEY")
        })?;
        Ok(match &self.0 {
            Some(prefix) => format!("{prefix}{SEPARATOR}{key}"),
            None => key.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::component;

    #[test]
    fn the_prefix_follows_the_strategy() {
        let env = BTreeMap::from([("NAMESPACE".to_owned(), "prod".to_owned())]);
        let cases = [
            (None, "app||k"),
            (Some("appid"), "app||k"),
            (Some("name"), "store||k"),
            (Some("None"), "k"),
            (Some("namespace"), "prod.app||k"),
            (Some("Shared"), "shared||k"),
        ];
        for (strategy, expected) in cases {
            let metadata: Vec<_> = strategy.into_iter().map(|value| ("keyPrefix", value)).collect();
            let prefix =
                KeyPrefix::of(&component("state.in-memory", &metadata), "app", &env).unwrap();
            assert_eq!(prefix.apply("k").unwrap(), expected, "{strategy:?}");
        }
        let namespace = component("state.in-memory", &[("keyPrefix", "namespace")]);
        let prefix = KeyPrefix::of(&namespace, "app", &BTreeMap::new()).unwrap();
        assert_eq!(prefix.apply("k").unwrap(), "app||k");
    }

    #[test]
    fn the_separator_is_refused_in_keys_and_in_the_prefix() {
        let env = BTreeMap::new();
        let prefix = KeyPrefix::of(&component("state.in-memory", &[]), "app", &env).unwrap();
        let error = prefix.apply("a||b").unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument);
        assert_eq!(error.reason, "DAPR_STATE_ILLEGAL_KEY");
        assert_eq!(error.message, "input key/keyPrefix 'a||b' can't contain '||'");
        let bad = component("state.in-memory", &[("keyPrefix", "a||b")]);
        let error = KeyPrefix::of(&bad, "app", &env).unwrap_err();
        assert_eq!(
            error.to_string(),
            "components/state.yaml:3: input key/keyPrefix 'a||b' can't contain '||'"
        );
        let mut secret = bad;
        secret.secret_names.insert("keyPrefix".to_owned());
        let error = KeyPrefix::of(&secret, "app", &env).unwrap_err();
        assert_eq!(
            error.to_string(),
            "components/state.yaml:3: input key/keyPrefix '(from a secret)' can't contain '||'"
        );
    }
}
