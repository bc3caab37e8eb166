//! A `[[route]]` of `trilby.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::findings::{Findings, Problem};
use crate::limits::{self, Scope};
use crate::reader::Reader;
use crate::source::Source;
use crate::{Build, Grants, Limits, Place, Route, Trigger, Volume, guest, trigger};

const KEYS: [&str; 11] = [
    "path",
    "topic",
    "binding",
    "module",
    "build",
    "sources",
    "entrypoint",
    "argv",
    "env",
    "volumes",
    "grants",
];

/// What all routes of a manifest have in common.
pub(crate) struct Defaults<'a> {
    pub(crate) source: &'a Source,
    pub(crate) root: &'a Path,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) limits: Limits,
}

/// A route as far as it could be read, with the places that later checks need.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) trigger: Option<Spanned<Trigger>>,
    pub(crate) module: Option<Spanned<PathBuf>>,
    pub(crate) build: Option<Spanned<Build>>,
    /// Whether there is a `build`, even one that could not be read.
    pub(crate) names_build: bool,
    entrypoint: String,
    argv: Option<String>,
    env: BTreeMap<String, String>,
    volumes: Vec<Volume>,
    grants: Grants,
    limits: Limits,
    place: Place,
}

/// Reads one route.
pub(crate) fn read(route: &Reader<'_>, defaults: &Defaults<'_>, found: &mut Findings) -> Draft {
    let known = [&KEYS[..], &["limits"]].concat();
    let meant = route.refuse_unknown(&known, found);
    let module = match route.get("module") {
        None if meant.contains(&"module") => None,
        _ => route.required("module", "module = \"app.wasm\"", found),
    };
    let module = module.map(|text| Spanned::new(text.span, defaults.root.join(text.text)));
    let env = match route.table("env", "`env`", found) {
        Some(table) => guest::env(&table, &defaults.env, found),
        None => defaults.env.clone(),
    };
    let volumes = route.table("volumes", "`volumes`", found);
    let grants = route.table("grants", "`grants`", found);
    let limits = match route.table("limits", "a route's limits", found) {
        Some(table) => limits::read(&table, Scope::Route, &defaults.limits, found),
        None => defaults.limits.clone(),
    };
    Draft {
        trigger: trigger::read(route, &meant, found),
        module,
        build: build(route, found),
        names_build: route.get("build").is_some(),
        entrypoint: entrypoint(route, found),
        argv: argv(route, found),
        env,
        volumes: volumes.map(|t| guest::volumes(&t, defaults.root, found)).unwrap_or_default(),
        grants: grants.map(|table| guest::grants(&table, found)).unwrap_or_default(),
        limits,
        place: defaults.source.place(&route.span()),
    }
}

/// The export to call: WAGI's key and WAGI's default.
pub(crate) fn entrypoint(table: &Reader<'_>, found: &mut Findings) -> String {
    let text = table.get("entrypoint").and_then(|field| field.filled_text(found));
    text.map_or("_start", |text| text.text).to_owned()
}

/// WAGI's template of the arguments.
pub(crate) fn argv(table: &Reader<'_>, found: &mut Findings) -> Option<String> {
    let wanted = "a string such as \"${SCRIPT_NAME} ${ARGS}\"";
    table.text("argv", wanted, found).map(|text| text.text.to_owned())
}

