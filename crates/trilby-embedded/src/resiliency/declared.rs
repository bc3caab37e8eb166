//! What a file of the kind `Resiliency` declares.

use std::path::PathBuf;
use std::time::Duration;

use super::breaker::Settings;
use super::retry::Retry;

/// A name, and where it stands in its file, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// One document.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredResiliency {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// The app ids it is for; empty for all.
    pub(crate) scopes: Vec<String>,
    pub(crate) timeouts: Vec<(Name, Duration)>,
    pub(crate) retries: Vec<(Name, Retry)>,
    pub(crate) breakers: Vec<(Name, Settings)>,
    pub(crate) apps: Vec<(Name, AppTarget)>,
    pub(crate) actors: Vec<(Name, PolicyNames)>,
    pub(crate) components: Vec<(Name, ComponentTarget)>,
}

/// The policies of a target, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyNames {
    pub(crate) timeout: Option<Name>,
    pub(crate) retry: Option<Name>,
    pub(crate) breaker: Option<Name>,
}

/// The policies for calls of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AppTarget {
    pub(crate) policies: PolicyNames,
    /// How many of the app's methods have a breaker of their own at a time.
    pub(crate) breakers_max: Option<usize>,
}

/// The policies of a component, both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ComponentTarget {
    /// For what the component brings to the app.
    pub(crate) inbound: PolicyNames,
    /// For what the app asks of the component.
    pub(crate) outbound: PolicyNames,
}
