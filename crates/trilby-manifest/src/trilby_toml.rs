//! `trilby.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::findings::{Findings, Problem, shown};
use crate::limits::{self, AppLimits};
use crate::load::Document;
use crate::names::{app_id_from, is_app_id};
use crate::reader::Reader;
use crate::route::{self, Defaults};
use crate::{App, Precedence, Route, across, apps, guest, networks, topic};

/// The version of the format that this release reads.
const VERSION: i64 = 1;

pub(crate) const KEYS: [&str; 7] = ["version", "name", "dapr", "server", "limits", "env", "route"];

/// The keys of `[dapr]`.
pub(crate) const DAPR_KEYS: [&str; 2] = ["components", "apps"];

/// The keys of `[server]`.
pub(crate) const SERVER_KEYS: [&str; 1] = ["trusted-proxies"];

/// Reads the document. The result is of use only when nothing was found to be wrong.
pub(crate) fn read(document: &Document<'_>, found: &mut Findings) -> App {
    let mut app = App {
        file: document.file.to_owned(),
        root: document.root.to_owned(),
        name: String::new(),
        precedence: Precedence::LongestMatch,
        routes: Vec::new(),
        server: limits::standard().into_server(),
        components: None,
        apps: BTreeMap::new(),
    };
    // In another version each key may mean something else: what else is wrong cannot be known.
    if is_other_version(document, found) {
        return app;
    }
    document.table.refuse_unknown(&KEYS, found);
    app.name = name(document, found);
    let dapr = document.table.table("dapr", "`[dapr]`", found);
    if let Some(dapr) = &dapr {
        dapr.refuse_unknown(&DAPR_KEYS, found);
        app.apps = apps::apps(dapr, &app.name, found);
    }
    app.components = components(document, dapr.as_ref(), found);
    let limits = match document.table.table("limits", "`[limits]`", found) {
        Some(table) => limits::of_app(&table, document.source, found),
        None => limits::standard(),
    };
    app.server = limits.clone().into_server();
    if let Some(server) = document.table.table("server", "`[server]`", found) {
        server.refuse_unknown(&SERVER_KEYS, found);
        app.server.trusted_proxies = networks::networks(&server, "trusted-proxies", found);
    }
    app.routes = routes(document, limits, found);
    app
}

fn is_other_version(document: &Document<'_>, found: &mut Findings) -> bool {
    let Some(field) = document.table.get("version") else {
        let title = "a manifest needs `version`";
        let help = "add `version = 1` as the first line";
        found.error(Problem::new(document.table.span(), title).help(help));
        return false;
    };
    match field.integer("the integer 1", found) {
        Some(VERSION) | None => false,
        Some(other) => {
            let title = format!("version {other} of the manifest is not known");
            let help = format!("this release of Trilby reads version {VERSION}");
            found.error(Problem::new(field.span(), title).help(help));
            true
        }
    }
}

fn name(document: &Document<'_>, found: &mut Findings) -> String {
    let rules = "a name has letters, digits, `-`, `_` and `.`, and at most 64 of them";
    if let Some(field) = document.table.get("name") {
        let Some(text) = field.filled_text(found) else { return String::new() };
        if !is_app_id(text.text) {
            let title = format!("`{}` cannot be the name of a Dapr app", shown(text.text));
            found.error(Problem::new(text.span, title).help(rules));
        }
        return text.text.to_owned();
    }
    let folder = document.folder_name();
    if !is_app_id(&folder) {
        let title = format!("the folder's name `{}` cannot be the app's name", shown(&folder));
        let help = format!("add `name = \"{}\"`; {rules}", app_id_from(&folder));
        found.error(Problem::new(document.table.span(), title).help(help));
    }
    folder
}

fn components(
    document: &Document<'_>,
    dapr: Option<&Reader<'_>>,
    found: &mut Findings,
) -> Option<PathBuf> {
    let Some(field) = dapr.and_then(|dapr| dapr.get("components")) else {
        let folder = document.root.join("components");
        return folder.is_dir().then_some(folder);
    };
    let text = field.filled_text(found)?;
    let folder = document.root.join(text.text);
    if !folder.is_dir() {
        found.error(
            Problem::new(text.span, format!("there is no folder `{}`", shown(text.text)))
                .label(format!("looked for {}", shown(&folder.to_string_lossy())))
                .help("make the folder of Dapr component files, or leave the key out"),
        );
    }
    Some(folder)
}

fn routes(document: &Document<'_>, limits: AppLimits, found: &mut Findings) -> Vec<Route> {
    let table = &document.table;
    let env = match table.table("env", "`[env]`", found) {
        Some(env) => guest::env(&env, &BTreeMap::new(), found),
        None => BTreeMap::new(),
    };
    let defaults = Defaults { source: document.source, root: document.root, env, limits };
    let tables = table.tables("route", "a route", found);
    if table.get("route").is_none_or(|field| field.is_empty_array()) {
        let title = "there is no route, so nothing can be served";
        let help = "add a `[[route]]` with `path` and `module`";
        found.error(Problem::new(table.span(), title).help(help));
    }
    let mut drafts: Vec<_> =
        tables.iter().map(|table| route::read(table, &defaults, found)).collect();
    across::refuse_duplicates(&drafts, document.source, found);
    across::share_builds(&mut drafts, found);
    topic::share_subscriptions(&mut drafts, found);
    across::refuse_missing_modules(&drafts, found);
    drafts.into_iter().filter_map(route::Draft::finish).collect()
}

#[cfg(test)]
mod tests {

