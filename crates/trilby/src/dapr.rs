//! Which Dapr: a sidecar when the environment names one, else the embedded runtime.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use trilby_dapr::{Blocks, Inbound};
use trilby_embedded::{Inventory, Kind, Options, Runtime};
use trilby_manifest::{App, Loaded, Part, Route, Trigger};
use trilby_server::Ready;
use trilby_sidecar::{Sidecar, SidecarConfig};

use crate::cli::DaprOptions;
use crate::deliveries::Bringer;
use crate::failure::Failure;

/// The building blocks' back end.
pub(crate) enum Dapr {
    /// A daprd beside this process.
    Sidecar(Arc<Sidecar>),
    /// The embedded runtime, with the state of its component files when it was opened.
    Embedded(Arc<Runtime>, Files),
}

/// The sidecar's outbound health.
struct SidecarReady(Arc<Sidecar>);

#[async_trait]
impl Ready for SidecarReady {
    async fn outbound_ready(&self) -> bool {
        self.0.is_outbound_ready(HEALTH_WITHIN).await
    }
}

/// How long the sidecar may take to tell its health; a probe of Kubernetes waits for a second.
const HEALTH_WITHIN: Duration = Duration::from_millis(500);

/// Component files with their times and sizes.
type Files = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

impl Dapr {
    pub(crate) fn blocks(&self) -> Arc<dyn Blocks> {
        match self {
            Self::Sidecar(sidecar) => Arc::clone(sidecar) as Arc<dyn Blocks>,
            Self::Embedded(runtime, _) => Arc::clone(runtime) as Arc<dyn Blocks>,
        }
    }

    /// The sidecar, if there is one.
    pub(crate) fn sidecar(&self) -> Option<Arc<Sidecar>> {
        match self {
            Self::Sidecar(sidecar) => Some(Arc::clone(sidecar)),
            Self::Embedded(..) => None,
        }
    }

    /// Who brings events.
    pub(crate) fn bringer(&self) -> Bringer {
        match self {
            Self::Sidecar(sidecar) => Bringer::Sidecar(Arc::clone(sidecar)),
            Self::Embedded(runtime, _) => Bringer::Embedded(Arc::clone(runtime)),
        }
    }

    /// Whom readiness depends on.
    pub(crate) fn ready(&self) -> Option<Arc<dyn Ready>> {
        self.sidecar().map(|sidecar| Arc::new(SidecarReady(sidecar)) as Arc<dyn Ready>)
    }

    /// Lets the app be called as other apps are.
    pub(crate) fn attach(&self, inbound: &Arc<dyn Inbound>) {
        if let Self::Embedded(runtime, _) = self {
            runtime.attach(Arc::downgrade(inbound));
        }
    }

    /// Whether the component files of an application are not those that were opened.
    pub(crate) fn has_other_files(&self, app: &App, options: &DaprOptions) -> bool {
        match self {
            Self::Sidecar(_) => false,
            Self::Embedded(_, opened) => files(folder(app, options)) != *opened,
        }
    }
}

/// Opens the back end. Must be called on the async runtime: both have tasks of their own.
pub(crate) fn open(loaded: &Loaded, options: &DaprOptions) -> Result<Dapr, Failure> {
    let env = environment();
    if let Some(config) = SidecarConfig::from_env(&env).map_err(Failure::configuration)? {
        let sidecar = Sidecar::new(config).map_err(Failure::configuration)?;
        return Ok(Dapr::Sidecar(Arc::new(sidecar)));
    }
    let files = files(folder(&loaded.app, options));
    let options = embedded(&loaded.app, options, env);
    // What is opened may leave files behind, so the names are looked at first.
    let inventory = Inventory::read(&options).map_err(Failure::configuration)?;
    check_names(loaded, &inventory)?;
    let runtime = Runtime::open(options).map_err(Failure::configuration)?;
    Ok(Dapr::Embedded(Arc::new(runtime), files))
}

/// Checks what can be known of the back end without opening it.
pub(crate) fn check(loaded: &Loaded, options: &DaprOptions) -> Result<(), Failure> {
    let env = environment();
    match SidecarConfig::from_env(&env).map_err(Failure::configuration)? {
        Some(_) => Ok(()),
        None => {
            let options = embedded(&loaded.app, options, env);
            let inventory = Inventory::read(&options).map_err(Failure::configuration)?;
            check_names(loaded, &inventory)
        }
    }
}

