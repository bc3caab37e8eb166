//! One YAML document of kind `Subscription`: which topic's events go to which of the app's paths.
//!
//! Both versions of it: v1alpha1 with one `route`, v2alpha1 with `routes`. As in daprd, `scopes`
//! stands at the top level, a bulk size or time that is not above zero means the default, and a
//! path without its `/` gets one. daprd takes keys in any case and ignores those it does not know;
//! here both are mistakes, as in component files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use trilby_dapr::Condition;
use trilby_dapr::subscription::Bulk;

use super::fields::{Fields, mistake, text};
use super::node::{Node, Value};
use super::types::nearest;
use crate::Error;

/// The versions, with what each has in `spec` for the way of an event.
const VERSIONS: [(&str, &str); 2] = [("dapr.io/v2alpha1", "routes"), ("dapr.io/v1alpha1", "route")];

/// The metadata that says whether events are anything but CloudEvents.
const RAW_PAYLOAD: &str = "rawPayload";

/// A subscription as its file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeclaredSubscription {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// Where the document begins, from 1.
    pub(crate) line: usize,
    /// The pub/sub component.
    pub(crate) pubsub: String,
    pub(crate) topic: String,
    /// Conditions and the paths they lead to, in the order in which they are asked.
    pub(crate) rules: Vec<(Condition, String)>,
    /// The path for events to which no rule applies.
    pub(crate) default: Option<String>,
    /// Where events go that cannot be delivered.
    pub(crate) dead_letter_topic: Option<String>,
    /// Present if events are delivered several at once.
    pub(crate) bulk: Option<Bulk>,
    /// What the component is told about the subscription.
    pub(crate) metadata: BTreeMap<String, String>,
    /// The app ids it is for; empty for all.
    pub(crate) scopes: Vec<String>,
}

/// Reads a document of which the kind is known.
pub(super) fn read(file: &Path, node: Node) -> Result<DeclaredSubscription, Error> {
    let line = node.line;
    let known = ["apiVersion", "kind", "metadata", "spec", "scopes"];
    let mut top = Fields::open(file, "a subscription", node, &known)?;
    let version = top.required("apiVersion")?;
    let Some((_, route_key)) = VERSIONS.iter().find(|(name, _)| *name == version.text) else {
        let [(new, _), (old, _)] = VERSIONS;
        let message = format!("`apiVersion` must be {new} or {old}; this is `{}`", version.text);
        return Err(mistake(file, version.line, message));
    };
    let name = top.name()?;
    let scopes = top.scopes()?;
    let Some(spec) = top.take("spec") else {
        return Err(mistake(file, line, "a subscription needs `spec`"));
    };
    let known = ["pubsubname", "topic", route_key, "deadLetterTopic", "bulkSubscribe", "metadata"];
    let mut spec = Fields::open(file, "`spec`", spec, &known)?;
    let pubsub = spec.required("pubsubname")?.text;
    let topic = spec.required("topic")?.text;
    let (rules, default) = if *route_key == "route" {
        (Vec::new(), Some(path(&spec.required("route")?.text)))
    } else {
        routes(file, &mut spec)?
    };
    let dead_letter_topic = spec.text("deadLetterTopic")?.map(|topic| topic.text);
    Ok(DeclaredSubscription {
        name: name.text,
        file: file.to_owned(),
        line,
        pubsub,
        topic,
        rules,
        default,
        dead_letter_topic: dead_letter_topic.filter(|topic| !topic.is_empty()),
        bulk: bulk(file, &mut spec)?,
        metadata: metadata(file, &mut spec)?,
        scopes,
    })
}

type Routes = (Vec<(Condition, String)>, Option<String>);

fn routes(file: &Path, spec: &mut Fields<'_>) -> Result<Routes, Error> {
    let needed = "needs `default`, a path, or `rules`, a list of `match` and `path`";
    let Some(node) = spec.take("routes") else {
        return Err(mistake(file, spec.line(), format!("`spec` needs `routes`, which {needed}")));
    };
    let mut routes = Fields::open(file, "`routes`", node, &["rules", "default"])?;
    let rules = routes.list("rules")?.into_iter().map(|node| rule(file, node));
    let rules = rules.collect::<Result<Vec<_>, Error>>()?;
    let default = routes.text("default")?.filter(|default| !default.text.is_empty());
    if rules.is_empty() && default.is_none() {
        return Err(mistake(file, routes.line(), format!("`routes` {needed}")));
    }
    Ok((rules, default.map(|default| path(&default.text))))
}

