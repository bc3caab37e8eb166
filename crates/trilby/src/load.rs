//! Loads modules: compiled in parallel, each file once, and linked for each route.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trilby_dapr::Blocks;
use trilby_host::{Access, Host, HostSettings, missing_grants};
use trilby_manifest::{App, Precedence, Route, Trigger};
use trilby_sandbox::{Cache, Engine, EngineSettings, Linked, Module, Volume};
use trilby_server::{Entry, Table};

use crate::failure::Failure;

/// All modules of an application, compiled.
pub(crate) struct Modules {
    engine: Engine,
    by_path: BTreeMap<PathBuf, Module>,
}

impl Modules {
    /// How many modules there are, and how many of them the cache had.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.by_path.len(), self.by_path.values().filter(|module| module.cached).count())
    }
}

/// Sets up the engine and compiles every distinct module, in parallel. Every bad module is
/// reported, not only the first.
pub(crate) fn compile(app: &App, cache: Option<Cache>) -> Result<Modules, Failure> {
    let limits = || app.routes.iter().map(|route| &route.limits);
    let engine = Engine::new(EngineSettings {
        memory_bytes_max: limits().map(|l| l.memory_bytes_max).max().unwrap_or(64 << 10),
        instances_max: limits().map(|l| l.instances_max).max().unwrap_or(1),
        cache,
    })
    .map_err(|error| Failure::Other(error.into()))?;
    let mut first_use: BTreeMap<&Path, &Route> = BTreeMap::new();
    for route in &app.routes {
        first_use.entry(&route.module).or_insert(route);
    }
    let engine = &engine;
    let results: Vec<_> = std::thread::scope(|scope| {
        let compiling: Vec<_> = first_use
            .iter()
            .map(|(path, route)| (*path, *route, scope.spawn(|| engine.compile_file(path))))
            .collect();
        compiling.into_iter().map(|(path, route, work)| (path, route, work.join())).collect()
    });
    let mut by_path = BTreeMap::new();
    let mut problems = Vec::new();
    for (path, route, result) in results {
        match result {
            Ok(Ok(module)) => {
                by_path.insert(path.to_owned(), module);
            }
            Ok(Err(error)) => problems.push(problem(app, route, &error)),
            Err(_panicked) => problems.push(problem(app, route, &"the compiler failed")),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n")));
    }
    Ok(Modules { engine: engine.clone(), by_path })
}

/// Links every route with the host's functions and checks its grants.
pub(crate) fn link(
    app: &App,
    modules: &Modules,
    blocks: &Arc<dyn Blocks>,
) -> Result<Table, Failure> {
    let linked = Linked::new(&modules.engine, trilby_host::IMPORT_MODULES, trilby_host::link)
        .map_err(|error| Failure::Other(error.into()))?;
    let mut http = Vec::new();
    let mut topics = HashMap::new();
    let mut bindings = HashMap::new();
    let mut problems = Vec::new();
    for route in &app.routes {
        let entry = match entry(app, route, modules, &linked, blocks) {
            Ok(entry) => Arc::new(entry),
            Err(text) => {
                problems.push(text);
                continue;
            }
        };
        match &route.trigger {
            Trigger::Http { path } => match trilby_cgi::Pattern::parse(path) {
                Ok(pattern) => http.push((pattern, entry)),
                Err(error) => problems.push(problem(app, route, &error)),
            },
            Trigger::Topic { pubsub, topic } => {
                topics.insert((pubsub.clone(), topic.clone()), entry);
            }
            Trigger::Binding { name } => {
                bindings.insert(name.clone(), entry);
            }
        }
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n")));
    }
    let precedence = match app.precedence {
        Precedence::FirstMatch => trilby_cgi::Precedence::FirstMatch,
        Precedence::LongestMatch => trilby_cgi::Precedence::LongestMatch,
    };
    Ok(Table { http: trilby_cgi::RouteTable::new(precedence, http), topics, bindings })
}

fn entry(
    app: &App,
    route: &Route,
    modules: &Modules,
    linked: &Linked<Host>,
    blocks: &Arc<dyn Blocks>,
) -> Result<Entry, String> {
    let Some(module) = modules.by_path.get(&route.module) else {
        return Err(problem(app, route, &"the module was not compiled"));
    };
    let missing = missing_grants(&module.import_modules(), &route.grants);
    if let Some(block) = missing.first() {
        return Err(problem(
            app,
            route,
            &format!(
                "the module imports `{}`, but this route grants nothing of it; add to the route: {}",
                block.import_module(),
                block.example()
            ),
        ));
    }
    let program =
        linked.program(module, &route.entrypoint).map_err(|error| problem(app, route, &error))?;
    let volumes = route.volumes.iter().map(|volume| Volume {
        guest: volume.guest.clone(),
        host: volume.host.clone(),
        writable: volume.writable,
    });
    Ok(Entry {
        route: route.clone(),
        program,
        host: HostSettings {
            blocks: Arc::clone(blocks),
            access: Arc::new(Access::new(route.grants.clone())),
            call_timeout: route.limits.dapr_timeout,
        },
        volumes: volumes.collect(),
        label: Arc::from(label(&route.trigger)),
        wagi_arguments: app.precedence == Precedence::FirstMatch,
    })
}

/// A route's name in logs and messages.
pub(crate) fn label(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Http { path } => path.clone(),
        Trigger::Topic { pubsub, topic } => format!("{pubsub}/{topic}"),
        Trigger::Binding { name } => name.clone(),
    }
}

fn problem(app: &App, route: &Route, what: &dyn std::fmt::Display) -> String {
    format!(
        "error: {}:{}: route `{}`, module {}: {what}",
        app.file.display(),
        route.place.line,
        label(&route.trigger),
        route.module.display()
    )
}
