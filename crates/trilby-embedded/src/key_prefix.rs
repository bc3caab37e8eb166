//! What Dapr puts before the keys of state and the names of locks, so that apps share a store.

use crate::Error;
use crate::component::Component;

/// What stands between a prefix and a key.
pub(crate) const SEPARATOR: &str = "||";

/// What the metadata `keyPrefix` names, in lower case as daprd takes it: `appid` without one.
pub(crate) fn strategy(component: &Component) -> Result<String, Error> {
    let strategy = component.get("keyPrefix").unwrap_or("appid").to_lowercase();
    check(component.shown("keyPrefix", &strategy), &strategy)
        .map_err(|message| component.mistake_in("keyPrefix", message))?;
    Ok(strategy)
}

/// Refuses a key that could pass for one with another prefix. The error is daprd's text.
pub(crate) fn check_key(key: &str) -> Result<(), String> {
    check(key, key)
}

fn check(shown: &str, text: &str) -> Result<(), String> {
    if text.contains(SEPARATOR) {
        return Err(format!("input key/keyPrefix '{shown}' can't contain '{SEPARATOR}'"));
    }
    Ok(())
}
