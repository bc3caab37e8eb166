//! The runtime: open components by kind and name, and the calls to them.

mod actors;
mod blocks;
mod calls;
pub(crate) mod declared;
mod local;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use trilby_dapr::subscription::{ConfigurationWatch, InputBinding, Subscription};
use trilby_dapr::{Inbound, Result};

use crate::bindings::{Cron, Output};
use crate::broker::Broker;
use crate::component::Component;
use crate::configuration::ConfigurationStore;
use crate::conversation::Echo;
use crate::crypto::LocalStorageCrypto;
use crate::deliveries::{self, Deliveries, Sources};
use crate::invoke::Apps;
use crate::jobs::Jobs;
use crate::load::subscription::DeclaredSubscription;
use crate::load::{self, Described};
use crate::lock::LockStore;
use crate::metadata::Metadata;
use crate::resiliency::Policies;
use crate::secrets::SecretStore;
use crate::settings::Settings;
use crate::state::StateStore;
use crate::{Error, Inventory, Kind, refusals};

/// What a runtime is opened with.
#[derive(Clone)]
pub struct Options {
    /// The app's id in Dapr: part of every state key, and the source of every event.
    pub app_id: String,
    /// Folders of component files.
    pub components: Vec<PathBuf>,
    /// A file of the kind `Configuration` outside the folders, as daprd's `--config` names one.
    pub configuration: Option<PathBuf>,
    /// The kinds of which there is a default component when no file describes one.
    pub defaults: Vec<Kind>,
    /// The folder of the default state store and of the jobs; made only if there are such.
    pub data_dir: PathBuf,
    /// The environment, for `envRef` and secretstores.local.env.
    pub env: BTreeMap<String, String>,
    /// Other apps that guests may invoke: the address of each, in the form `http://host:port`, by
    /// its id.
    pub apps: BTreeMap<String, String>,
}

/// Dapr's building blocks in this process.
pub struct Runtime {
    app_id: String,
    apps: Apps,
    metadata: Metadata,
    inventory: Inventory,
    states: BTreeMap<String, StateStore>,
    brokers: BTreeMap<String, Arc<Broker>>,
    outputs: BTreeMap<String, Output>,
    inputs: BTreeMap<String, Arc<Cron>>,
    secrets: BTreeMap<String, SecretStore>,
    jobs: Arc<Jobs>,
    declared: Vec<DeclaredSubscription>,
    configurations: BTreeMap<String, ConfigurationStore>,
    locks: BTreeMap<String, LockStore>,
    cryptos: BTreeMap<String, LocalStorageCrypto>,
    conversations: BTreeMap<String, Echo>,
    settings: Settings,
    policies: Policies,
}

impl Runtime {
    /// Reads the component files and opens every component that is for this app.
    ///
    /// If `defaults` asks for it: when no file describes a state store, there is `statestore`, kept
    /// in `state.db` of the data folder; when none describes a pub/sub broker, there is `pubsub`, in
    /// memory; when none describes a lock store, there is `lockstore`, in memory. None takes the place of a component of its name whose `scopes` leave this app out.
    ///
    /// # Errors
    ///
    /// At the first mistake in a file, and when a component cannot be opened, unless its file says
    /// `ignoreErrors`.
    pub fn open(options: Options) -> std::result::Result<Self, Error> {
        let found = load::load(&options)?;
        let mut runtime = Self {
            app_id: options.app_id.clone(),
            apps: Apps::open(&options)?,
            metadata: Metadata::default(),
            inventory: Inventory::default(),
            states: BTreeMap::new(),
            brokers: BTreeMap::new(),
            outputs: BTreeMap::new(),
            inputs: BTreeMap::new(),
            secrets: BTreeMap::new(),
            jobs: Arc::new(Jobs::open(Some(options.data_dir.join("jobs.db")), &options.app_id)?),
            declared: found.subscriptions.clone(),
            configurations: BTreeMap::new(),
            locks: BTreeMap::new(),
            cryptos: BTreeMap::new(),
            conversations: BTreeMap::new(),
            settings: found.settings.clone(),
            policies: Policies::default(),
        };
        // Other components' metadata may refer to secrets.
        let (stores, others): (Vec<_>, Vec<_>) = found
            .components
            .iter()
            .partition(|described| described.known.kind == Kind::SecretStore);
        for described in stores.into_iter().chain(others) {
            runtime.open_described(described, &options)?;
        }
        for (kind, component) in found.defaults(&options) {
            runtime.insert(kind, &component, &options)?;
        }
        declared::check(&runtime.declared, &runtime.inventory)?;
        runtime.policies = found.policies(&options, &runtime.inventory)?;
        runtime.open_endpoints(&found.endpoints, &options)?;
        Ok(runtime)
    }

    fn open_described(
        &mut self,
        described: &Described,
        options: &Options,
    ) -> std::result::Result<(), Error> {
        let component = self.resolved(options, |context| described.resolve(context))?;
        match self.insert(described.known.kind, &component, options) {
            Err(error) if described.ignore_errors() => {
                tracing::warn!(component = component.name, %error, "left out (ignoreErrors)");
                Ok(())
            }
            opened => opened,
        }
    }

