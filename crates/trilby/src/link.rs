//! Links modules for their routes: what is wrong with any of them is told before anything runs.

use std::collections::BTreeSet;
use std::fmt::Display;

use trilby_host::{EXPERIMENTAL_HTTP, Host, missing_grants};
use trilby_manifest::{Loaded, Part, Precedence, Route};
use trilby_sandbox::{Engine, Linked, Module, Program};

use crate::compile::Compiled;
use crate::failure::Failure;

/// The programs of an application.
pub(crate) struct Programs {
    /// One for each route, in the application's order; `None` where files answer.
    pub(crate) by_route: Vec<Option<Program<Host>>>,
    /// How many modules there are.
    pub(crate) modules: usize,
    /// How many of them were compiled before.
    pub(crate) cached: usize,
}

/// The host functions.
pub(crate) fn linked(engine: &Engine) -> Result<Linked<Host>, Failure> {
    Linked::new(engine, trilby_host::IMPORT_MODULES, trilby_host::link)
        .map_err(|error| Failure::Other(error.into()))
}

/// Links the module of each route. All problems are reported, in the manifest's order.
pub(crate) fn programs(
    loaded: &Loaded,
    compiled: &Compiled,
    linked: &Linked<Host>,
) -> Result<Programs, Failure> {
    let mut by_route = Vec::new();
    let mut problems = Vec::new();
    let mut told = BTreeSet::new();
    for route in &loaded.app.routes {
        let Some(path) = route.target.module() else {
            by_route.push(None);
            continue;
        };
        match compiled.get(path) {
            Some(Ok(module)) => match program(loaded, route, module, linked) {
                Ok(program) => by_route.push(Some(program)),
                Err(found) => problems.extend(found),
            },
            // Told once, though several routes may share the module.
            Some(Err(error)) if told.insert(path) => {
                problems.push(of_module(loaded, route, error));
            }
            // The thread that compiled it came to grief.
            None if told.insert(path) => {
                problems.push(of_module(loaded, route, "the compiler failed"));
            }
            Some(Err(_)) | None => {}
        }
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n\n")));
    }
    let cached = compiled.values().filter(|c| c.as_ref().is_ok_and(|m| m.cached)).count();
    Ok(Programs { by_route, modules: compiled.len(), cached })
}

fn program(
    loaded: &Loaded,
    route: &Route,
    module: &Module,
    linked: &Linked<Host>,
) -> Result<Program<Host>, Vec<String>> {
    let imports = module.imports();
    let mut problems = Vec::new();
    problems.extend(missing(loaded, route, &imports));
    problems.extend(too_large(loaded, route, module));
    if imports.iter().any(|(from, _)| from == EXPERIMENTAL_HTTP) && route.allowed_hosts.is_empty() {
        tracing::warn!(
            "{}:{}: the module imports `{EXPERIMENTAL_HTTP}`, but its route allows no host: every \
             request of it will be refused",
            loaded.app.file.display(),
            route.place.line
        );
    }
    match linked.program(module, &route.entrypoint) {
        Ok(program) if problems.is_empty() => return Ok(program),
        Ok(_) => {}
        Err(error) => {
            let part = match error {
                trilby_sandbox::Error::EntryPoint { .. } => Part::Entrypoint,
                _ => Part::Module,
            };
            let title = titled(loaded, route, error);
            problems.push(loaded.report(&route.place, part, &title, None));
        }
    }
    Err(problems)
}

fn of_module(loaded: &Loaded, route: &Route, what: impl Display) -> String {
    loaded.report(&route.place, Part::Module, &titled(loaded, route, what), None)
}

/// What is wrong with a route's module. The name of one that is served alone is in front already.
fn titled(loaded: &Loaded, route: &Route, what: impl Display) -> String {
    match is_alone(loaded) {
        true => what.to_string(),
        false => format!("module {}: {what}", route.target),
    }
}

/// The problem that a module imports building blocks of which its route grants nothing.
fn missing(loaded: &Loaded, route: &Route, imports: &[(String, String)]) -> Option<String> {
    let blocks = missing_grants(imports, &route.grants);
    if blocks.is_empty() {
        return None;
    }
    let imports: Vec<_> = blocks.iter().map(|b| format!("`{}`", b.import())).collect();
    let examples: Vec<_> = blocks.iter().map(|block| block.example()).collect();
    let examples = examples.join(", ");
    let help = if is_without_grants(loaded) {
        format!("only the [[route]] of a trilby.toml can grant it: grants = {{ {examples} }}")
    } else if route.grants.is_empty() {
        format!("add to the route: grants = {{ {examples} }}")
    } else {
        format!("add to the route's grants: {examples}")
    };
    let what = format!("it imports {}, but this route grants nothing of it", imports.join(" and "));
    let title = titled(loaded, route, what);
    Some(loaded.report(&route.place, Part::Grants, &title, Some(&help)))
}

/// The problem that no instance of a module could begin within its route's limit.
fn too_large(loaded: &Loaded, route: &Route, module: &Module) -> Option<String> {
    let (bytes_min, bytes_max) = (module.memory_bytes_min(), route.limits.memory_bytes_max);
    if usize::try_from(bytes_min).is_ok_and(|bytes| bytes <= bytes_max) {
        return None;
    }
    let what = format!(
        "it begins with {bytes_min} bytes of memory, but `memory` of `limits` allows {bytes_max}"
    );
    let title = titled(loaded, route, what);
    Some(loaded.report(&route.place, Part::Limits, &title, Some("raise `memory`")))
}

/// WAGI's manifest has no grants, and neither has a module that is served alone.
fn is_without_grants(loaded: &Loaded) -> bool {
    loaded.app.precedence == Precedence::FirstMatch || is_alone(loaded)
}

/// Whether the application is a single module, without a manifest.
fn is_alone(loaded: &Loaded) -> bool {
    loaded.app.routes.iter().any(|route| route.place.line == 0)
}
