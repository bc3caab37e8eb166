//! Which Dapr: a sidecar when the environment names one, else the embedded runtime.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use trilby_dapr::Blocks;
use trilby_embedded::{Kind, Options, Runtime};
use trilby_manifest::{App, Route, Trigger};
use trilby_sidecar::{Sidecar, SidecarConfig};

use crate::failure::Failure;
use crate::load::label;

/// The building blocks' back end.
pub(crate) enum Dapr {
    /// A daprd beside this process.
    Sidecar(Arc<Sidecar>),
    /// The embedded runtime.
    Embedded(Arc<Runtime>),
}

impl Dapr {
    pub(crate) fn blocks(&self) -> Arc<dyn Blocks> {
        match self {
            Self::Sidecar(sidecar) => Arc::clone(sidecar) as Arc<dyn Blocks>,
            Self::Embedded(runtime) => Arc::clone(runtime) as Arc<dyn Blocks>,
        }
    }
}

/// Opens the back end. Must be called on the async runtime: both have tasks of their own.
pub(crate) fn open(app: &App, data_dir: &Path, components: Option<&Path>) -> Result<Dapr, Failure> {
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    if let Some(config) = SidecarConfig::from_env(&env).map_err(Failure::configuration)? {
        let sidecar = Sidecar::new(config).map_err(Failure::configuration)?;
        return Ok(Dapr::Sidecar(Arc::new(sidecar)));
    }
    let app_id =
        env.get("APP_ID").filter(|id| !id.is_empty()).cloned().unwrap_or_else(|| app.name.clone());
    let folder = components.map(Path::to_owned).or_else(|| app.components.clone());
    let runtime = Runtime::open(Options {
        app_id,
        components: folder.into_iter().collect(),
        defaults: needed(app),
        data_dir: data_dir.to_owned(),
        env,
    })
    .map_err(Failure::configuration)?;
    check_names(app, &runtime)?;
    Ok(Dapr::Embedded(Arc::new(runtime)))
}

/// The kinds that routes use: an app without state leaves no file of a state store behind.
fn needed(app: &App) -> Vec<Kind> {
    let uses = |kind: &Kind| app.routes.iter().flat_map(named).any(|(used, _)| used == *kind);
    [Kind::State, Kind::Pubsub].into_iter().filter(uses).collect()
}

/// Every component that the manifest names must be there, and be of the right kind. With a
/// sidecar the same is known only at the first call.
fn check_names(app: &App, runtime: &Runtime) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for route in &app.routes {
        for (kind, name) in named(route) {
            if runtime.has(kind, name) {
                continue;
            }
            let near = runtime
                .nearest(kind, name)
                .map_or_else(String::new, |near| format!("\n  = help: there is `{near}`"));
            problems.push(format!(
                "error: {}:{}: route `{}`: no component of type {kind} is named `{name}`{near}",
                app.file.display(),
                route.place.line,
                label(&route.trigger),
            ));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::configuration(problems.join("\n"))) }
}

fn named(route: &Route) -> Vec<(Kind, &str)> {
    let mut named: Vec<(Kind, &str)> = Vec::new();
    let blocks = [
        (Kind::State, &route.grants.state),
        (Kind::Pubsub, &route.grants.publish),
        (Kind::OutputBinding, &route.grants.bindings),
        (Kind::SecretStore, &route.grants.secrets),
    ];
    for (kind, grants) in blocks {
        named.extend(grants.iter().map(|grant| (kind, grant.component.as_str())));
    }
    match &route.trigger {
        Trigger::Http { .. } => {}
        Trigger::Topic { pubsub, .. } => named.push((Kind::Pubsub, pubsub)),
        Trigger::Binding { name } => named.push((Kind::InputBinding, name)),
    }
    named
}
