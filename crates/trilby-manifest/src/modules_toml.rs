//! WAGI's `modules.toml`. What differs from WAGI is in the crate's documentation.

use std::collections::BTreeMap;
use std::path::Path;

use crate::argv::argv;
use crate::findings::{Findings, Problem, shown};
use crate::limits::values;
use crate::load::Document;
use crate::names::app_id_from;
use crate::reader::{Field, Reader};
use crate::source::Source;
use crate::{
    App, Origin, Part, Place, Precedence, Route, Trigger, Volume, cover, guest, limits, networks,
    paths, route, target, trilby_toml,
};

const KEYS: [&str; 8] = [
    "route",
    "module",
    "entrypoint",
    "argv",
    "volumes",
    "allowed_hosts",
    "http_max_concurrency",
    "bindle_server",
];

/// The keys without which an entry is none.
const REQUIRED_KEYS: [&str; 2] = ["route", "module"];

/// Reads the document. The result is of use only when nothing was found to be wrong.
pub(crate) fn read(document: &Document<'_>, found: &mut Findings) -> App {
    let table = &document.table;
    if let Some(field) = table.get("route") {
        let title = "`[[module]]` is of WAGI's `modules.toml`, `[[route]]` of `trilby.toml`";
        let help =
            "a file has one of the two; in a `trilby.toml` each module is in its `[[route]]`";
        found.error(Problem::new(field.key, title).help(help));
    }
    let meant = ignore_unknown(table, &["module", "route"], &["module"], found);
    let entries = table.tables("module", "a module", found);
    if meant.is_empty() && table.get("module").is_none_or(|field| field.is_empty_array()) {
        let title = "there is no module, so nothing can be served";
        let help = "add a `[[module]]` with `route` and `module`";
        found.error(Problem::new(table.span(), title).help(help));
    }
    let routes: Vec<_> =
        entries.iter().filter_map(|entry| read_entry(entry, document, found)).collect();
    warn_of_unreached(&routes, document.source, found);
    App {
        file: document.file.to_owned(),
        root: document.root.to_owned(),
        name: app_id_from(&document.folder_name()),
        precedence: Precedence::FirstMatch,
        routes,
        server: limits::standard().into_server(),
        components: None,
        apps: BTreeMap::new(),
    }
}

/// Warns of keys that WAGI ignores. One that was meant to be a key that is required and missing is
/// an error instead, the only one about that key; such keys are returned.
fn ignore_unknown<'k>(
    table: &Reader<'_>,
    known: &[&'k str],
    required: &[&str],
    found: &mut Findings,
) -> Vec<&'k str> {
    let mut missing = Vec::new();
    for (field, meant) in table.unknown(known) {
        let name = shown(field.name);
        let help = match meant {
            Some(meant) => Some(format!("did you mean `{meant}`?")),
            None => is_of_trilby_toml(field.name).then(|| {
                format!("`{name}` is a key of `trilby.toml`, to which this can be migrated")
            }),
        };
        let problem = |title: String| {
            let problem = Problem::new(field.key.clone(), title);
            match &help {
                Some(help) => problem.help(help.as_str()),
                None => problem,
            }
        };
        let is_missing = |meant: &&str| {
            required.contains(meant) && !missing.contains(meant) && table.get(meant).is_none()
        };
        match meant.filter(is_missing) {
            Some(meant) => {
                found.error(problem(format!("unknown key `{name}`, and `{meant}` is missing")));
                missing.push(meant);
            }
            None => {
                found.warn(problem(format!("unknown key `{name}` is ignored, as WAGI does")));
            }
        }
    }
    missing
}

fn is_of_trilby_toml(name: &str) -> bool {
    trilby_toml::KEYS.contains(&name) || route::KEYS.contains(&name)
}

