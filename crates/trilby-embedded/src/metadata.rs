//! What the runtime says of itself: the JSON of daprd's `GET /v1.0/metadata`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use trilby_dapr::subscription::Subscription;
use trilby_dapr::{Code, Error};

use crate::{ComponentInfo, Inventory, Kind};

/// What is given for `runtimeVersion`: daprd's versions are plain numbers.
const VERSION: &str = concat!("trilby-", env!("CARGO_PKG_VERSION"));

/// Entries that may be added.
const ENTRIES_MAX: usize = 1000;

/// Bytes of one entry, its name included.
const ENTRY_BYTES_MAX: usize = 64 << 10;

/// How an app came to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionType {
    /// The app itself names it.
    Programmatic,
    /// A file of the kind `Subscription` describes it.
    Declarative,
}

/// Resources of which the metadata has the names.
#[derive(Default)]
pub(crate) struct Named<'a> {
    pub(crate) endpoints: Vec<&'a str>,
    pub(crate) resiliencies: Vec<&'a str>,
}

/// What changes while the runtime runs.
#[derive(Default)]
pub(crate) struct Metadata {
    extended: Mutex<BTreeMap<String, String>>,
    subscriptions: Mutex<Vec<(Subscription, SubscriptionType)>>,
}

impl Metadata {
    /// The subscriptions from now on.
    pub(crate) fn set_subscriptions(&self, all: Vec<(Subscription, SubscriptionType)>) {
        *lock(&self.subscriptions) = all;
    }

    /// Adds an entry or changes it. As in daprd, one without a name is left out.
    pub(crate) fn set(&self, key: String, value: String) -> trilby_dapr::Result<()> {
        if key.is_empty() {
            return Ok(());
        }
        let full = |message: String| {
            Error::new(Code::ResourceExhausted, message).with_reason("TRILBY_METADATA_FULL")
        };
        if key.len().saturating_add(value.len()) > ENTRY_BYTES_MAX {
            let kib = ENTRY_BYTES_MAX >> 10;
            return Err(full(format!("an entry of the metadata may have {kib} KiB, not more")));
        }
        let mut extended = lock(&self.extended);
        if extended.len() >= ENTRIES_MAX && !extended.contains_key(&key) {
            let message = format!("the metadata has {ENTRIES_MAX} entries; change one of them");
            return Err(full(message));
        }
        extended.insert(key, value);
        Ok(())
    }

    /// The JSON; what is empty is left out, as in daprd.
    pub(crate) fn json(
        &self,
        app_id: &str,
        inventory: &Inventory,
        named: &Named<'_>,
        capabilities: impl Fn(&ComponentInfo) -> &'static [&'static str],
    ) -> Bytes {
        let mut extended = lock(&self.extended).clone();
        extended.insert("daprRuntimeVersion".to_owned(), VERSION.to_owned());
        let components = inventory.components().iter();
        let components = components.map(|info| component(info, capabilities(info)));
        let subscriptions = lock(&self.subscriptions);
        let subscriptions = subscriptions.iter().map(|(known, of)| subscription(known, *of));
        let mut all = json!({
            "id": app_id,
            "runtimeVersion": VERSION,
            "components": components.collect::<Vec<Value>>(),
            "extended": extended,
            "subscriptions": subscriptions.collect::<Vec<Value>>(),
            "httpEndpoints": names(&named.endpoints),
            "resiliencies": names(&named.resiliencies),
            "appConnectionProperties": { "protocol": "http" },
            "actorRuntime": {
                "runtimeStatus": "DISABLED",
                "hostReady": false,
                "placement": "placement: disconnected",
            },
        });
        let may_be_empty = ["components", "subscriptions", "httpEndpoints", "resiliencies"];
        drop_empty(&mut all, &may_be_empty);
        all.to_string().into()
    }
}

fn names(all: &[&str]) -> Vec<Value> {
    all.iter().map(|name| json!({ "name": name })).collect()
}

/// What a component can do, in daprd's words. Left out is what daprd offers to its actors and
/// workflows only, which are not here.
pub(crate) fn capabilities(kind: Kind, is_multi_valued: bool) -> &'static [&'static str] {
    match kind {
        Kind::State => &["ETAG", "TRANSACTIONAL", "TTL"],
        Kind::Pubsub => &["SUBSCRIBE_WILDCARDS"],
        Kind::InputBinding => &["INPUT_BINDING"],
        Kind::OutputBinding => &["OUTPUT_BINDING"],
        Kind::SecretStore if is_multi_valued => &["MULTIPLE_KEY_VALUES_PER_SECRET"],
        Kind::SecretStore
        | Kind::Configuration
        | Kind::Lock
        | Kind::Crypto
        | Kind::Conversation => &[],
    }
}

fn component(info: &ComponentInfo, capabilities: &[&str]) -> Value {
    let mut component = json!({
        "name": info.name,
        "type": info.type_name,
        "version": "v1",
        "capabilities": capabilities,
    });
    drop_empty(&mut component, &["capabilities"]);
    component
}

fn subscription(known: &Subscription, of: SubscriptionType) -> Value {
    let rule = |path: &str, condition: Option<&str>| {
        let mut rule = Map::from_iter([("path".to_owned(), json!(path))]);
        if let Some(condition) = condition {
            rule.insert("match".to_owned(), json!(condition));
        }
        Value::Object(rule)
    };
    let rules = known.rules.iter();
    let rules = rules.map(|known| rule(&known.target.path, Some(known.condition.text())));
    let default = known.default.iter().map(|target| rule(&target.path, None));
    let mut subscription = json!({
        "pubsubname": known.pubsub,
        "topic": known.topic,
        "metadata": known.metadata,
        "rules": rules.chain(default).collect::<Vec<Value>>(),
        "deadLetterTopic": known.dead_letter_topic.as_deref().unwrap_or_default(),
        "type": match of {
            SubscriptionType::Programmatic => "PROGRAMMATIC",
            SubscriptionType::Declarative => "DECLARATIVE",
        },
    });
    drop_empty(&mut subscription, &["metadata", "rules"]);
    subscription
}

fn drop_empty(object: &mut Value, names: &[&str]) {
    let Value::Object(object) = object else { return };
    for name in names {
        let is_empty = match object.get(*name) {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(fields)) => fields.is_empty(),
            _ => false,
        };
        if is_empty {
            object.remove(*name);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