    fn insert(
        &mut self,
        kind: Kind,
        component: &Component,
        options: &Options,
    ) -> std::result::Result<(), Error> {
        let name = component.name.clone();
        match kind {
            Kind::State => {
                let store = StateStore::open(component, &options.app_id, &options.env)?;
                self.states.insert(name, store);
            }
            Kind::Pubsub => {
                let broker = Broker::open(component, &options.app_id, &options.data_dir)?;
                self.brokers.insert(name, Arc::new(broker));
            }
            Kind::OutputBinding => {
                self.outputs.insert(name, Output::open(component)?);
            }
            Kind::InputBinding => {
                self.inputs.insert(name, Arc::new(Cron::open(component)?));
            }
            Kind::SecretStore => {
                self.secrets.insert(name, SecretStore::open(component, &options.env)?);
            }
            Kind::Configuration => {
                self.configurations.insert(name, ConfigurationStore::open(component)?);
            }
            Kind::Lock => {
                self.locks.insert(name, LockStore::open(component, &options.app_id)?);
            }
            Kind::Crypto => {
                self.cryptos.insert(name, LocalStorageCrypto::open(component)?);
            }
            Kind::Conversation => {
                self.conversations.insert(name, Echo::open(component)?);
            }
        }
        tracing::debug!(component = component.name, r#type = component.type_name, "opened");
        self.inventory.add(kind, component.name.clone(), component.type_name.clone());
        Ok(())
    }

    /// What is open: secret stores, then the others in the order of their files, then the defaults.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// Begins to bring topic events and binding triggers to `inbound`. Must be called on a tokio
    /// runtime.
    ///
    /// What comes from now on no longer goes to `instead_of`, which is then to be
    /// [retired](Deliveries::retire).
    ///
    /// # Errors
    ///
    /// When a subscription or binding names a component that is not there, or may not have the
    /// topic.
    pub fn start(
        &self,
        inbound: Arc<dyn Inbound>,
        subscriptions: Vec<Subscription>,
        bindings: Vec<InputBinding>,
        instead_of: Option<&Deliveries>,
    ) -> std::result::Result<Deliveries, Error> {
        let subscriptions = subscriptions.into_iter().map(|subscription| {
            let found = self.brokers.get(&subscription.pubsub).cloned();
            let broker = found.ok_or_else(|| self.missing(Kind::Pubsub, &subscription.pubsub))?;
            Ok((broker, subscription))
        });
        let subscriptions = subscriptions.collect::<std::result::Result<Vec<_>, Error>>()?;
        let bindings = bindings.into_iter().map(|binding| {
            let found = self.inputs.get(&binding.name).cloned();
            let cron = found.ok_or_else(|| self.missing(Kind::InputBinding, &binding.name))?;
            Ok((cron, binding))
        });
        let bindings = bindings.collect::<std::result::Result<Vec<_>, Error>>()?;
        let policies = self.policies.inbound();
        let sources = Sources { subscriptions, bindings, policies, ..Sources::default() };
        deliveries::start(inbound, sources, instead_of)
    }

    /// Begins to bring jobs to `inbound`, of which each may run until `deadline`. Must be called on a
    /// tokio runtime. Jobs that were due while nobody brought them come now.
    ///
    /// `instead_of` brings no more jobs from now on, and is then to be
    /// [retired](Deliveries::retire).
    ///
    /// # Errors
    ///
    /// When there is no tokio runtime.
    pub fn start_jobs(
        &self,
        inbound: Arc<dyn Inbound>,
        deadline: Duration,
        instead_of: Option<&Deliveries>,
    ) -> std::result::Result<Deliveries, Error> {
        let jobs = Some((Arc::clone(&self.jobs), deadline));
        deliveries::start(inbound, Sources { jobs, ..Sources::default() }, instead_of)
    }

    /// Begins to bring changes of configuration to `inbound`, in the place of `instead_of`. Must be
    /// called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When there is no such configuration store.
    pub fn start_watch(
        &self,
        inbound: Arc<dyn Inbound>,
        watch: ConfigurationWatch,
        instead_of: Option<&Deliveries>,
    ) -> std::result::Result<Deliveries, Error> {
        let changes = self.watch_configuration(&watch.store, watch.key.clone())?;
        let watches = vec![(watch, changes)];
        let policies = self.policies.inbound();
        deliveries::start(inbound, Sources { watches, policies, ..Sources::default() }, instead_of)
    }

    pub(crate) fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
    }

    fn missing(&self, kind: Kind, name: &str) -> Error {
        Error::Missing { kind, name: name.to_owned(), nearest: self.inventory.nearest(kind, name) }
    }

    pub(crate) fn broker(&self, name: &str) -> Result<&Broker> {
        let broker = self.brokers.get(name).map(|broker| &**broker);
        broker.ok_or_else(|| refusals::pubsub(name))
    }

    pub(crate) fn state(&self, name: &str) -> Result<&StateStore> {
        self.states.get(name).ok_or_else(|| refusals::state_store(name, self.states.is_empty()))
    }

    pub(crate) fn secret_store(&self, name: &str) -> Result<&SecretStore> {
        self.secrets.get(name).ok_or_else(|| refusals::secret_store(name, self.secrets.is_empty()))
    }
}
