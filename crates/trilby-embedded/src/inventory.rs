//! Which components there are.

use crate::load::types::nearest;
use crate::runtime::declared;
use crate::{Error, Kind, Options, load};

/// A component, for a person to read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentInfo {
    /// Its name.
    pub name: String,
    /// Dapr's type, such as `state.sqlite`.
    pub type_name: String,
    /// What it is for.
    pub kind: Kind,
}

/// The components of a runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(Vec<ComponentInfo>);

impl Inventory {
    /// What [`Runtime::open`](crate::Runtime::open) would open, from the files alone: nothing is
    /// opened and no secret is looked up.
    ///
    /// # Errors
    ///
    /// At the first mistake in a file.
    pub fn read(options: &Options) -> Result<Self, Error> {
        let found = load::load(options)?;
        let mut inventory = Self::default();
        for described in &found.components {
            let (name, known) = (described.name().to_owned(), described.known);
            inventory.add(known.kind, name, known.name.to_owned());
        }
        for (kind, component) in found.defaults(options) {
            inventory.add(kind, component.name, component.type_name);
        }
        declared::check(&found.subscriptions, &inventory)?;
        found.policies(options, &inventory)?;
        Ok(inventory)
    }

    pub(crate) fn add(&mut self, kind: Kind, name: String, type_name: String) {
        self.0.push(ComponentInfo { name, type_name, kind });
    }

    /// All of them.
    #[must_use]
    pub fn components(&self) -> &[ComponentInfo] {
        &self.0
    }

    /// Whether there is a component of this kind and name.
    #[must_use]
    pub fn has(&self, kind: Kind, name: &str) -> bool {
        self.names(kind).contains(&name)
    }

    /// The component of a kind whose name is nearest to this one: a slip away, or the only one.
    #[must_use]
    pub fn nearest(&self, kind: Kind, name: &str) -> Option<String> {
        let names = self.names(kind);
        let only = if let [only] = names.as_slice() { Some(*only) } else { None };
        nearest(name, &names).or(only).map(str::to_owned)
    }

    fn names(&self, kind: Kind) -> Vec<&str> {
        let of_kind = self.0.iter().filter(|component| component.kind == kind);
        of_kind.map(|component| component.name.as_str()).collect()
    }
}
