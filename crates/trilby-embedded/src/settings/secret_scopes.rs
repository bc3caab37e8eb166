//! Which secrets the app may read: `spec.secrets.scopes` of a `Configuration`.

use std::collections::{BTreeMap, BTreeSet};

use trilby_dapr::{Code, Error, Result};

/// The scopes of secret stores by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretScopes(pub(crate) BTreeMap<String, SecretScope>);

/// What of a store may be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecretScope {
    /// Where its store is named in the file, from 1.
    pub(crate) line: usize,
    pub(crate) is_denied_by_default: bool,
    pub(crate) allowed: BTreeSet<String>,
    pub(crate) denied: BTreeSet<String>,
}

impl SecretScopes {
    /// Whether a secret of a store may be read. A store without a scope is open.
    pub(crate) fn is_allowed(&self, store: &str, key: &str) -> bool {
        self.0.get(store).is_none_or(|scope| scope.is_allowed(key))
    }

    /// Refuses a secret that may not be read, in daprd's words.
    pub(crate) fn check(&self, store: &str, key: &str) -> Result<()> {
        if self.is_allowed(store, key) {
            return Ok(());
        }
        let message = format!("access denied by policy to get {key:?} from {store:?}");
        Err(Error::new(Code::PermissionDenied, message).with_reason("ERR_PERMISSION_DENIED"))
    }
}

impl SecretScope {
    /// daprd's order: a list of what is allowed decides alone; then what is denied; then the
    /// default.
    fn is_allowed(&self, key: &str) -> bool {
        if !self.allowed.is_empty() {
            return self.allowed.contains(key);
        }
        !self.denied.contains(key) && !self.is_denied_by_default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_what_is_allowed_comes_first() {
        for (is_denied_by_default, allowed, denied, expected) in [
            (false, "", "", [true, true, true]),
            (true, "", "", [false, false, false]),
            (false, "", "b", [true, false, true]),
            (true, "", "b", [false, false, false]),
            (false, "a b", "b", [true, true, false]),
            (true, "a", "", [true, false, false]),
        ] {
            let set = |names: &str| names.split_whitespace().map(str::to_owned).collect();
            let scope = SecretScope {
                line: 1,
                is_denied_by_default,
                allowed: set(allowed),
                denied: set(denied),
            };
            let found = ["a", "b", "c"].map(|key| scope.is_allowed(key));
            assert_eq!(found, expected, "{is_denied_by_default} {allowed} {denied}");
        }
    }

    #[test]
    fn a_refusal_has_daprds_words() {
        let scope = SecretScope { is_denied_by_default: true, ..SecretScope::default() };
        let scopes = SecretScopes(BTreeMap::from([("vault".to_owned(), scope)]));
        scopes.check("other", "token").unwrap();
        let error = scopes.check("vault", "token").unwrap_err();
        assert_eq!(error.message, "access denied by policy to get \"token\" from \"vault\"");
        assert_eq!((error.code, &*error.reason), (Code::PermissionDenied, "ERR_PERMISSION_DENIED"));
    }
}
