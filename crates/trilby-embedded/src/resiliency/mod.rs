//! Resiliency: timeouts, retries and circuit breakers for what is called, as files of the kind
//! `Resiliency` have it.
//!
//! From the files to a call: `declared` is what they say, `book` knows all policies by name, and
//! [`Policies`] has for each component and app the [`Policy`] that its calls run under, made of
//! [`Retry`], [`Breaker`] and its [`Trip`]. Without a file there is no policy, and calls are made
//! once.

mod apps;
mod book;
mod breaker;
mod declared;
#[cfg(test)]
pub(crate) mod for_tests;
mod policy;
mod retry;
#[cfg(test)]
mod tests;
mod trip;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use self::apps::AppPolicy;
use self::book::{Book, Found};
use crate::load::{mistake, nearest};
use crate::{Error, Inventory, Kind};

pub(crate) use self::breaker::{Breaker, Settings};
pub(crate) use self::declared::{
    AppTarget, ComponentTarget, DeclaredResiliency, Name, PolicyNames,
};
pub(crate) use self::policy::{Fault, Policy, Stop};
pub(crate) use self::retry::{BackOff, Retry, StatusCodes, random};
pub(crate) use self::trip::Trip;

/// Policies by the names of components.
pub(crate) type ByComponent = BTreeMap<String, Arc<Policy>>;

/// The policies of everything that is called.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// For what the app asks of a component, by the component's name.
    outbound: ByComponent,
    /// For what a component brings to the app.
    inbound: Arc<ByComponent>,
    apps: BTreeMap<String, AppPolicy>,
    /// Those of the resources.
    names: Vec<String>,
}

impl Policies {
    /// The policies for these components and apps.
    ///
    /// # Errors
    ///
    /// When a target names a policy that is not there, or is itself a slip of the pen.
    pub(crate) fn of(
        all: &[DeclaredResiliency],
        inventory: &Inventory,
        apps: &[&str],
    ) -> Result<Self, Error> {
        let book = Book::of(all);
        let mut policies = Self::default();
        let mut inbound_policies = ByComponent::new();
        let mut targets: BTreeMap<&str, (Found, Found)> = BTreeMap::new();
        let mut app_targets: BTreeMap<&str, (Found, Option<usize>)> = BTreeMap::new();
        for declared in all {
            check_targets(declared, inventory, apps)?;
            for (name, target) in &declared.components {
                let outbound = book.find(&declared.file, &target.outbound)?;
                let inbound = book.find(&declared.file, &target.inbound)?;
                targets.insert(&name.text, (outbound, inbound));
            }
            for (name, target) in &declared.apps {
                let found = book.find(&declared.file, &target.policies)?;
                app_targets.insert(&name.text, (found, target.breakers_max));
            }
            for (_, names) in &declared.actors {
                book.find(&declared.file, names)?;
            }
        }
        policies.names = all.iter().map(|declared| declared.name.clone()).collect();
        for component in inventory.components() {
            let name = component.name.as_str();
            let default = |way: &str| book.default(&levels(component.kind, way));
            let target = targets.get(name).cloned();
            let found = target.unwrap_or_else(|| (default("Outbound"), default("Inbound")));
            policies.add(name, found, &mut inbound_policies);
        }
        policies.inbound = Arc::new(inbound_policies);
        for app in apps {
            let default = || (book.default(&["App".to_owned()]), None);
            let (found, breakers_max) = app_targets.get(app).cloned().unwrap_or_else(default);
            if !found.is_empty() {
                let policy = AppPolicy::new(app, found, breakers_max);
                policies.apps.insert((*app).to_owned(), policy);
            }
        }
        Ok(policies)
    }

    /// As in daprd a component has one breaker for both ways, here the outbound one where both are
    /// named.
    fn add(&mut self, name: &str, (outbound, inbound): (Found, Found), all_in: &mut ByComponent) {
        let settings = outbound.breaker.as_ref().or(inbound.breaker.as_ref());
        let breaker = settings.map(|settings| {
            let name = format!("component {name}");
            Arc::new(Breaker::new(name, settings.clone(), Instant::now()))
        });
        let policy = |found: Found| {
            let breaker = found.breaker.as_ref().and_then(|_| breaker.clone());
            let (timeout, retry) = (found.timeout, found.retry);
            Arc::new(Policy { target: format!("component {name}"), timeout, retry, breaker })
        };
        for (found, all) in [(outbound, &mut self.outbound), (inbound, all_in)] {
            if !found.is_empty() {
                all.insert(name.to_owned(), policy(found));
            }
        }
    }

    /// The names of the resources that they are from.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The policy for what the app asks of a component; `None` for a call that is made once.
    pub(crate) fn outbound(&self, component: &str) -> Option<&Arc<Policy>> {
        self.outbound.get(component)
    }

    /// The policies for what components bring to the app.
    pub(crate) fn inbound(&self) -> Arc<ByComponent> {
        Arc::clone(&self.inbound)
    }

    /// The policy for a method of an app.
    pub(crate) fn app(&self, app: &str, method: &str) -> Option<Policy> {
        self.apps.get(app).map(|policy| policy.of(method))
    }
}

/// The levels of daprd's default policies for a component, the most particular first.
fn levels(kind: Kind, way: &str) -> [String; 3] {
    let kind = match kind {
        Kind::State => "Statestore",
        Kind::Pubsub => "Pubsub",
        Kind::OutputBinding | Kind::InputBinding => "Binding",
        Kind::SecretStore => "Secretstore",
        Kind::Configuration => "Configuration",
        Kind::Lock => "Lock",
        Kind::Crypto => "Crypto",
        Kind::Conversation => "Conversation",
    };
    [format!("{kind}Component{way}"), format!("Component{way}"), "Component".to_owned()]
}

/// A target that is not there is of another app that shares the file, unless its name is near to
/// one that is there and has no target of its own.
fn check_targets(
    declared: &DeclaredResiliency,
    inventory: &Inventory,
    apps: &[&str],
) -> Result<(), Error> {
    let components: Vec<&str> =
        inventory.components().iter().map(|component| component.name.as_str()).collect();
    let targets = declared.components.iter().map(|(name, _)| name).collect();
    check_names(declared, "component", targets, &components)?;
    check_names(declared, "app", declared.apps.iter().map(|(name, _)| name).collect(), apps)
}

fn check_names(
    declared: &DeclaredResiliency,
    what: &str,
    targets: Vec<&Name>,
    known: &[&str],
) -> Result<(), Error> {
    let is_target = |name: &str| targets.iter().any(|target| target.text == name);
    let free: Vec<&str> = known.iter().copied().filter(|name| !is_target(name)).collect();
    for target in targets.iter().filter(|target| !known.contains(&target.text.as_str())) {
        let (file, name) = (&declared.file, &target.text);
        if let Some(near) = nearest(name, &free) {
            let message = format!("there is no {what} `{name}`; did you mean `{near}`?");
            return Err(mistake(file, target.line, message));
        }
        let (file, line) = (file.display(), target.line);
        tracing::info!(%file, line, target = name, "there is no {what} of this name here");
    }
    Ok(())
}
