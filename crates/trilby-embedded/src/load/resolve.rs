//! References in metadata and headers: secrets, environment variables, and Dapr's placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Described;
use super::document::{From, Item};
use super::fields::{Text, mistake};
use crate::Error;
use crate::component::Component;

/// What references are resolved against.
pub(crate) struct Context<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) env: &'a BTreeMap<String, String>,
    /// Looks up the value `key` of the secret `name` in a store: `(store, name, key)`.
    pub(crate) secrets: &'a dyn Fn(&str, &str, &str) -> Lookup,
}

/// What a secret store has.
pub(crate) enum Lookup {
    Found(String),
    /// The store has no such secret, or the secret no such key.
    NoSecret,
    /// There is no such store; the one that may have been meant.
    NoStore(Option<String>),
}

impl Described {
    /// The component, with every reference replaced by what it refers to.
    ///
    /// # Errors
    ///
    /// When a secret, its store or an environment variable is missing.
    pub(crate) fn resolve(&self, context: &Context<'_>) -> Result<Component, Error> {
        let owner = Owner {
            file: &self.description.file,
            secret_store: self.description.secret_store.as_ref(),
        };
        let mut metadata = BTreeMap::new();
        let mut metadata_lines = BTreeMap::new();
        let mut secret_names = BTreeSet::new();
        for item in &self.description.items {
            let value = owner.value(item, context)?;
            let value = owner.replace(value, &item.name, context)?;
            metadata.insert(item.name.text.clone(), value);
            metadata_lines.insert(item.name.text.clone(), item.name.line);
            if matches!(item.from, From::Secret { .. }) {
                secret_names.insert(item.name.text.clone());
            }
        }
        Ok(Component {
            name: self.name().to_owned(),
            type_name: self.known.name.to_owned(),
            metadata,
            metadata_lines,
            secret_names,
            file: self.description.file.clone(),
            line: self.description.line,
        })
    }
}

/// The resource that references are in.
pub(super) struct Owner<'a> {
    pub(super) file: &'a Path,
    /// Where its secrets are.
    pub(super) secret_store: Option<&'a Text>,
}

impl Owner<'_> {
    /// What an item's value is, or refers to.
    pub(super) fn value(&self, item: &Item, context: &Context<'_>) -> Result<String, Error> {
        match &item.from {
            From::Value(value) => Ok(value.clone()),
            From::Environment(variable) => self.variable(variable, context.env),
            From::Secret { name, key } => self.secret(name, key.as_ref(), context),
        }
    }

    /// The runtime's own settings and tokens are out of reach, as in daprd.
    fn variable(&self, variable: &Text, env: &BTreeMap<String, String>) -> Result<String, Error> {
        let file = self.file;
        let name = variable.text.as_str();
        let upper = name.to_ascii_uppercase();
        if upper.starts_with("DAPR_") || upper == "APP_API_TOKEN" {
            let message =
                format!("`envRef` may not name `{name}`: it belongs to the runtime; use another");
            return Err(mistake(file, variable.line, message));
        }
        env.get(name).cloned().ok_or_else(|| {
            let message = format!("the environment has no `{name}`; set it, or use `value`");
            mistake(file, variable.line, message)
        })
    }

    fn secret(
        &self,
        name: &Text,
        key: Option<&Text>,
        context: &Context<'_>,
    ) -> Result<String, Error> {
        let file = self.file;
        let Some(store) = self.secret_store else {
            let message = "`secretKeyRef` needs to know where the secret is; add at the top level \
                           of this resource:\nauth:\n  secretStore: NAME-OF-A-SECRET-STORE";
            return Err(mistake(file, name.line, message));
        };
        // Dapr takes the secret's own name when there is no key.
        let key_name = key.map(|key| key.text.as_str()).filter(|key| !key.is_empty());
        let key_name = key_name.unwrap_or(&name.text);
        match (context.secrets)(&store.text, &name.text, key_name) {
            Lookup::Found(value) => Ok(value),
            Lookup::NoSecret => {
                let message = format!(
                    "the secret store `{}` has no secret `{}` with the key `{key_name}`",
                    store.text, name.text
                );
                Err(mistake(file, name.line, message))
            }
            Lookup::NoStore(near) => {
                let hint =
                    near.map_or_else(String::new, |near| format!("did you mean `{near}`? Or "));
                let message = format!(
                    "there is no secret store `{}`; {hint}add a component of that name with the \
                     type secretstores.local.file or secretstores.local.env",
                    store.text
                );
                Err(mistake(file, store.line, message))
            }
        }
    }

    /// Dapr's placeholders `{uuid}`, `{appID}`, `{namespace}` and `{podName}`.
    fn replace(
        &self,
        mut value: String,
        name: &Text,
        context: &Context<'_>,
    ) -> Result<String, Error> {
        if !value.contains('{') {
            return Ok(value);
        }
        while value.contains("{uuid}") {
            value = value.replacen("{uuid}", &uuid::Uuid::new_v4().to_string(), 1);
        }
        if value.contains("{podName}") {
            let pod = context.env.get("POD_NAME").map_or("", String::as_str);
            if pod.is_empty() {
                let message = format!(
                    "`{}` has {{podName}}, but the environment has no `POD_NAME`; set it",
                    name.text
                );
                return Err(mistake(self.file, name.line, message));
            }
            value = value.replace("{podName}", pod);
        }
        let namespace = context.env.get("NAMESPACE").map_or("default", String::as_str);
        let namespace = format!("{namespace}.{}", context.app_id);
        Ok(value.replace("{namespace}", &namespace).replace("{appID}", context.app_id))
    }
}
