//! `secretstores.local.env`: every environment variable is a secret, except Dapr's own.

use std::collections::BTreeMap;

use trilby_dapr::secret::Secret;

use super::single;
use crate::component::Component;

/// The variables that may be read. With the metadata `prefix`, those that begin with it, named
/// without it.
pub(super) fn read(
    component: &Component,
    env: &BTreeMap<String, String>,
) -> BTreeMap<String, Secret> {
    let prefix = component.get("prefix").unwrap_or_default();
    env.iter()
        .filter(|(name, _)| is_allowed(name))
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), single(name, value.clone())))
        .collect()
}

/// Dapr's own variables hold the tokens with which daprd and the app trust each other.
fn is_allowed(name: &str) -> bool {
    let name = name.to_uppercase();
    name != "APP_API_TOKEN" && !name.starts_with("DAPR_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str) -> Vec<String> {
        let variables = ["A", "APP_API_TOKEN", "app_api_token", "DAPR_API_TOKEN", "Dapr_x", "S_B"];
        let env = variables.map(|name| (name.to_owned(), "hunter2".to_owned()));
        let component =
            Component::for_test("env", "secretstores.local.env", &[("prefix", prefix)], 1);
        read(&component, &BTreeMap::from(env)).into_keys().collect()
    }

    #[test]
    fn daprs_own_variables_stay_hidden() {
        assert_eq!(names(""), ["A", "S_B"]);
    }

    #[test]
    fn a_prefix_chooses_and_is_taken_away() {
        assert_eq!(names("S_"), ["B"]);
        assert_eq!(names("S_B"), [""; 0]);
        // The whole name decides, not what is left of it.
        assert_eq!(names("DAPR_"), [""; 0]);
        assert_eq!(names("APP_"), [""; 0]);
    }
}