fn read_entry(entry: &Reader<'_>, document: &Document<'_>, found: &mut Findings) -> Option<Route> {
    let meant = ignore_unknown(entry, &KEYS, &REQUIRED_KEYS, found);
    if let Some(field) = entry.get("bindle_server") {
        let title = "`bindle_server` is not supported: modules come from files and OCI registries";
        let help = "name the module's file or `oci:` reference, and remove this";
        found.error(Problem::new(field.key, title).help(help));
    }
    let path = entry
        .required("route", "route = \"/\"", &meant, found)
        .and_then(|text| paths::check_wagi(&text, found));
    let target = entry
        .required("module", "module = \"app.wasm\"", &meant, found)
        .and_then(|text| target::module_wagi(&text, document.root, found));
    let volumes = entry.table("volumes", "`volumes`", found);
    let volumes = volumes.map(|table| volumes_of(&table, document.root, found)).unwrap_or_default();
    let entrypoint = route::entrypoint(entry, found);
    let argv = argv(entry, Findings::warn, found);
    let allowed_hosts = networks::allowed_hosts_wagi(entry, found);
    let calls = entry.get("http_max_concurrency").and_then(|field| {
        let calls = values::count(&field, i64::from(u32::MAX), found)?;
        Some((calls, document.source.line(field.key.start)))
    });
    let trigger = Trigger::Http { path: path?, methods: Vec::new(), host: None };
    let mut route = Route {
        entrypoint,
        argv,
        volumes,
        allowed_hosts,
        ..route::bare(trigger, target?, place(entry, document.source))
    };
    if let Some((calls, line)) = calls {
        route.limits.http_calls_max = calls;
        route.origins.insert("http-calls", Origin::Route(line));
    }
    Some(route)
}

fn place(entry: &Reader<'_>, source: &Source) -> Place {
    let span = |name: &str| entry.get(name).map(|field| field.span());
    let parts = [
        (Part::Trigger, span("route")),
        (Part::Module, span("module")),
        (Part::Entrypoint, span("entrypoint")),
        (Part::Limits, span("http_max_concurrency")),
    ];
    source.place(entry.span(), parts)
}

/// The first match wins, so an entry is in vain if an earlier one matches all that it does.
fn warn_of_unreached(routes: &[Route], source: &Source, found: &mut Findings) {
    let paths: Vec<_> = routes.iter().filter_map(|route| Some((route, path(route)?))).collect();
    let covering = cover::covering(paths.iter().map(|(_, path)| *path));
    for ((route, text), first) in paths.iter().zip(covering) {
        let Some((first, other)) = first.and_then(|first| paths.get(first)) else { continue };
        let span = |route: &Route| route.place.parts.get(&Part::Trigger).cloned();
        let line = source.line(span(first).unwrap_or_default().start);
        let title = if other == text {
            format!("route `{}` is never reached: line {line} has it too", shown(text))
        } else {
            let (text, other) = (shown(text), shown(other));
            format!("route `{text}` is never reached: `{other}` on line {line} comes first")
        };
        found.warn(Problem::new(span(route).unwrap_or_default(), title));
    }
}

pub(crate) fn path(route: &Route) -> Option<&str> {
    match &route.trigger {
        Trigger::Http { path, .. } => Some(path),
        _ => None,
    }
}

fn volumes_of(table: &Reader<'_>, root: &Path, found: &mut Findings) -> Vec<Volume> {
    table.fields().iter().filter_map(|field| volume(field, root, found)).collect()
}

/// A folder that is missing is left out, as in WAGI, where the guest runs without it.
fn volume(field: &Field<'_>, root: &Path, found: &mut Findings) -> Option<Volume> {
    let guest = guest::guest_path(field, found);
    let text = field.text("a folder", found)?;
    let path = Path::new(text.text);
    let host = target::beside_or_here(path, root, Path::is_dir).filter(|_| !text.text.is_empty());
    if host.is_none() {
        let title = format!("there is no folder `{}`: guests run without it", shown(text.text));
        found.warn(Problem::new(text.span, title));
    }
    Some(Volume { guest: guest?, host: host?, writable: true })
}

#[cfg(test)]
mod tests;
