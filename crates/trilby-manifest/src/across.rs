//! What the routes of a `trilby.toml` must agree on.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use toml::Spanned;

use crate::findings::{Findings, Problem, Span, shown};
use crate::route::Draft;
use crate::source::Source;
use crate::trigger::describe;
use crate::{Build, Target, Trigger, paths};

/// What one route takes for itself.
#[derive(PartialEq, Eq, Hash)]
enum Claim<'a> {
    /// The paths of a shape at a host.
    Paths(Option<&'a str>, String),
    /// The events of a topic under a condition.
    Topic(&'a str, &'a str, Option<&'a str>),
    /// A binding, a job or a configuration.
    Delivery(&'a Trigger),
}

/// Who has taken a claim.
#[derive(Default)]
struct Takers<'a> {
    /// The route that takes every method.
    any: Option<Span>,
    /// The first route of all.
    first: Option<Span>,
    by_method: HashMap<&'a str, Span>,
}

impl<'a> Takers<'a> {
    /// Takes the claim for the methods, all if empty; else the place of the route that has it.
    fn take(&mut self, methods: &'a [String], span: &Span) -> Result<(), Span> {
        if let Some(any) = &self.any {
            return Err(any.clone());
        }
        if methods.is_empty() {
            let taken = self.first.get_or_insert_with(|| span.clone()).clone();
            self.any = Some(span.clone());
            return if taken == *span { Ok(()) } else { Err(taken) };
        }
        self.first.get_or_insert_with(|| span.clone());
        // Whoever answers GET answers HEAD.
        let head = methods.iter().any(|method| method == "GET").then_some("HEAD");
        for method in methods.iter().map(String::as_str).chain(head) {
            if let Some(taken) = self.by_method.get(method)
                && taken != span
            {
                return Err(taken.clone());
            }
            self.by_method.insert(method, span.clone());
        }
        Ok(())
    }
}

/// A request, a topic's event or a binding's trigger starts one route. Paths that differ in the
/// names of their parameters only are the same.
pub(crate) fn refuse_duplicates(drafts: &[Draft], source: &Source, found: &mut Findings) {
    let mut taken: HashMap<Claim<'_>, Takers<'_>> = HashMap::new();
    for trigger in drafts.iter().filter_map(|draft| draft.trigger.as_ref()) {
        let (claim, methods) = match trigger.get_ref() {
            Trigger::Http { path, methods, host } => {
                (Claim::Paths(host.as_deref(), paths::shape(path)), methods.as_slice())
            }
            Trigger::Topic { pubsub, topic, options } => {
                (Claim::Topic(pubsub, topic, options.condition.as_deref()), &[][..])
            }
            other => (Claim::Delivery(other), &[][..]),
        };
        let span = trigger.span();
        let Err(first) = taken.entry(claim).or_default().take(methods, &span) else { continue };
        let what = describe(trigger.get_ref());
        let (line, other) = (source.line(first.start), source.line(span.start));
        let title = format!("{what} has two routes, on lines {line} and {other}");
        let problem = Problem::new(span, title).label("the second one");
        let problem = problem.context(first, "the first one");
        found.error(match methods {
            [] => problem,
            _ => problem.help("a method can have one of them only; whoever has GET has HEAD, too"),
        });
    }
}

/// Gives a module's build to all routes that share the module, and refuses two commands for one
/// module: which of them ran last would decide what is served.
pub(crate) fn share_builds(drafts: &mut [Draft], found: &mut Findings) {
    let mut builds: HashMap<PathBuf, Spanned<Build>> = HashMap::new();
    for draft in drafts.iter() {
        let (Some(target), Some(build)) = (&draft.target, &draft.build) else { continue };
        let Some(module) = target.get_ref().module() else {
            refuse_build(build, target, found);
            continue;
        };
        match builds.entry(module.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(build.clone());
            }
            Entry::Occupied(first) => merge(first.into_mut(), build, found),
        }
    }
    for draft in drafts {
        let module = draft.target.as_ref().and_then(|target| target.get_ref().module());
        if let Some(shared) = module.and_then(|module| builds.get(module)) {
            draft.build = Some(shared.clone());
        }
    }
}

/// Only a file can be built. That `files` have no build is reported where they are read.
fn refuse_build(build: &Spanned<Build>, target: &Spanned<Target>, found: &mut Findings) {
    if let Target::Registry(_) = target.get_ref() {
        let title = "`build` means nothing for a module from a registry";
        found.error(
            Problem::new(build.span(), title)
                .context(target.span(), "the module")
                .help("name the file that the command makes as `module`, or leave `build` out"),
        );
    }
}

fn merge(first: &mut Spanned<Build>, other: &Spanned<Build>, found: &mut Findings) {
    if first.get_ref().command != other.get_ref().command {
        found.error(
            Problem::new(other.span(), "one module has two different build commands")
                .label("the second one")
                .context(first.span(), "the first one")
                .help("keep one; all routes of a module share its build"),
        );
        return;
    }
    let sources = &mut first.get_mut().sources;
    for source in &other.get_ref().sources {
        if !sources.contains(source) {
            sources.push(source.clone());
        }
    }
}

/// A module that nothing builds must be there. Each missing one is reported once.
pub(crate) fn refuse_missing_modules(drafts: &[Draft], found: &mut Findings) {
    let modules = drafts.iter().filter_map(|draft| {
        let target = draft.target.as_ref()?;
        Some((target.get_ref().module()?, target.span(), draft.names_build))
    });
    let built: BTreeSet<_> =
        modules.clone().filter(|(_, _, is_built)| *is_built).map(|(path, _, _)| path).collect();
    let mut seen = BTreeSet::new();
    for (path, span, _) in modules {
        if built.contains(path) || path.is_file() || !seen.insert(path) {
            continue;
        }
        let title =
            if path.is_dir() { "this module is a folder" } else { "this module is missing" };
        found.error(
            Problem::new(span, title)
                .label(format!("looked for {}", shown(&path.to_string_lossy())))
                .help("name a `.wasm` or `.wat` file, or add `build = \"…\"` to have it made"),
        );
    }
}

#[cfg(test)]
mod tests;
