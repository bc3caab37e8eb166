//! Component files: from folders of YAML to descriptions in which every mistake was found.
//!
//! In the order in which a file flows: [`folder`] reads it, [`node`] parses it, [`document`] tells
//! its kind, a module for each kind and [`fields`] check its shape, [`describe`] and [`types`] know
//! what may be in a component, and [`resolve`] puts secrets and environment variables in their
//! places.

mod configuration;
mod describe;
mod document;
mod endpoint;
mod fields;
mod folder;
mod node;
mod resiliency;
mod resolve;
pub(crate) mod subscription;
#[cfg(test)]
mod tests;
pub(crate) mod types;

use std::path::Path;

use self::describe::describe;
use self::document::{Description, Document};
use self::subscription::DeclaredSubscription;
use crate::component::Component;
use crate::resiliency::{DeclaredResiliency, Policies};
use crate::settings::Settings;
use crate::{Error, Inventory, Kind, Options, defaults};

pub(crate) use self::describe::Described;
pub(crate) use self::endpoint::{DeclaredEndpoint, Endpoint};
pub(crate) use self::fields::mistake;
pub(crate) use self::resolve::{Context, Lookup};
pub(crate) use self::types::nearest;

/// What the files of some folders describe.
#[derive(Default)]
pub(crate) struct Found {
    /// The components that are for this app, in the order of folders, file names and documents.
    pub(crate) components: Vec<Described>,
    /// The names of those whose `scopes` leave it out.
    pub(crate) of_other_apps: Vec<String>,
    /// The subscriptions that are for this app, in the same order.
    pub(crate) subscriptions: Vec<DeclaredSubscription>,
    /// The settings, if a file has any for this app.
    pub(crate) settings: Settings,
    /// The servers outside Dapr that are for this app.
    pub(crate) endpoints: Vec<DeclaredEndpoint>,
    /// The resiliencies that are for this app.
    pub(crate) resiliencies: Vec<DeclaredResiliency>,
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

    /// The policies for what is called.
    ///
    /// # Errors
    ///
    /// When a resiliency names what is not there, or the settings limit a secret store that is not.
    pub(crate) fn policies(
        &self,
        options: &Options,
        inventory: &Inventory,
    ) -> Result<Policies, Error> {
        self.check_secret_scopes(inventory)?;
        let mut apps = vec![options.app_id.as_str()];
        apps.extend(options.apps.keys().map(String::as_str));
        apps.extend(self.endpoints.iter().map(|endpoint| endpoint.name.as_str()));
        Policies::of(&self.resiliencies, inventory, &apps)
    }

    /// A scope of a store whose name is a slip of the pen would not be in force.
    fn check_secret_scopes(&self, inventory: &Inventory) -> Result<(), Error> {
        let Some((_, file, _)) = &self.settings.place else {
            return Ok(());
        };
        let scopes = &self.settings.secrets.0;
        let stores = inventory.components().iter().filter(|info| info.kind == Kind::SecretStore);
        let free = stores.map(|info| info.name.as_str()).filter(|name| !scopes.contains_key(*name));
        let free: Vec<&str> = free.collect();
        for (store, scope) in scopes {
            let is_there = inventory.has(Kind::SecretStore, store);
            if let Some(near) = nearest(store, &free).filter(|_| !is_there) {
                let message = format!("there is no secret store `{store}`; did you mean `{near}`?");
                return Err(mistake(file, scope.line, message));
            }
        }
        Ok(())
    }
}

/// Reads all component files, and the file of settings that the options name.
///
/// # Errors
///
/// When a folder or file cannot be read, or at the first mistake in one.
pub(crate) fn load(options: &Options) -> Result<Found, Error> {
    let mut found = Found::default();
    for folder in &options.components {
        for file in folder::files(folder)? {
            found.read(&file, &options.app_id)?;
        }
    }
    if let Some(file) = &options.configuration {
        found.read(file, &options.app_id)?;
    }
    Ok(found)
}

