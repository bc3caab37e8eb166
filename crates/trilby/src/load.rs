//! Loads modules: compiled in parallel, each file once, and linked for each route.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use trilby_dapr::Blocks;
use trilby_host::{Access, Host, HostSettings, missing_grants};
use trilby_manifest::{App, Precedence, Route, Trigger};
use trilby_sandbox::{Cache, Engine, EngineSettings, Linked, Module, Program, Volume};
use trilby_server::{Entry, Table};

use crate::failure::Failure;

/// What is known of an application before its back end is opened: every module is compiled, and
/// every route's program is linked and has its grants.
pub(crate) struct Programs {
    /// One for each route, in the manifest's order.
    by_route: Vec<Program<Host>>,
    modules: usize,
    cached: usize,
}

impl Programs {
    /// How many modules there are, and how many of them the cache had.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.modules, self.cached)
    }
}

/// Sets up the engine, compiles every distinct module, in parallel, and links it for each of its
/// routes. All problems are reported, in the manifest's order, not only the first.
pub(crate) fn programs(app: &App, cache: Option<Cache>) -> Result<Programs, Failure> {
    let limits = || app.routes.iter().map(|route| &route.limits);
    let engine = Engine::new(EngineSettings {
        memory_bytes_max: limits().map(|l| l.memory_bytes_max).max().unwrap_or(64 << 10),
        instances_max: limits().map(|l| l.instances_max).max().unwrap_or(1),
        cache,
    })
    .map_err(|error| Failure::Other(error.into()))?;
    let linked = Linked::new(&engine, trilby_host::IMPORT_MODULES, trilby_host::link)
        .map_err(|error| Failure::Other(error.into()))?;
    let mut compiled = compile(app, &engine);
    let modules = compiled.len();
    let cached = compiled.values().filter(|c| c.as_ref().is_ok_and(|m| m.cached)).count();
    let mut by_route = Vec::new();
    let mut problems = Vec::new();
    let mut told = BTreeSet::new();
    for route in &app.routes {
        let module = match compiled.get(route.module.as_path()) {
            Some(Ok(module)) => module,
            Some(Err(_)) => {
                // Told once, though several routes may share the module.
                if let Some(Err(error)) = compiled.remove(route.module.as_path()) {
                    told.insert(route.module.as_path());
                    problems.push(problem(app, route, &error));
                }
                continue;
            }
            None => {
                // Told already, or the thread that compiled it came to grief.
                if told.insert(route.module.as_path()) {
                    problems.push(problem(app, route, &"the compiler failed"));
                }
                continue;
            }
        };
        problems.extend(missing(app, route, module));
        problems.extend(too_large(app, route, module));
        match linked.program(module, &route.entrypoint) {
            Ok(program) => by_route.push(program),
            Err(error) => problems.push(problem(app, route, &error)),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n")));
    }
    Ok(Programs { by_route, modules, cached })
}

/// What compiling each file gave; files of the same content are compiled once.
fn compile<'a>(app: &'a App, engine: &Engine) -> BTreeMap<&'a Path, Result<Module, String>> {
    let files: BTreeSet<&Path> = app.routes.iter().map(|route| route.module.as_path()).collect();
    let mut by_content: BTreeMap<Vec<u8>, Vec<&Path>> = BTreeMap::new();
    let mut work: Vec<Vec<&Path>> = Vec::new();
    for file in files {
        match std::fs::read(file) {
            Ok(content) => by_content.entry(content).or_default().push(file),
            // Compiling it tells why it cannot be read.
            Err(_) => work.push(vec![file]),
        }
    }
    work.extend(by_content.into_values());
    let compile = |same: &Vec<&'a Path>| {
        let result = match same.first() {
            Some(first) => engine.compile_file(first).map_err(|error| error.to_string()),
            None => Err("no file".to_owned()),
        };
        (same.clone(), result)
    };
    let each = |(same, result): (Vec<&'a Path>, Result<Module, String>)| {
        same.into_iter().map(move |file| (file, result.clone()))
    };
    in_parallel(&work, compile).into_iter().flat_map(each).collect()
}

/// Does all work with as many threads as the machine has cores.
fn in_parallel<T: Sync, R: Send>(work: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(work.len());
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some(item) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(each(item));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

/// The problem that a module imports building blocks of which its route grants nothing.
fn missing(app: &App, route: &Route, module: &Module) -> Option<String> {
    let blocks = missing_grants(&module.import_modules(), &route.grants);
    if blocks.is_empty() {
        return None;
    }
    let imports: Vec<_> = blocks.iter().map(|b| format!("`{}`", b.import_module())).collect();
    let examples: Vec<_> = blocks.iter().map(|block| block.example()).collect();
    let examples = examples.join(", ");
    let advice = if is_without_grants(app) {
        format!("only the [[route]] of a trilby.toml can grant it: grants = {{ {examples} }}")
    } else if route.grants.is_empty() {
        format!("add to the route: grants = {{ {examples} }}")
    } else {
        format!("add to the route's grants: {examples}")
    };
    let what = format!(
        "the module imports {}, but this route grants nothing of it; {advice}",
        imports.join(" and ")
    );
    Some(problem(app, route, &what))
}

/// The problem that no instance of a module could begin within its route's limit.
fn too_large(app: &App, route: &Route, module: &Module) -> Option<String> {
    let (bytes_min, bytes_max) = (module.memory_bytes_min(), route.limits.memory_bytes_max);
    if usize::try_from(bytes_min).is_ok_and(|bytes| bytes <= bytes_max) {
        return None;
    }
    let what = format!(
        "the module begins with {bytes_min} bytes of memory, but `memory` of `limits` allows \
         {bytes_max}; raise it"
    );
    Some(problem(app, route, &what))
}

/// WAGI's manifest has no grants, and neither has a module that is served alone.
fn is_without_grants(app: &App) -> bool {
    app.precedence == Precedence::FirstMatch || app.routes.iter().any(|r| r.place.line == 0)
}

/// Joins the programs with the back end that their guests call.
pub(crate) fn table(
    app: &App,
    programs: &Programs,
    blocks: &Arc<dyn Blocks>,
) -> Result<Table, Failure> {
    let mut http = Vec::new();
    let mut topics = HashMap::new();
    let mut bindings = HashMap::new();
    let mut problems = Vec::new();
    for (route, program) in app.routes.iter().zip(&programs.by_route) {
        let entry = Arc::new(entry(app, route, program, blocks));
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

fn entry(app: &App, route: &Route, program: &Program<Host>, blocks: &Arc<dyn Blocks>) -> Entry {
    let volumes = route.volumes.iter().map(|volume| Volume {
        guest: volume.guest.clone(),
        host: volume.host.clone(),
        writable: volume.writable,
    });
    Entry {
        route: route.clone(),
        program: program.clone(),
        host: HostSettings {
            blocks: Arc::clone(blocks),
            access: Arc::new(Access::new(route.grants.clone())),
            call_timeout: route.limits.dapr_timeout,
        },
        volumes: volumes.collect(),
        label: Arc::from(label(&route.trigger)),
        wagi_arguments: app.precedence == Precedence::FirstMatch,
    }
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
    if route.place.line == 0 {
        return format!("error: {}: {what}", route.module.display());
    }
    format!(
        "error: {}:{}: route `{}`, module {}: {what}",
        app.file.display(),
        route.place.line,
        label(&route.trigger),
        route.module.display()
    )
}