fn build(route: &Reader<'_>, found: &mut Findings) -> Option<Spanned<Build>> {
    let sources = route.get("sources").map(|field| (field.key, route.texts("sources", found)));
    let Some(field) = route.get("build") else {
        if let Some((key, _)) = sources {
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

impl Draft {
    /// The route, when all that it needs could be read.
    pub(crate) fn finish(self) -> Option<Route> {
        Some(Route {
            trigger: self.trigger?.into_inner(),
            module: self.module?.into_inner(),
            build: self.build.map(Spanned::into_inner),
            entrypoint: self.entrypoint,
            argv: self.argv,
            env: self.env,
            volumes: self.volumes,
            grants: self.grants,
            limits: self.limits,
            place: self.place,
        })
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::testing::{loaded, report};

    #[test]
    fn a_route_takes_its_defaults() {
        let route = loaded("version = 1\n\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n")
            .app
            .routes
            .remove(0);
        assert_eq!(route.module, PathBuf::from("a.wasm"));
        assert_eq!(route.build, None);
        assert_eq!(route.entrypoint, "_start");
        assert_eq!(route.argv, None);
        assert_eq!(route.place, Place { line: 3 });
    }

    #[test]
    fn a_route_can_say_all() {
        let text = "version = 1\n[[route]]\npath = \"/\"\nmodule = \"made.wasm\"\n\
                    build = \"make\"\nsources = [\"src\", \"Makefile\"]\nentrypoint = \"run\"\nargv = \"${ARGS}\"\n";
        let route = loaded(text).app.routes.remove(0);
        let sources = vec!["src".into(), "Makefile".into()];
        assert_eq!(route.build, Some(Build { command: "make".into(), sources }));
        assert_eq!(route.entrypoint, "run");
        assert_eq!(route.argv.as_deref(), Some("${ARGS}"));
    }

    #[test]
    fn the_sources_of_a_build_default_to_the_manifests_folder() {
        let text =
            "version = 1\n[[route]]\npath = \"/\"\nmodule = \"made.wasm\"\nbuild = \"make\"\n";
        let build = loaded(text).app.routes.remove(0).build;
        assert_eq!(build.map(|build| build.sources), Some(vec![PathBuf::from(".")]));
    }

    #[test]
    fn bad_keys_of_a_route_are_refused() {
        for (lines, expected) in [
            ("module = 1", "`module` must be a string, found integer"),
            ("module = \"\"", "`module` must not be empty"),
            ("", "a route needs `module`"),
            ("module = \"a.wasm\"\nbuild = []", "`build` must be a string, found array"),
            ("module = \"none.wasm\"\nbuild = 1", "`build` must be a string, found integer"),
            ("module = \"a.wasm\"\nbuild = \"\"", "`build` must not be empty"),
            ("module = \"a.wasm\"\nsources = []", "`sources` means nothing without `build`"),
            (
                "module = \"a.wasm\"\nbuild = \"x\"\nsources = \"src\"",
                "`sources` must be an array of strings, found string",
            ),
            ("module = \"a.wasm\"\nentrypoint = \"\"", "`entrypoint` must not be empty"),
            (
                "module = \"a.wasm\"\nargv = []",
                "`argv` must be a string such as \"${SCRIPT_NAME} ${ARGS}\", found array",
            ),
            ("module = \"a.wasm\"\nlimits = 1", "`limits` must be a table, found integer"),
        ] {
            let report = report(&format!("version = 1\n[[route]]\npath = \"/\"\n{lines}\n"));
            assert!(report.starts_with(&format!("error: {expected}\n")), "{lines}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }

    #[test]
    fn misspelt_keys_are_shown_with_the_right_ones() {
        let text = "version = 1\n\n[[route]]\npth = \"/\"\nmodul = \"a.wasm\"\n\nzzz = 1\n";
        insta::assert_snapshot!(report(text), @r#"
        error: unknown key `pth` in a route
         --> trilby.toml:4:1
          |
        4 | pth = "/"
          | ^^^
          |
          = help: did you mean `path`?

        error: unknown key `modul` in a route
         --> trilby.toml:5:1
          |
        5 | modul = "a.wasm"
          | ^^^^^
          |
          = help: did you mean `module`?

        error: unknown key `zzz` in a route
         --> trilby.toml:7:1
          |
        7 | zzz = 1
          | ^^^
          |
          = help: known keys: path, topic, binding, module, build, sources, entrypoint, argv, env, volumes, grants, limits
        "#);
    }
}