/// Whether a route has anything to do with Dapr.
pub(crate) fn is_used(app: &App) -> bool {
    app.routes
        .iter()
        .any(|route| !route.grants.is_empty() || !matches!(route.trigger, Trigger::Http { .. }))
}

/// Whether a new version of the application can do with the back end that is open.
pub(crate) fn check_open(loaded: &Loaded, dapr: &Dapr) -> Result<(), Failure> {
    match dapr {
        Dapr::Sidecar(_) => Ok(()),
        Dapr::Embedded(runtime, _) => check_names(loaded, runtime.inventory()).map_err(|failure| {
            let note = "components, the default ones too, are opened at the start only";
            Failure::Configuration(format!("{}\n\n{note}", failure.text()))
        }),
    }
}

/// The environment, as far as it is text.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn folder(app: &App, options: &DaprOptions) -> Option<PathBuf> {
    options.components.clone().or_else(|| app.components.clone())
}

fn files(folder: Option<PathBuf>) -> Files {
    let entries = folder.and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
    let state = |entry: std::fs::DirEntry| {
        let data = entry.metadata().ok()?;
        Some((entry.path(), (data.modified().ok(), data.len())))
    };
    entries.filter_map(state).collect()
}

/// The app's id in Dapr: daprd's variable, or else the manifest's name.
pub(crate) fn app_id(app: &App, env: &BTreeMap<String, String>) -> String {
    env.get("APP_ID").filter(|id| !id.is_empty()).cloned().unwrap_or_else(|| app.name.clone())
}

fn embedded(app: &App, options: &DaprOptions, env: BTreeMap<String, String>) -> Options {
    Options {
        app_id: app_id(app, &env),
        components: folder(app, options).into_iter().collect(),
        configuration: options.config.clone(),
        defaults: needed(app),
        data_dir: options.data_dir.clone(),
        apps: app.apps.clone(),
        env,
    }
}

/// The kinds that routes use: an app without state leaves no file of a state store behind.
fn needed(app: &App) -> Vec<Kind> {
    let uses = |kind: &Kind| app.routes.iter().flat_map(named).any(|(used, _, _)| used == *kind);
    [Kind::State, Kind::Pubsub, Kind::Lock].into_iter().filter(uses).collect()
}

/// Every component that the manifest names must be there, and be of the right kind. With a
/// sidecar the same is known only at the first call.
fn check_names(loaded: &Loaded, inventory: &Inventory) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for route in &loaded.app.routes {
        for (kind, name, part) in named(route) {
            if inventory.has(kind, name) {
                continue;
            }
            let near = inventory.nearest(kind, name).map(|near| format!("there is `{near}`"));
            let title = format!("no component of type {kind} is named `{name}`");
            problems.push(loaded.report(&route.place, part, &title, near.as_deref()));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::configuration(problems.join("\n\n"))) }
}

/// The components that a route names, and where.
fn named(route: &Route) -> Vec<(Kind, &str, Part)> {
    let mut named: Vec<(Kind, &str, Part)> = Vec::new();
    let grants = &route.grants;
    let blocks = [
        (Kind::State, &grants.state),
        (Kind::State, &grants.state_read),
        (Kind::State, &grants.state_write),
        (Kind::State, &grants.state_query),
        (Kind::Pubsub, &grants.publish),
        (Kind::OutputBinding, &grants.bindings),
        (Kind::SecretStore, &grants.secrets),
        (Kind::Configuration, &grants.configuration),
        (Kind::Lock, &grants.lock),
        (Kind::Crypto, &grants.encrypt),
        (Kind::Crypto, &grants.decrypt),
    ];
    for (kind, grants) in blocks {
        named.extend(grants.iter().map(|grant| (kind, grant.component.as_str(), Part::Grants)));
    }
    let conversations = grants.conversation.iter();
    named.extend(conversations.map(|name| (Kind::Conversation, name.as_str(), Part::Grants)));
    match &route.trigger {
        Trigger::Http { .. } | Trigger::Job { .. } => {}
        Trigger::Configuration { store, .. } => {
            named.push((Kind::Configuration, store, Part::Trigger));
        }
        Trigger::Topic { pubsub, .. } => named.push((Kind::Pubsub, pubsub, Part::Trigger)),
        Trigger::Binding { name } => named.push((Kind::InputBinding, name, Part::Trigger)),
    }
    named
}
