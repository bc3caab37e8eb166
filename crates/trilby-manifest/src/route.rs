//! A `[[route]]` of `trilby.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use toml::Spanned;

use crate::argv::argv;
use crate::findings::{Findings, Problem};
use crate::limits::{self, AppLimits};
use crate::reader::{Reader, Text};
use crate::source::Source;
use crate::{
    AllowedHost, Build, Grants, Limits, Origins, Part, Place, Route, Target, Trigger, Volume,
    guest, http, networks, paths, target, trigger,
};

pub(crate) const KEYS: [&str; 26] = [
    "path",
    "methods",
    "host",
    "topic",
    "match",
    "dead-letter",
    "bulk",
    "raw-payload",
    "envelope",
    "binding",
    "job",
    "configuration",
    "module",
    "files",
    "build",
    "sources",
    "entrypoint",
    "argv",
    "env",
    "volumes",
    "grants",
    "allowed-hosts",
    "allowed-networks",
    "authorization",
    "response-headers",
    "limits",
];

/// The keys that go with `module` only.
const MODULE_KEYS: [&str; 10] = [
    "build",
    "sources",
    "entrypoint",
    "argv",
    "env",
    "volumes",
    "grants",
    "allowed-hosts",
    "allowed-networks",
    "authorization",
];

/// What all routes of a manifest have in common.
pub(crate) struct Defaults<'a> {
    pub(crate) source: &'a Source,
    pub(crate) root: &'a Path,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) limits: AppLimits,
}

/// A route as far as it could be read, with the places that later checks need.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) trigger: Option<Spanned<Trigger>>,
    pub(crate) target: Option<Spanned<Target>>,
    pub(crate) build: Option<Spanned<Build>>,
    /// Whether there is a `build`, even one that could not be read.
    pub(crate) names_build: bool,
    entrypoint: String,
    argv: Option<String>,
    env: BTreeMap<String, String>,
    volumes: Vec<Volume>,
    grants: Grants,
    allowed_hosts: Vec<AllowedHost>,
    allowed_networks: Vec<IpNet>,
    authorization: bool,
    response_headers: Vec<(String, String)>,
    limits: Limits,
    origins: Origins,
    place: Place,
}

/// Reads one route.
pub(crate) fn read(route: &Reader<'_>, defaults: &Defaults<'_>, found: &mut Findings) -> Draft {
    let meant = route.refuse_unknown(&KEYS, found);
    let env = match route.table("env", "`env`", found) {
        Some(table) => guest::env(&table, &defaults.env, found),
        None => defaults.env.clone(),
    };
    let volumes = route.table("volumes", "`volumes`", found);
    let grants = route.table("grants", "`grants`", found);
    let (limits, origins) = match route.table("limits", "a route's limits", found) {
        Some(table) => limits::of_route(&table, &defaults.limits, defaults.source, found),
        None => defaults.limits.of_route(),
    };
    Draft {
        trigger: trigger::read(route, &meant, found),
        target: target(route, defaults.root, &meant, found),
        build: build(route, found),
        names_build: route.get("build").is_some(),
        entrypoint: entrypoint(route, found),
        argv: argv(route, Findings::error, found),
        env,
        volumes: volumes.map(|t| guest::volumes(&t, defaults.root, found)).unwrap_or_default(),
        grants: grants.map(|table| guest::grants(&table, found)).unwrap_or_default(),
        allowed_hosts: networks::allowed_hosts(route, found),
        allowed_networks: allowed_networks(route, found),
        authorization: authorization(route, found),
        response_headers: http::response_headers(route, found),
        limits,
        origins,
        place: place(route, defaults.source),
    }
}

fn place(route: &Reader<'_>, source: &Source) -> Place {
    let span = |name: &str| route.get(name).map(|field| field.span());
    let first = |names: &[&str]| names.iter().find_map(|name| span(name));
    let parts = [
        (Part::Trigger, first(&trigger::KEYS)),
        (Part::Match, span("match")),
        (Part::Module, first(&["module", "files"])),
        (Part::Build, span("build")),
        (Part::Entrypoint, span("entrypoint")),
        (Part::Grants, span("grants")),
        (Part::Limits, span("limits")),
    ];
    source.place(route.span(), parts)
}

/// What answers: exactly one of `module` and `files`.
fn target(
    route: &Reader<'_>,
    root: &Path,
    meant: &[&str],
    found: &mut Findings,
) -> Option<Spanned<Target>> {
    let (module, files) = (route.get("module"), route.get("files"));
    if let (Some(module), Some(files)) = (&module, &files) {
        let title = "a route cannot have both `module` and `files`";
        found.error(
            Problem::new(files.key.clone(), title)
                .context(module.key.clone(), "the module")
                .help("write one `[[route]]` for each, with paths of their own"),
        );
        return None;
    }
    if let Some(field) = files {
        refuse_module_keys(route, found);
        let text = field.filled_text(found)?;
        require_prefix(route, &text, found);
        let target = target::files(&text, root, found)?;
        return Some(Spanned::new(text.span, target));
    }
    if module.is_none() {
        if !meant.iter().any(|name| matches!(*name, "module" | "files")) {
            let title = "a route needs `module` or `files`";
            let help = "add a line such as `module = \"app.wasm\"`, or `files = \"public\"` to \
                        serve a folder";
            found.error(Problem::new(route.span(), title).help(help));
        }
        return None;
    }
    let text = module?.filled_text(found)?;
    let target = target::module(&text, root, found)?;
    Some(Spanned::new(text.span, target))
}

