//! Secret stores: environment variables (`secretstores.local.env`) and a JSON file
//! (`secretstores.local.file`), both read once, when the component is opened.

mod env;
mod file;

use std::collections::BTreeMap;
use std::fmt;

use trilby_dapr::secret::{GetSecret, Secret};

use crate::component::Component;
use crate::{Error, refusals};

/// One secret store.
pub(crate) struct SecretStore {
    name: String,
    secrets: BTreeMap<String, Secret>,
    missing: Missing,
    is_multi_valued: bool,
}

/// What a store answers for a secret that it does not have.
enum Missing {
    /// An empty value: an unset environment variable is an empty one to daprd.
    Empty,
    Refused,
}

impl SecretStore {
    /// Opens a `secretstores.local.env` over `env`, or a `secretstores.local.file`.
    pub(crate) fn open(
        component: &Component,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let (secrets, missing) = match component.type_name.as_str() {
            "secretstores.local.env" => (env::read(component, env), Missing::Empty),
            "secretstores.local.file" => (file::read(component)?, Missing::Refused),
            other => {
                return Err(component.mistake(format!(
                    "`{other}` is no secret store of the embedded runtime; it has \
                     secretstores.local.env and secretstores.local.file"
                )));
            }
        };
        let is_multi_valued =
            component.type_name == "secretstores.local.file" && component.flag("multiValued");
        Ok(Self { name: component.name.clone(), secrets, missing, is_multi_valued })
    }

    /// One secret, with daprd's answers for one that is not there.
    pub(crate) fn get(&self, request: &GetSecret) -> trilby_dapr::Result<Secret> {
        let key = &request.key;
        match (self.secrets.get(key), &self.missing) {
            (Some(secret), _) => Ok(secret.clone()),
            (None, Missing::Empty) => Ok(single(key, String::new())),
            (None, Missing::Refused) => {
                Err(refusals::secret(key, &self.name, format!("secret {key} not found")))
            }
        }
    }

    /// All secrets: what [`Self::get`] gives for each name that the store knows.
    pub(crate) fn get_all(&self) -> BTreeMap<String, Secret> {
        self.secrets.clone()
    }

    /// Whether a secret may have several values.
    pub(crate) fn is_multi_valued(&self) -> bool {
        self.is_multi_valued
    }

    /// A value for a component's `secretKeyRef`, whose `key` may be left out for a secret that has
    /// only one value.
    pub(crate) fn lookup(&self, name: &str, key: &str) -> Option<String> {
        let key = if key.is_empty() { name } else { key };
        self.secrets.get(name)?.values.get(key).cloned()
    }
}

/// Shows the number of secrets, neither their names nor their values.
impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretStore")
            .field("name", &self.name)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// A secret with one value, named as the secret.
fn single(name: &str, value: String) -> Secret {
    Secret { values: BTreeMap::from([(name.to_owned(), value)]) }
}

#[cfg(test)]
mod tests {
    use trilby_dapr::Code;

    use super::*;

    fn store(missing: Missing) -> SecretStore {
        let pair = [("user".to_owned(), "ada".to_owned()), ("pass".to_owned(), "hunter2".into())];
        let secrets = BTreeMap::from([
            ("token".to_owned(), single("token", "hunter2".to_owned())),
            ("db".to_owned(), Secret { values: BTreeMap::from(pair) }),
        ]);
        SecretStore { name: "vault".to_owned(), secrets, missing, is_multi_valued: false }
    }

    fn get(store: &SecretStore, key: &str) -> trilby_dapr::Result<Secret> {
        store.get(&GetSecret { key: key.to_owned(), ..GetSecret::default() })
    }

    #[test]
    fn a_missing_secret_is_answered_as_daprd_does() {
        assert_eq!(get(&store(Missing::Empty), "x").unwrap(), single("x", String::new()));
        let error = get(&store(Missing::Refused), "x").unwrap_err();
        assert_eq!(error.code, Code::Internal);
        assert_eq!(
            error.message,
            "failed getting secret with key x from secret store vault: secret x not found"
        );
    }

    #[test]
    fn all_secrets_are_those_that_can_be_read_singly() {
        let store = store(Missing::Empty);
        let all = store.get_all();
        assert_eq!(all.keys().collect::<Vec<_>>(), ["db", "token"]);
        for (key, secret) in all {
            assert_eq!(get(&store, &key).unwrap(), secret, "{key}");
        }
    }

    #[test]
    fn references_find_values() {
        let store = store(Missing::Refused);
        for (name, key, value) in [
            ("token", "token", Some("hunter2")),
            ("token", "", Some("hunter2")),
            ("db", "user", Some("ada")),
            ("db", "", None),
            ("token", "other", None),
            ("other", "other", None),
        ] {
            assert_eq!(store.lookup(name, key).as_deref(), value, "{name} {key}");
        }
    }

    #[test]
    fn debug_output_hides_values() {
        let text = format!("{:?}", store(Missing::Refused));
        assert!(text.contains("vault") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn other_types_are_refused() {
        let component = Component::for_test("vault", "secretstores.hashicorp.vault", &[], 3);
        let error = SecretStore::open(&component, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.starts_with("c.yaml:3: `secretstores.hashicorp.vault`"), "{error}");
    }
}
