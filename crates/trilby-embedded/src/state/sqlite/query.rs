//! What follows the `?` of a connection string.

use percent_encoding::percent_decode_str;

use crate::Error;
use crate::component::{Component, HIDDEN};

/// The parameters of a connection string. Those that begin with `_` are for daprd's driver; the
/// others are SQLite's own.
#[derive(Default)]
pub(super) struct Query {
    pub(super) native: Vec<String>,
    pub(super) pragmas: Vec<(String, String)>,
    pub(super) in_memory: bool,
    pub(super) read_only: bool,
}

impl Query {
    pub(super) fn parse(component: &Component, text: &str) -> Result<Self, Error> {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match (name, value.as_ref()) {
                ("_txlock", "immediate") => {}
                ("_txlock", other) => tracing::warn!(
                    component = component.name,
                    "_txlock={} has no effect: transactions are always immediate",
                    shown(component, other)
                ),
                ("_pragma", pragma) => query.pragmas.push(parse_pragma(component, pragma)?),
                // One connection has nothing to share.
                ("cache", _) => {}
                ("mode", "memory") => query.in_memory = true,
                (name, _) if name.starts_with('_') => tracing::warn!(
                    component = component.name,
                    "{} in the connection string has no effect",
                    shown(component, name)
                ),
                _ => {
                    query.read_only |=
                        matches!((name, value.as_ref()), ("mode", "ro") | ("immutable", "1"));
                    query.native.push(pair.to_owned());
                }
            }
        }
        Ok(query)
    }
}

/// What a message may show of a connection string: nothing, if it comes from a secret store.
fn shown<'a>(component: &Component, text: &'a str) -> &'a str {
    let is_secret = component.is_secret("connectionString") || component.is_secret("url");
    if is_secret { HIDDEN } else { text }
}

fn parse_pragma(component: &Component, pragma: &str) -> Result<(String, String), Error> {
    let parsed = pragma.strip_suffix(')').and_then(|pragma| pragma.split_once('('));
    let parsed = parsed.or_else(|| pragma.split_once('='));
    let Some((name, value)) = parsed.filter(|(name, value)| is_word(name) && is_word(value)) else {
        return Err(component.mistake_in(
            "connectionString",
            format!(
                "`_pragma={}` in the connection string must have the form NAME(VALUE)",
                shown(component, pragma)
            ),
        ));
    };
    let instead = match name.to_ascii_lowercase().as_str() {
        "busy_timeout" => "; use the metadata `busyTimeout`",
        "journal_mode" => "; use the metadata `disableWAL`",
        "foreign_keys" => "",
        _ => return Ok((name.to_owned(), value.to_owned())),
    };
    Err(component.mistake_in(
        "connectionString",
        format!(
            "found forbidden option '_pragma={}' in the connection string{instead}",
            shown(component, name)
        ),
    ))
}

/// Letters, digits and `_` only: safe as a part of SQL.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
