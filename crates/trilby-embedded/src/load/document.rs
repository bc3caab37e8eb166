//! One YAML document: of which kind it is, and a component's description before its references
//! are resolved.

use std::path::{Path, PathBuf};

use super::endpoint::{self, DeclaredEndpoint};
use super::fields::{Fields, Text, list, mistake};
use super::node::{Entry, Node, Value};
use super::subscription::{self, DeclaredSubscription};
use super::types::nearest;
use super::{configuration, resiliency};
use crate::Error;
use crate::resiliency::DeclaredResiliency;
use crate::settings::Settings;

const COMPONENT: &str = "Component";

/// The kinds of resource that are read.
const KINDS: [&str; 5] = [COMPONENT, "Configuration", "HTTPEndpoint", "Resiliency", "Subscription"];

/// A document that the embedded runtime uses.
pub(super) enum Document {
    Component(Description),
    Configuration(Box<Settings>),
    Endpoint(DeclaredEndpoint),
    Resiliency(DeclaredResiliency),
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

/// A name and where its value comes from.
#[derive(Debug)]
pub(crate) struct Item {
    pub(super) name: Text,
    pub(super) from: From,
}

/// Where a value comes from.
#[derive(Debug)]
pub(super) enum From {
    Value(String),
    Environment(Text),
    Secret { name: Text, key: Option<Text> },
}

/// Reads a document. `None` for a resource of another kind: the embedded runtime does not use it,
/// and says so.
pub(super) fn read(file: &Path, node: Node) -> Result<Option<Document>, Error> {
    let kind = kind(file, &node)?;
    Ok(Some(match kind.text.as_str() {
        COMPONENT => Document::Component(component(file, node)?),
        "Configuration" => Document::Configuration(Box::new(configuration::read(file, node)?)),
        "HTTPEndpoint" => Document::Endpoint(endpoint::read(file, node)?),
        "Resiliency" => Document::Resiliency(resiliency::read(file, node)?),
        "Subscription" => Document::Subscription(subscription::read(file, node)?),
        other => {
            if let Some(near) = nearest(other, &KINDS) {
                let message = format!("there is no kind `{other}`; did you mean `{near}`?");
                return Err(mistake(file, kind.line, message));
            }
            tracing::warn!(
                file = %file.display(),
                line = kind.line,
                kind = other,
                "skipped: the embedded runtime does not use this kind of resource"
            );
            return Ok(None);
        }
    }))
}

fn component(file: &Path, node: Node) -> Result<Description, Error> {
    let line = node.line;
    let known = ["apiVersion", "kind", "metadata", "spec", "auth", "scopes"];
    let mut top = Fields::open(file, "a component", node, &known)?;
    top.api_version()?;
    let name = top.name()?;
    let scopes = top.scopes()?;
    let secret_store = top.secret_store()?;
    let known = ["type", "version", "ignoreErrors", "initTimeout", "metadata"];
    let mut spec = top.needed("spec", &known)?;
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
        secret_store,
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
        let item = item(file, "a metadata item", node)?;
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

/// A name and where its value comes from; `what` it is, for messages.
pub(super) fn item(file: &Path, what: &'static str, node: Node) -> Result<Item, Error> {
    let sources = ["value", "secretKeyRef", "envRef"];
    let known = ["name", "value", "secretKeyRef", "envRef"];
    let mut fields = Fields::open(file, what, node, &known)?;
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
