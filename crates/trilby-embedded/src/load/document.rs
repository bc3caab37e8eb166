//! One YAML document: a subscription, or a component's description before its references are
//! resolved.

use std::path::{Path, PathBuf};

use super::fields::{Fields, Text, list, mistake};
use super::node::{Entry, Node, Value};
use super::subscription::{self, DeclaredSubscription};
use super::types::nearest;
use crate::Error;

const API_VERSION: &str = "dapr.io/v1alpha1";
const COMPONENT: &str = "Component";
const SUBSCRIPTION: &str = "Subscription";

/// A document that the embedded runtime uses.
pub(super) enum Document {
    Component(Description),
    Subscription(DeclaredSubscription),
}

/// A component as its file describes it.
pub(super) struct Description {
    pub(super) file: PathBuf,
    /// Where the document begins, from 1.
    pub(super) line: usize,
    pub(super) name: Text,
    pub(super) type_name: Text,
    pub(super) version: Option<Text>,
    pub(super) ignore_errors: bool,
    pub(super) items: Vec<Item>,
    /// The secret store that `secretKeyRef` reads from.
    pub(super) secret_store: Option<Text>,
    /// The app ids it is for; empty for all.
    pub(super) scopes: Vec<String>,
}

/// A metadata name and where its value comes from.
pub(crate) struct Item {
    pub(super) name: Text,
    pub(super) from: From,
}

/// Where a metadata value comes from.
pub(super) enum From {
    Value(String),
    Environment(Text),
    Secret { name: Text, key: Option<Text> },
}

/// Reads a document. `None` for a resource of another kind: the embedded runtime does not use it,
/// and says so.
pub(super) fn read(file: &Path, node: Node) -> Result<Option<Document>, Error> {
    let kind = kind(file, &node)?;
    match kind.text.as_str() {
        COMPONENT => component(file, node).map(|component| Some(Document::Component(component))),
        SUBSCRIPTION => {
            let subscription = subscription::read(file, node)?;
            Ok(Some(Document::Subscription(subscription)))
        }
        other => {
            if let Some(near) = nearest(other, &[COMPONENT, SUBSCRIPTION]) {
                let message = format!("there is no kind `{other}`; did you mean `{near}`?");
                return Err(mistake(file, kind.line, message));
            }
            tracing::warn!(
                file = %file.display(),
                line = kind.line,
                kind = other,
                "skipped: the embedded runtime does not use this kind of resource yet"
            );
            Ok(None)
        }
    }
}

fn component(file: &Path, node: Node) -> Result<Description, Error> {
    let line = node.line;
    let known = ["apiVersion", "kind", "metadata", "spec", "auth", "scopes"];
    let mut top = Fields::open(file, "a component", node, &known)?;
    let version = top.required("apiVersion")?;
    if version.text != API_VERSION {
        let message = format!("`apiVersion` must be {API_VERSION}; this is `{}`", version.text);
        return Err(mistake(file, version.line, message));
    }
    let name = top.name()?;
    let scopes = top.scopes()?;
    let secret_store = match top.take("auth") {
        None => None,
        Some(node) => Fields::open(file, "`auth`", node, &["secretStore"])?.text("secretStore")?,
    };
    let Some(spec) = top.take("spec") else {
        return Err(mistake(file, line, "a component needs `spec`"));
    };
    let known = ["type", "version", "ignoreErrors", "initTimeout", "metadata"];
    let mut spec = Fields::open(file, "`spec`", spec, &known)?;
    // There is nothing here that takes long to open, so `initTimeout` has no effect.
    spec.text("initTimeout")?;
    Ok(Description {
        file: file.to_owned(),
        line,
        name,
        type_name: spec.required("type")?,
        version: spec.text("version")?.filter(|version| !version.text.is_empty()),
        ignore_errors: spec.flag("ignoreErrors")?,
        items: items(file, &mut spec)?,
        secret_store: secret_store.filter(|store| !store.text.is_empty()),
        scopes,
    })
}

/// What the document says it is.
fn kind(file: &Path, node: &Node) -> Result<Text, Error> {
    let Value::Map(entries) = &node.value else {
        let message = format!("a component must be a map; this is {}", node.value.what());
        return Err(mistake(file, node.line, message));
    };
    let Some(Entry { node: kind, .. }) = entries.iter().find(|entry| entry.key == "kind") else {
        let message =
            format!("this is no Dapr resource: it needs `kind`, such as `kind: {COMPONENT}`");
        return Err(mistake(file, node.line, message));
    };
    let Value::Text(found) = &kind.value else {
        let message = format!("`kind` must be a text; this is {}", kind.value.what());
        return Err(mistake(file, kind.line, message));
    };
    Ok(Text { text: found.clone(), line: kind.line })
}

fn items(file: &Path, spec: &mut Fields<'_>) -> Result<Vec<Item>, Error> {
    let mut items: Vec<Item> = Vec::new();
    for node in spec.list("metadata")? {
        let item = item(file, node)?;
        let name = &item.name.text;
        let first = items.iter().find(|other| other.name.text.eq_ignore_ascii_case(name));
        if let Some(first) = first {
            let message =
                format!("`{name}` is here already, on line {}; keep one", first.name.line);
            return Err(mistake(file, item.name.line, message));
        }
        items.push(item);
    }
    Ok(items)
}

fn item(file: &Path, node: Node) -> Result<Item, Error> {
    let sources = ["value", "secretKeyRef", "envRef"];
    let known = ["name", "value", "secretKeyRef", "envRef"];
    let mut fields = Fields::open(file, "a metadata item", node, &known)?;
    let name = fields.required("name")?;
    let value = fields.take("value");
    let secret = fields.take("secretKeyRef");
    let variable = fields.text("envRef")?;
    let from = match (value, secret, variable) {
        (None, None, None) => From::Value(String::new()),
        (Some(value), None, None) => From::Value(value.value.into_text()),
        (None, None, Some(variable)) => From::Environment(variable),
        (None, Some(secret), None) => {
            let mut secret = Fields::open(file, "`secretKeyRef`", secret, &["name", "key"])?;
            From::Secret { name: secret.required("name")?, key: secret.text("key")? }
        }
        _ => {
            let message = format!("`{}` must have only one of {}", name.text, list(&sources));
            return Err(mistake(file, fields.line(), message));
        }
    };
    Ok(Item { name, from })
}