    use std::path::PathBuf;

    use super::*;
    use crate::testing::{Folder, loaded, report};

    const ROUTE: &str = "[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n";

    #[test]
    fn the_smallest_manifest_takes_all_defaults() {
        let loaded = loaded(&format!("version = 1\n{ROUTE}"));
        assert_eq!(loaded.warnings, [""; 0]);
        let app = loaded.app;
        assert_eq!(app.name, "app", "the folder's name");
        assert_eq!(app.file, PathBuf::from("trilby.toml"));
        assert_eq!(app.precedence, Precedence::LongestMatch);
        assert_eq!(app.components, None);
        assert_eq!(app.routes.len(), 1);
    }

    #[test]
    fn components_are_found_beside_the_manifest_or_where_it_says() {
        let text = format!("version = 1\n{ROUTE}");
        let folder = Folder::new().with("trilby.toml", &text).with("components/", "");
        let app = folder.load("").expect("valid").app;
        assert_eq!(app.components, Some(folder.path().join("components")));
        let named = format!("version = 1\ndapr.components = \"data\"\n{ROUTE}");
        let folder = folder.with("trilby.toml", &named);
        let app = folder.load("").expect("valid").app;
        assert_eq!(app.components, Some(folder.path().join("data")));
    }

    #[test]
    fn another_version_is_the_only_complaint() {
        insta::assert_snapshot!(report("version = 2\nnew-key = 1\n"), @r"
        error: version 2 of the manifest is not known
         --> trilby.toml:1:11
          |
        1 | version = 2
          |           ^
          |
          = help: this release of Trilby reads version 1
        ");
    }

    #[test]
    fn bad_top_level_keys_are_refused() {
        for (lines, expected) in [
            ("", "a manifest needs `version`"),
            ("version = \"1\"", "`version` must be the integer 1, found string"),
            ("version = 0", "version 0 of the manifest is not known"),
            ("version = 1\nname = 1", "`name` must be a string, found integer"),
            ("version = 1\nname = \"\"", "`name` must not be empty"),
            ("version = 1\nname = \"a b\"", "`a b` cannot be the name of a Dapr app"),
            ("version = 1\ndapr = 1", "`dapr` must be a table, found integer"),
            ("version = 1\ndapr.component = \"x\"", "unknown key `component` in `[dapr]`"),
            ("version = 1\ndapr.components = []", "`components` must be a string, found array"),
            ("version = 1\ndapr.components = \"none\"", "there is no folder `none`"),
            ("version = 1\nlimits = []", "`limits` must be a table, found array"),
            ("version = 1\nenv = []", "`env` must be a table, found array"),
            ("version = 1\nroutes = []", "unknown key `routes` in the manifest"),
        ] {
            let report = report(&format!("{lines}\n{ROUTE}"));
            assert!(report.starts_with(&format!("error: {expected}\n")), "{lines}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }

    #[test]
    fn a_manifest_without_routes_is_refused() {
        for (lines, expected) in [
            ("", "there is no route, so nothing can be served"),
            ("route = []", "there is no route, so nothing can be served"),
            ("[route]", "`route` must be an array of tables, found table"),
            ("route = [1]", "`route` must hold tables only, found integer"),
        ] {
            let report = report(&format!("version = 1\n{lines}\n"));
            assert!(report.starts_with(&format!("error: {expected}\n")), "{lines}: {report}");
        }
    }

    #[test]
    fn a_folder_whose_name_cannot_be_the_apps_is_shown() {
        let folder = Folder::new()
            .with("my app/trilby.toml", &format!("version = 1\n{ROUTE}"))
            .with("my app/a.wasm", "");
        insta::assert_snapshot!(folder.report("my app"), @r#"
        error: the folder's name `my app` cannot be the app's name
         --> my app/trilby.toml:1:1
          |
        1 | version = 1
          | ^
          |
          = help: add `name = "my-app"`; a name has letters, digits, `-`, `_` and `.`, and at most 64 of them
        "#);
    }

    #[test]
    fn all_problems_are_shown_at_once_in_file_order() {
        let text = "nmae = \"shop\"\n\n[dapr]\ncomponents = \"none\"\n\n[[route]]\n\
                    path = \"orders\"\nmodule = \"none.wasm\"\n\n[limits]\ndeadline = 10\n";
        insta::assert_snapshot!(report(text), @r#"
        error: a manifest needs `version`
         --> trilby.toml:1:1
          |
        1 | nmae = "shop"
          | ^
          |
          = help: add `version = 1` as the first line

        error: unknown key `nmae` in the manifest
         --> trilby.toml:1:1
          |
        1 | nmae = "shop"
          | ^^^^
          |
          = help: did you mean `name`?

        error: there is no folder `none`
         --> trilby.toml:4:14
          |
        4 | components = "none"
          |              ^^^^^^ looked for none
          |
          = help: make the folder of Dapr component files, or leave the key out

        error: path `orders` does not start with `/`
         --> trilby.toml:7:8
          |
        7 | path = "orders"
          |        ^^^^^^^^
          |
          = help: a path is written `/orders`, or `/orders/...`

        error: this module is missing
         --> trilby.toml:8:10
          |
        8 | module = "none.wasm"
          |          ^^^^^^^^^^^ looked for none.wasm
          |
          = help: name a `.wasm` or `.wat` file, or add `build = "…"` to have it made

        error: `deadline` must be a duration such as "10s", found integer
          --> trilby.toml:11:12
           |
        11 | deadline = 10
           |            ^^
        "#);
    }
}
