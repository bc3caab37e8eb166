//! What the embedded runtime has: component types and the metadata they know.

use crate::{Kind, redis};

/// A component type.
pub(crate) struct Type {
    /// Dapr's name for it.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The metadata names of this type; those of its kind come on top.
    metadata: &'static [&'static str],
}

/// Where a table of ours is, and how to open its file: named as for `state.sqlite`.
const SQLITE: &[&str] = &[
    "connectionString",
    "url",
    "tableName",
    "timeout",
    "timeoutInSeconds",
    "busyTimeout",
    "disableWAL",
];

const TYPES: &[Type] = &[
    Type { name: "bindings.cron", kind: Kind::InputBinding, metadata: &["schedule"] },
    Type {
        name: "bindings.http",
        kind: Kind::OutputBinding,
        metadata: &[
            "url",
            "responseTimeout",
            "maxResponseBodySize",
            "errorIfNot2XX",
            "securityToken",
            "securityTokenHeader",
            "MTLSRootCA",
            "MTLSClientCert",
            "MTLSClientKey",
            "MTLSRenegotiation",
        ],
    },
    Type {
        name: "bindings.localstorage",
        kind: Kind::OutputBinding,
        metadata: &["rootPath", "fileName"],
    },
    Type {
        name: "configuration.in-memory",
        kind: Kind::Configuration,
        metadata: &["items", "file"],
    },
    Type { name: "configuration.redis", kind: Kind::Configuration, metadata: &[] },
    Type { name: "configuration.sqlite", kind: Kind::Configuration, metadata: SQLITE },
    Type { name: "conversation.echo", kind: Kind::Conversation, metadata: &[] },
    Type { name: "crypto.dapr.localstorage", kind: Kind::Crypto, metadata: &["path"] },
    Type { name: "lock.in-memory", kind: Kind::Lock, metadata: &[] },
    Type { name: "lock.redis", kind: Kind::Lock, metadata: &[] },
    Type { name: "lock.sqlite", kind: Kind::Lock, metadata: SQLITE },
    Type { name: "pubsub.in-memory", kind: Kind::Pubsub, metadata: &[] },
    Type { name: "secretstores.local.env", kind: Kind::SecretStore, metadata: &["prefix"] },
    Type {
        name: "secretstores.local.file",
        kind: Kind::SecretStore,
        metadata: &["secretsFile", "nestedSeparator", "multiValued"],
    },
    Type { name: "state.in-memory", kind: Kind::State, metadata: &[] },
    Type { name: "state.redis", kind: Kind::State, metadata: &["ttlInSeconds", "queryIndexes"] },
    Type {
        name: "state.sqlite",
        kind: Kind::State,
        metadata: &[
            "connectionString",
            "url",
            "tableName",
            "metadataTableName",
            "timeout",
            "timeoutInSeconds",
            "busyTimeout",
            "disableWAL",
            "cleanupInterval",
            "cleanupIntervalInSeconds",
        ],
    },
];

/// The type of this name. Dapr compares type names without case; `state.sqlite3` is its other
/// name for `state.sqlite`.
pub(crate) fn find(name: &str) -> Option<&'static Type> {
    let name = if name.eq_ignore_ascii_case("state.sqlite3") { "state.sqlite" } else { name };
    TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// The names of all types.
pub(crate) fn names() -> Vec<&'static str> {
    TYPES.iter().map(|known| known.name).collect()
}

impl Type {
    /// Every metadata name that a component of this type may have.
    pub(crate) fn metadata(&self) -> Vec<&'static str> {
        let of_the_kind: &[&str] = match self.kind {
            Kind::State => &[
                "keyPrefix",
                "actorStateStore",
                "outboxPublishPubsub",
                "outboxPublishTopic",
                "outboxPubsub",
                "outboxDiscardWhenMissingState",
                "primaryEncryptionKey",
                "secondaryEncryptionKey",
            ],
            Kind::Pubsub => &[
                "consumerID",
                "allowedTopics",
                "publishingScopes",
                "subscriptionScopes",
                "protectedTopics",
            ],
            Kind::InputBinding | Kind::OutputBinding => &["direction", "route"],
            Kind::Lock => &["keyPrefix"],
            Kind::SecretStore | Kind::Configuration | Kind::Crypto | Kind::Conversation => &[],
        };
        let of_redis = if self.name.ends_with(".redis") { redis::METADATA } else { &[] };
        [self.metadata, of_the_kind, of_redis].concat()
    }
}

/// The longest slip of the pen that is still taken for the name it is near to, in edits.
const SLIP_EDITS_MAX: usize = 2;

/// The known name that `name` was most likely meant to be, if it is near enough to one.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    let near = known
        .iter()
        .map(|known| (strsim::osa_distance(&name, &known.to_ascii_lowercase()), *known))
        .min_by_key(|(edits, _)| *edits)?;
    // A short name is near to anything.
    (near.0 <= SLIP_EDITS_MAX && near.0 < name.chars().count()).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_without_case_and_by_their_other_name() {
        let name = |text| find(text).map(|found| found.name);
        assert_eq!(name("State.SQLite"), Some("state.sqlite"));
        assert_eq!(name("state.sqlite3"), Some("state.sqlite"));
        assert_eq!(name("state.postgresql"), None);
    }

    #[test]
    fn a_slip_is_recognised_and_a_different_name_is_not() {
        let known = ["connectionString", "tableName", "url"];
        assert_eq!(nearest("connectionStirng", &known), Some("connectionString"));
        assert_eq!(nearest("TABLENAM", &known), Some("tableName"));
        assert_eq!(nearest("maxConns", &known), None);
        assert_eq!(nearest("x", &known), None);
    }
}