fn refuse_module_keys(route: &Reader<'_>, found: &mut Findings) {
    for field in MODULE_KEYS.iter().filter_map(|name| route.get(name)) {
        let title = format!("`{}` means nothing with `files`", field.name);
        let help = "it is for modules: leave it out";
        found.error(Problem::new(field.key, title).help(help));
    }
}

/// The files are named by what follows the prefix.
fn require_prefix(route: &Reader<'_>, files: &Text<'_>, found: &mut Findings) {
    let path = route.get("path").and_then(|path| path.text("", &mut Findings::default()));
    let problem = match path {
        Some(path) if paths::split_prefix(path.text).1 => return,
        Some(path) => {
            let prefix = format!("{}/...", path.text.trim_end_matches('/'));
            let title = "the path of `files` must end in `/...`";
            let help = format!("write `path = \"{}\"`", crate::findings::shown(&prefix));
            Problem::new(path.span, title).context(files.span.clone(), "the files").help(help)
        }
        // A bad or missing path has its own report.
        None if !trigger::KEYS.iter().skip(1).any(|name| route.get(name).is_some()) => return,
        None => Problem::new(files.span.clone(), "`files` means nothing without `path`")
            .help("only a `path` can have files; what comes from Dapr needs a `module`"),
    };
    found.error(problem);
}

/// The export to call: WAGI's key and WAGI's default.
pub(crate) fn entrypoint(table: &Reader<'_>, found: &mut Findings) -> String {
    let text = table.get("entrypoint").and_then(|field| field.filled_text(found));
    text.map_or("_start", |text| text.text).to_owned()
}

fn authorization(route: &Reader<'_>, found: &mut Findings) -> bool {
    route.get("authorization").and_then(|field| field.boolean(found)).unwrap_or(false)
}

fn allowed_networks(route: &Reader<'_>, found: &mut Findings) -> Vec<IpNet> {
    if let Some(field) = route.get("allowed-networks")
        && route.get("allowed-hosts").is_none()
    {
        let title = "`allowed-networks` means nothing without `allowed-hosts`";
        let help = "name the hosts, too: the networks only say where their names may lead";
        found.error(Problem::new(field.key, title).help(help));
    }
    networks::networks(route, "allowed-networks", found)
}

fn build(route: &Reader<'_>, found: &mut Findings) -> Option<Spanned<Build>> {
    let sources = route.get("sources").map(|field| (field.key, route.texts("sources", found)));
    let Some(field) = route.get("build") else {
        if let Some((key, _)) = sources.filter(|_| route.get("files").is_none()) {
            let title = "`sources` means nothing without `build`";
            found.error(Problem::new(key, title).help("add the command that makes the module"));
        }
        return None;
    };
    let command = field.filled_text(found)?;
    let sources = match sources {
        Some((_, texts)) => texts.iter().map(|text| PathBuf::from(text.text)).collect(),
        None => vec![PathBuf::from(".")],
    };
    Some(Spanned::new(command.span, Build { command: command.text.to_owned(), sources }))
}

/// A route that is given nothing, within the limits of a manifest that sets none.
pub(crate) fn bare(trigger: Trigger, target: Target, place: Place) -> Route {
    let (limits, origins) = limits::standard().of_route();
    Route {
        trigger,
        target,
        build: None,
        entrypoint: "_start".to_owned(),
        argv: None,
        env: BTreeMap::new(),
        volumes: Vec::new(),
        grants: Grants::default(),
        allowed_hosts: Vec::new(),
        allowed_networks: Vec::new(),
        authorization: false,
        response_headers: Vec::new(),
        limits,
        origins,
        place,
    }
}

impl Draft {
    /// The route, when all that it needs could be read.
    pub(crate) fn finish(self) -> Option<Route> {
        Some(Route {
            trigger: self.trigger?.into_inner(),
            target: self.target?.into_inner(),
            build: self.build.map(Spanned::into_inner),
            entrypoint: self.entrypoint,
            argv: self.argv,
            env: self.env,
            volumes: self.volumes,
            grants: self.grants,
            allowed_hosts: self.allowed_hosts,
            allowed_networks: self.allowed_networks,
            authorization: self.authorization,
            response_headers: self.response_headers,
            limits: self.limits,
            origins: self.origins,
            place: self.place,
        })
    }
}

#[cfg(test)]
mod tests;