fn rule(file: &Path, node: Node) -> Result<(Condition, String), Error> {
    let line = node.line;
    let mut rule = Fields::open(file, "a rule", node, &["match", "path"])?;
    let (condition, line) = rule
        .text("match")?
        .map_or_else(|| (String::new(), line), |condition| (condition.text, condition.line));
    let condition = Condition::parse(&condition)
        .map_err(|error| mistake(file, line, format!("in `match`: {error}")))?;
    Ok((condition, path(&rule.required("path")?.text)))
}

/// The path as it is posted to.
fn path(text: &str) -> String {
    if text.starts_with('/') { text.to_owned() } else { format!("/{text}") }
}

fn bulk(file: &Path, spec: &mut Fields<'_>) -> Result<Option<Bulk>, Error> {
    let Some(node) = spec.take("bulkSubscribe") else {
        return Ok(None);
    };
    let known = ["enabled", "maxMessagesCount", "maxAwaitDurationMs"];
    let mut bulk = Fields::open(file, "`bulkSubscribe`", node, &known)?;
    let enabled = bulk.flag("enabled")?;
    let max_messages = above_zero(file, &mut bulk, "maxMessagesCount")?;
    let max_await_ms = above_zero(file, &mut bulk, "maxAwaitDurationMs")?;
    let default = Bulk::default();
    let max_await = max_await_ms.map(|ms| Duration::from_millis(ms.into()));
    Ok(enabled.then_some(Bulk {
        max_messages: max_messages.unwrap_or(default.max_messages),
        max_await: max_await.unwrap_or(default.max_await),
    }))
}

/// A number of 32 bits; `None` for the default.
fn above_zero(file: &Path, bulk: &mut Fields<'_>, key: &str) -> Result<Option<u32>, Error> {
    let Some(Node { value, line }) = bulk.take(key) else {
        return Ok(None);
    };
    let number = match &value {
        Value::Number(text) => text.parse::<i32>().ok(),
        _ => None,
    };
    let Some(number) = number else {
        let max = i32::MAX;
        return Err(mistake(file, line, format!("`{key}` must be a whole number up to {max}")));
    };
    Ok(u32::try_from(number).ok().filter(|number| *number > 0))
}

fn metadata(file: &Path, spec: &mut Fields<'_>) -> Result<BTreeMap<String, String>, Error> {
    let Some(node) = spec.take("metadata") else {
        return Ok(BTreeMap::new());
    };
    let mut metadata = BTreeMap::new();
    let Value::Map(entries) = node.value else {
        let message = format!("`metadata` must be a map; this is {}", node.value.what());
        return Err(mistake(file, node.line, message));
    };
    for entry in entries {
        if entry.key != RAW_PAYLOAD && nearest(&entry.key, &[RAW_PAYLOAD]).is_some() {
            let message =
                format!("there is no metadata `{}`; did you mean `{RAW_PAYLOAD}`?", entry.key);
            return Err(mistake(file, entry.line, message));
        }
        let value = text(file, &entry.key, entry.node)?.text;
        if entry.key == RAW_PAYLOAD && !value.is_empty() && !is_go_bool(&value) {
            let message = format!("`{RAW_PAYLOAD}` must be true or false; this is `{value}`");
            return Err(mistake(file, entry.line, message));
        }
        if metadata.insert(entry.key.clone(), value).is_some() {
            let message = format!("the key `{}` is here already; keep one", entry.key);
            return Err(mistake(file, entry.line, message));
        }
    }
    Ok(metadata)
}

/// Whether Go's `strconv.ParseBool` reads it, as daprd does.
fn is_go_bool(text: &str) -> bool {
    let texts = ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"];
    texts.contains(&text)
}
