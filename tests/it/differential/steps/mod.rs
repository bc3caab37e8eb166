//! What a client can do, over both protocols.

mod binding;
mod configuration;
mod conversation;
mod crypto;
mod invoke;
mod jobs;
mod keep;
mod lock;
mod metadata;
mod publish;
mod raw;
mod secret;
mod state;
mod state_many;
mod subscribe;

pub(super) use binding::bind;
pub(super) use configuration::{configuration, unwatch, watch};
pub(super) use conversation::converse;
pub(super) use crypto::{decrypt, encrypt, tamper};
pub(super) use invoke::invoke;
pub(super) use jobs::{delete_job, get_job, job, list_jobs, schedule};
pub(super) use keep::token;
pub(super) use lock::{lock, unlock};
pub(super) use metadata::{metadata, set_metadata};
pub(super) use publish::{Entry, entry, publish, publish_many};
pub(super) use raw::{rpc, send};
pub(super) use secret::{secret, secrets};
pub(super) use state::{delete, get, gone, item, save};
pub(super) use state_many::{bulk_delete, bulk_get, query, remove, transact, upsert};
pub(super) use subscribe::{events, next_of, subscribe};

/// Metadata of a call: name and value.
pub(super) type Pairs = Vec<(String, String)>;

/// Metadata as gRPC has it, with the case's own word in it.
fn filled(
    session: &super::session::Session,
    pairs: &Pairs,
) -> std::collections::HashMap<String, String> {
    pairs.iter().map(|(name, value)| (name.clone(), session.fill(value))).collect()
}

/// Metadata as the query of a URL, `?metadata.name=value`.
fn query_of(session: &super::session::Session, pairs: &Pairs) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(&format!("metadata.{name}={}", encoded(&session.fill(value))));
    }
    query
}

/// A segment of a path, or a value of a query.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Metadata as a JSON object.
fn object(session: &super::session::Session, pairs: &Pairs) -> String {
    let members = pairs
        .iter()
        .map(|(name, value)| format!("{}:{}", quoted(name), quoted(&session.fill(value))));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
