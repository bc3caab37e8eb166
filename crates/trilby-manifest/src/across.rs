//! What the routes of a `trilby.toml` must agree on.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::findings::{Findings, Problem, Span, shown};
use crate::route::Draft;
use crate::source::Source;
use crate::trigger::describe;
use crate::{Build, Trigger};

/// A path, topic or binding starts one route.
pub(crate) fn refuse_duplicates(drafts: &[Draft], source: &Source, found: &mut Findings) {
    let mut taken: HashMap<&Trigger, Span> = HashMap::new();
    for trigger in drafts.iter().filter_map(|draft| draft.trigger.as_ref()) {
        let span = trigger.span();
        match taken.entry(trigger.get_ref()) {
            Entry::Vacant(free) => {
                free.insert(span);
            }
            Entry::Occupied(first) => {
                let lines = (source.line(first.get().start), source.line(span.start));
                let title = format!(
                    "{} has two routes, on lines {} and {}",
                    describe(first.key()),
                    lines.0,
                    lines.1
                );
                found.error(
                    Problem::new(span, title)
                        .label("the second one")
                        .context(first.get().clone(), "the first one"),
                );
            }
        }
    }
}

/// Gives a module's build to all routes that share the module, and refuses two commands for one
/// module: which of them ran last would decide what is served.
pub(crate) fn share_builds(drafts: &mut [Draft], found: &mut Findings) {
    let mut builds: HashMap<PathBuf, Spanned<Build>> = HashMap::new();
    for draft in drafts.iter() {
        let (Some(module), Some(build)) = (&draft.module, &draft.build) else { continue };
        match builds.entry(module.get_ref().clone()) {
            Entry::Vacant(free) => {
                free.insert(build.clone());
            }
            Entry::Occupied(first) => merge(first.into_mut(), build, found),
        }
    }
    for draft in drafts {
        let shared = draft.module.as_ref().and_then(|module| builds.get(module.get_ref()));
        if let Some(shared) = shared {
            draft.build = Some(shared.clone());
        }
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
    let built: BTreeSet<&Path> = drafts
        .iter()
        .filter(|draft| draft.names_build)
        .filter_map(|draft| Some(draft.module.as_ref()?.get_ref().as_path()))
        .collect();
    let mut seen = BTreeSet::new();
    for module in drafts.iter().filter_map(|draft| draft.module.as_ref()) {
        let path = module.get_ref();
        if built.contains(path.as_path()) || path.is_file() || !seen.insert(path) {
            continue;
        }
        let title =
            if path.is_dir() { "this module is a folder" } else { "this module is missing" };
        found.error(
            Problem::new(module.span(), title)
                .label(format!("looked for {}", shown(&path.to_string_lossy())))
                .help("name a `.wasm` or `.wat` file, or add `build = \"…\"` to have it made"),
        );
    }
}

#[cfg(test)]
mod tests {

    use std::path::PathBuf;

    use crate::testing::{loaded, report};

    fn routes(routes: &[&str]) -> String {
        let tables = routes.iter().map(|lines| format!("\n[[route]]\n{lines}\n"));
        format!("version = 1\n{}", tables.collect::<String>())
    }

    #[test]
    fn a_shared_module_shares_its_build() {
        let app = loaded(&routes(&[
            "path = \"/a\"\nmodule = \"./made.wasm\"",
            "path = \"/b\"\nmodule = \"made.wasm\"\nbuild = \"make\"\nsources = [\"x\"]",
            "path = \"/c\"\nmodule = \"made.wasm\"\nbuild = \"make\"\nsources = [\"y\", \"x\"]",
            "path = \"/d\"\nmodule = \"a.wasm\"",
        ]))
        .app;
        for route in &app.routes[..3] {
            let build = route.build.as_ref().expect("all share it");
            assert_eq!(build.command, "make");
            assert_eq!(build.sources, [PathBuf::from("x"), PathBuf::from("y")]);
        }
        assert_eq!(app.routes[3].build, None);
    }

    #[test]
    fn long_paths_that_begin_alike_are_two() {
        let long = "x".repeat(200);
        let a = format!("path = \"/{long}/a\"\nmodule = \"a.wasm\"");
        let b = format!("path = \"/{long}/b\"\nmodule = \"a.wasm\"");
        assert_eq!(loaded(&routes(&[&a, &b])).app.routes.len(), 2);
    }

    #[test]
    fn the_same_name_may_be_a_path_a_topic_and_a_binding() {
        let text = routes(&[
            "path = \"/a\"\nmodule = \"a.wasm\"",
            "path = \"/a/...\"\nmodule = \"a.wasm\"",
            "topic = \"a/a\"\nmodule = \"a.wasm\"",
            "topic = \"a/b\"\nmodule = \"a.wasm\"",
            "binding = \"a\"\nmodule = \"a.wasm\"",
        ]);
        assert_eq!(loaded(&text).app.routes.len(), 5);
    }

    #[test]
    fn duplicates_are_shown_with_both_lines() {
        let text = routes(&[
            "path = \"/a\"\nmodule = \"a.wasm\"",
            "path = \"/b\"\nmodule = \"a.wasm\"",
            "path = \"/a\"\nmodule = \"b.wasm\"",
        ]);
        insta::assert_snapshot!(report(&text), @r#"
        error: path `/a` has two routes, on lines 4 and 12
          --> trilby.toml:12:8
           |
         4 | path = "/a"
           |        ---- the first one
        ...
        12 | path = "/a"
           |        ^^^^ the second one
        "#);
    }

    #[test]
    fn duplicate_topics_and_bindings_are_refused() {
        for (trigger, name) in
            [("topic = \"bus/t\"", "topic `bus/t`"), ("binding = \"tick\"", "binding `tick`")]
        {
            let lines = format!("{trigger}\nmodule = \"a.wasm\"");
            let report = report(&routes(&[&lines, &lines]));
            let title = format!("error: {name} has two routes, on lines 4 and 8\n");
            assert!(report.starts_with(&title), "{report}");
        }
    }

    #[test]
    fn two_builds_of_one_module_are_shown() {
        let text = routes(&[
            "path = \"/a\"\nmodule = \"made.wasm\"\nbuild = \"make\"",
            "path = \"/b\"\nmodule = \"made.wasm\"\nbuild = \"make all\"",
        ]);
        insta::assert_snapshot!(report(&text), @r#"
        error: one module has two different build commands
          --> trilby.toml:11:9
           |
         6 | build = "make"
           |         ------ the first one
        ...
        11 | build = "make all"
           |         ^^^^^^^^^^ the second one
           |
           = help: keep one; all routes of a module share its build
        "#);
    }

    #[test]
    fn missing_modules_are_shown_once() {
        let text = routes(&[
            "path = \"/a\"\nmodule = \"none.wasm\"",
            "path = \"/b\"\nmodule = \"none.wasm\"",
            "path = \"/c\"\nmodule = \"data\"",
        ]);
        insta::assert_snapshot!(report(&text), @r#"
        error: this module is missing
         --> trilby.toml:5:10
          |
        5 | module = "none.wasm"
          |          ^^^^^^^^^^^ looked for none.wasm
          |
          = help: name a `.wasm` or `.wat` file, or add `build = "…"` to have it made

        error: this module is a folder
          --> trilby.toml:13:10
           |
        13 | module = "data"
           |          ^^^^^^ looked for data
           |
           = help: name a `.wasm` or `.wat` file, or add `build = "…"` to have it made
        "#);
    }
}