impl Found {
    fn read(&mut self, file: &Path, app_id: &str) -> Result<(), Error> {
        for document in parse(file, &folder::read(file)?)? {
            match document {
                Document::Component(description) => self.component(description, app_id)?,
                Document::Configuration(settings) => self.settings(*settings, app_id)?,
                Document::Endpoint(declared) => self.endpoint(declared, app_id)?,
                Document::Resiliency(declared) => self.resiliency(declared, app_id),
                Document::Subscription(declared) => self.subscription(declared, app_id)?,
            }
        }
        Ok(())
    }

    fn component(&mut self, description: Description, app_id: &str) -> Result<(), Error> {
        if is_left_out(app_id, &description.scopes, "component", &description.name.text) {
            self.of_other_apps.push(description.name.text);
            return Ok(());
        }
        let component = describe(description)?;
        refuse_double(&self.components, &component)?;
        self.components.push(component);
        Ok(())
    }

    fn settings(&mut self, settings: Settings, app_id: &str) -> Result<(), Error> {
        let Some((name, file, line)) = &settings.place else {
            return Ok(());
        };
        if is_left_out(app_id, &settings.scopes, "configuration", name) {
            return Ok(());
        }
        if let Some((first, first_file, first_line)) = &self.settings.place {
            let message = format!(
                "there is a configuration for this app already, `{first}` at {}:{first_line}; an \
                 app has one: make one of both, or give them `scopes`",
                first_file.display(),
            );
            return Err(mistake(file, *line, message));
        }
        self.settings = settings;
        Ok(())
    }

    fn endpoint(&mut self, declared: DeclaredEndpoint, app_id: &str) -> Result<(), Error> {
        if is_left_out(app_id, &declared.scopes, "HTTP endpoint", &declared.name) {
            return Ok(());
        }
        if let Some(first) = self.endpoints.iter().find(|other| other.name == declared.name) {
            let place = (first.file.as_path(), first.line);
            let new = (declared.file.as_path(), declared.line);
            return Err(double("an HTTP endpoint", &first.name, place, new));
        }
        self.endpoints.push(declared);
        Ok(())
    }

    fn resiliency(&mut self, declared: DeclaredResiliency, app_id: &str) {
        if !is_left_out(app_id, &declared.scopes, "resiliency", &declared.name) {
            self.resiliencies.push(declared);
        }
    }

    fn subscription(&mut self, declared: DeclaredSubscription, app_id: &str) -> Result<(), Error> {
        if is_left_out(app_id, &declared.scopes, "subscription", &declared.name) {
            return Ok(());
        }
        if let Some(first) = self.subscriptions.iter().find(|other| other.name == declared.name) {
            let place = (first.file.as_path(), first.line);
            let new = (declared.file.as_path(), declared.line);
            return Err(double("a subscription", &first.name, place, new));
        }
        self.subscriptions.push(declared);
        Ok(())
    }
}

/// Whether the scopes of a resource leave this app out; the log says so.
fn is_left_out(app_id: &str, scopes: &[String], kind: &str, name: &str) -> bool {
    let is_for = scopes.is_empty() || scopes.iter().any(|scope| scope == app_id);
    if !is_for {
        tracing::info!(kind, name, app = app_id, "left out: its scopes do not name this app");
    }
    !is_for
}

/// The resources in the text of a file.
fn parse(file: &Path, text: &str) -> Result<Vec<Document>, Error> {
    let documents = node::parse(text).map_err(|error| mistake(file, error.line, error.message))?;
    let described = documents.into_iter().map(|node| document::read(file, node));
    described.filter_map(Result::transpose).collect()
}

fn refuse_double(components: &[Described], new: &Described) -> Result<(), Error> {
    let Some(first) = components.iter().find(|component| component.name() == new.name()) else {
        return Ok(());
    };
    let place = |of: &Described| (of.description.file.clone(), of.description.line);
    let ((first_file, first_line), (file, line)) = (place(first), place(new));
    Err(double("a component", new.name(), (&first_file, first_line), (&file, line)))
}

/// A name that is taken; the places are those of the first that has it, and of the new one.
fn double(what: &str, name: &str, first: (&Path, usize), new: (&Path, usize)) -> Error {
    let message = format!(
        "there is {what} `{name}` already, at {}:{}; give one of them another name",
        first.0.display(),
        first.1,
    );
    mistake(new.0, new.1, message)
}
