//! Component files: from folders of YAML to descriptions in which every mistake was found.
//!
//! In the order in which a file flows: [`folder`] reads it, [`node`] parses it, [`document`],
//! [`subscription`] and [`fields`] check its shape, [`types`] knows what may be in it, and
//! [`resolve`] puts secrets and environment variables in their places.

mod document;
mod fields;
mod folder;
mod node;
mod resolve;
pub(crate) mod subscription;
#[cfg(test)]
mod tests;
pub(crate) mod types;

use std::path::{Path, PathBuf};

use self::document::{Description, Document};
use self::fields::{list, mistake};
use self::subscription::DeclaredSubscription;
use self::types::{Type, nearest};
use crate::component::Component;
use crate::{Error, Kind, Options, defaults};

pub(crate) use self::resolve::{Context, Lookup};

/// A component of a known type. Its references are not resolved yet.
pub(crate) struct Described {
    pub(crate) known: &'static Type,
    description: Description,
}

impl Described {
    pub(crate) fn name(&self) -> &str {
        &self.description.name.text
    }

    /// Whether the runtime shall start without it when it cannot be opened (`ignoreErrors`).
    pub(crate) fn ignore_errors(&self) -> bool {
        self.description.ignore_errors
    }
}

/// What the files of some folders describe.
pub(crate) struct Found {
    /// The components that are for this app, in the order of folders, file names and documents.
    pub(crate) components: Vec<Described>,
    /// The names of those whose `scopes` leave it out.
    pub(crate) of_other_apps: Vec<String>,
    /// The subscriptions that are for this app, in the same order.
    pub(crate) subscriptions: Vec<DeclaredSubscription>,
}

impl Found {
    /// The default components that are wanted: of each kind that no file describes, but none in the
    /// place of a component that another app has.
    pub(crate) fn defaults(&self, options: &Options) -> Vec<(Kind, Component)> {
        let is_described =
            |kind: &Kind| self.components.iter().any(|described| described.known.kind == *kind);
        let wanted = options.defaults.iter().filter(|kind| !is_described(kind));
        wanted
            .filter_map(|&kind| Some((kind, defaults::component(kind, &options.data_dir)?)))
            .filter(|(_, component)| !self.of_other_apps.contains(&component.name))
            .collect()
    }
}

/// Reads all component files.
///
/// # Errors
///
/// When a folder or file cannot be read, or at the first mistake in one.
pub(crate) fn load(folders: &[PathBuf], app_id: &str) -> Result<Found, Error> {
    let mut found =
        Found { components: Vec::new(), of_other_apps: Vec::new(), subscriptions: Vec::new() };
    for folder in folders {
        for file in folder::files(folder)? {
            let text = folder::read(&file)?;
            for document in parse(&file, &text)? {
                match document {
                    Document::Component(description) => found.component(description, app_id)?,
                    Document::Subscription(declared) => found.subscription(declared, app_id)?,
                }
            }
        }
    }
    Ok(found)
}

impl Found {
    fn component(&mut self, description: Description, app_id: &str) -> Result<(), Error> {
        if !is_for(app_id, &description.scopes) {
            let name = description.name.text;
            tracing::info!(
                component = name,
                app = app_id,
                "left out: its scopes do not name this app"
            );
            self.of_other_apps.push(name);
            return Ok(());
        }
        let component = describe(description)?;
        refuse_double(&self.components, &component)?;
        self.components.push(component);
        Ok(())
    }

    fn subscription(&mut self, declared: DeclaredSubscription, app_id: &str) -> Result<(), Error> {
        if !is_for(app_id, &declared.scopes) {
            tracing::info!(
                subscription = declared.name,
                app = app_id,
                "left out: its scopes do not name this app"
            );
            return Ok(());
        }
        if let Some(first) = self.subscriptions.iter().find(|other| other.name == declared.name) {
            let message = format!(
                "there is a subscription `{}` already, at {}:{}; give one of them another name",
                first.name,
                first.file.display(),
                first.line,
            );
            return Err(mistake(&declared.file, declared.line, message));
        }
        self.subscriptions.push(declared);
        Ok(())
    }
}

fn is_for(app_id: &str, scopes: &[String]) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope == app_id)
}

/// The components and subscriptions in the text of a file.
fn parse(file: &Path, text: &str) -> Result<Vec<Document>, Error> {
    let documents = node::parse(text).map_err(|error| mistake(file, error.line, error.message))?;
    let described = documents.into_iter().map(|node| document::read(file, node));
    described.filter_map(Result::transpose).collect()
}

fn describe(description: Description) -> Result<Described, Error> {
    let file = &description.file;
    let type_name = &description.type_name;
    let known = types::find(&type_name.text).ok_or_else(|| {
        let names = types::names();
        let hint = nearest(&type_name.text, &names)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        mistake(
            file,
            type_name.line,
            format!(
                "the embedded runtime has no type `{}`{hint}\n  = help: it has {}\n  = help: a \
                 daprd sidecar has the other types and reads this file as it is",
                type_name.text,
                list(&names),
            ),
        )
    })?;
    // Dapr counts `v0` as the first version too.
    if let Some(version) = &description.version
        && !["v1", "v0"].iter().any(|v| version.text.eq_ignore_ascii_case(v))
    {
        let message = format!("{} has the version v1, not `{}`", known.name, version.text);
        return Err(mistake(file, version.line, message));
    }
    check_names(&description, known)?;
    Ok(Described { known, description })
}

/// A slip in a metadata name is an error: the setting would silently not be in force. Other
/// unknown names are settings of a newer daprd, or notes.
fn check_names(description: &Description, known: &Type) -> Result<(), Error> {
    let names = known.metadata();
    for item in &description.items {
        let name = &item.name.text;
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        if let Some(near) = nearest(name, &names) {
            let message =
                format!("{} has no metadata `{name}`; did you mean `{near}`?", known.name);
            return Err(mistake(&description.file, item.name.line, message));
        }
        tracing::warn!(
            file = %description.file.display(),
            line = item.name.line,
            "the embedded {} does not know the metadata `{name}`; it has no effect",
            known.name,
        );
    }
    Ok(())
}

fn refuse_double(components: &[Described], new: &Described) -> Result<(), Error> {
    let Some(first) = components.iter().find(|component| component.name() == new.name()) else {
        return Ok(());
    };
    let message = format!(
        "there is a component `{}` already, at {}:{}; give one of them another name",
        new.name(),
        first.description.file.display(),
        first.description.line,
    );
    Err(mistake(&new.description.file, new.description.line, message))
}
