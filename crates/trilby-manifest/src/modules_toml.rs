//! WAGI's `modules.toml`. What differs from WAGI is in the crate's documentation.

use std::collections::BTreeMap;
use std::path::Path;

use crate::findings::{Findings, Problem, Span, shown};
use crate::load::Document;
use crate::names::app_id_from;
use crate::reader::{Field, Reader, Text};
use crate::{
    App, Grants, Precedence, Route, Trigger, Volume, guest, limits, paths, reference, route,
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

/// Reads the document. The result is of use only when nothing was found to be wrong.
pub(crate) fn read(document: &Document<'_>, found: &mut Findings) -> App {
    let table = &document.table;
    if let Some(field) = table.get("route") {
        let title = "`[[module]]` is of WAGI's `modules.toml`, `[[route]]` of `trilby.toml`";
        let help =
            "a file has one of the two; in a `trilby.toml` each module is in its `[[route]]`";
        found.error(Problem::new(field.key, title).help(help));
    }
    ignore_unknown(table, &["module", "route"], found);
    let entries = table.tables("module", "a module", found);
    if table.get("module").is_none_or(|field| field.is_empty_array()) {
        let title = "there is no module, so nothing can be served";
        let help = "add a `[[module]]` with `route` and `module`";
        found.error(Problem::new(table.span(), title).help(help));
    }
    let mut taken = BTreeMap::new();
    let routes =
        entries.iter().filter_map(|entry| read_entry(entry, document, &mut taken, found)).collect();
    App {
        file: document.file.to_owned(),
        root: document.root.to_owned(),
        name: app_id_from(&document.folder_name()),
        precedence: Precedence::FirstMatch,
        routes,
        components: None,
    }
}

fn ignore_unknown(table: &Reader<'_>, known: &[&str], found: &mut Findings) {
    for (field, meant) in table.unknown(known) {
        let title = format!("unknown key `{}` is ignored, as WAGI does", shown(field.name));
        let problem = Problem::new(field.key, title);
        found.warn(match meant {
            Some(meant) => problem.help(format!("did you mean `{meant}`?")),
            None => problem,
        });
    }
}

fn read_entry(
    entry: &Reader<'_>,
    document: &Document<'_>,
    taken: &mut BTreeMap<String, Span>,
    found: &mut Findings,
) -> Option<Route> {
    ignore_unknown(entry, &KEYS, found);
    for field in ["allowed_hosts", "http_max_concurrency"].iter().filter_map(|key| entry.get(key)) {
        let title = format!("`{}` has no effect: guests have no outbound HTTP", field.name);
        found.warn(Problem::new(field.key, title));
    }
    if let Some(field) = entry.get("bindle_server") {
        let title = "`bindle_server` is not supported: modules come from files only";
        found.error(Problem::new(field.key, title).help("name the module's file, and remove this"));
    }
    let path = entry.required("route", "route = \"/\"", found);
    let path = path.and_then(|text| {
        let path = paths::check(&text, found)?;
        warn_of_shadow(&text, document, taken, found);
        Some(path)
    });
    let module = entry
        .required("module", "module = \"app.wasm\"", found)
        .and_then(|text| reference::file(&text, document.root, found));
    let volumes = entry.table("volumes", "`volumes`", found);
    let volumes = volumes.map(|table| volumes_of(&table, document.root, found)).unwrap_or_default();
    let entrypoint = route::entrypoint(entry, found);
    let argv = route::argv(entry, found);
    Some(Route {
        trigger: Trigger::Http { path: path? },
        module: module?,
        build: None,
        entrypoint,
        argv,
        env: BTreeMap::new(),
        volumes,
        grants: Grants::default(),
        limits: limits::standard(),
        place: document.source.place(&entry.span()),
    })
}

/// WAGI accepts a route twice; only the first is ever reached.
fn warn_of_shadow(
    path: &Text<'_>,
    document: &Document<'_>,
    taken: &mut BTreeMap<String, Span>,
    found: &mut Findings,
) {
    match taken.get(path.text) {
        Some(first) => {
            let line = document.source.line(first.start);
            let title =
                format!("route `{}` is never reached: line {line} has it too", shown(path.text));
            found.warn(Problem::new(path.span.clone(), title));
        }
        None => {
            taken.insert(path.text.to_owned(), path.span.clone());
        }
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
    let host =
        reference::beside_or_here(path, root, Path::is_dir).filter(|_| !text.text.is_empty());
    if host.is_none() {
        let title = format!("there is no folder `{}`: guests run without it", shown(text.text));
        found.warn(Problem::new(text.span, title));
    }
    Some(Volume { guest: guest?, host: host?, writable: true })
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::Loaded;
    use crate::testing::Folder;

    fn loaded(text: &str) -> (Folder, Loaded) {
        let folder = Folder::new().with("modules.toml", text);
        let loaded = folder.load("").unwrap_or_else(|error| panic!("{error}"));
        (folder, loaded)
    }

    fn report(text: &str) -> String {
        Folder::new().with("modules.toml", text).report("")
    }

    #[test]
    fn an_entry_is_read_as_wagi_reads_it() {
        let text = "[[module]]\nroute = \"/...\"\nmodule = \"a.wasm\"\nentrypoint = \"run\"\n\
                    argv = \"${SCRIPT_NAME} x ${ARGS}\"\nvolumes = { \"/d\" = \"data\" }\n\n\
                    [[module]]\nroute = \"/b\"\nmodule = \"b.wasm\"\n";
        let (folder, Loaded { app, warnings }) = loaded(text);
        assert_eq!(warnings, [""; 0]);
        assert_eq!(app.precedence, Precedence::FirstMatch);
        assert_eq!(app.name, "app");
        assert_eq!(app.components, None);
        let host = folder.path().join("data");
        let volume = Volume { guest: "/d".into(), host, writable: true };
        let first = &app.routes[0];
        assert_eq!(first.trigger, Trigger::Http { path: "/...".into() });
        assert_eq!(first.module, folder.path().join("a.wasm"));
        assert_eq!(first.entrypoint, "run");
        assert_eq!(first.argv.as_deref(), Some("${SCRIPT_NAME} x ${ARGS}"));
        assert_eq!(first.volumes, [volume]);
        assert_eq!(first.place.line, 1);
        let second = &app.routes[1];
        assert_eq!(second.entrypoint, "_start");
        assert_eq!((&second.argv, &second.build), (&None, &None));
        assert!(second.env.is_empty() && second.volumes.is_empty() && second.grants.is_empty());
        assert_eq!(second.limits, limits::standard());
    }

    #[test]
    fn a_file_url_is_a_module() {
        let folder = Folder::new();
        let module = folder.path().join("a.wasm");
        let text = format!("[[module]]\nroute = \"/\"\nmodule = \"file://{}\"\n", module.display());
        let folder = folder.with("modules.toml", &text);
        assert_eq!(folder.load("").expect("valid").app.routes[0].module, module);
    }

    #[test]
    fn what_wagi_tolerates_is_a_warning() {
        let text = "default_host = \"x\"\n\n[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\n\
                    entry_point = \"x\"\nallowed_hosts = []\nhttp_max_concurrency = 1\n\
                    volumes = { \"/d\" = \"none\" }\n\n\
                    [[module]]\nroute = \"/\"\nmodule = \"b.wasm\"\n";
        let (folder, Loaded { app, warnings }) = loaded(text);
        assert_eq!(app.routes.len(), 2);
        assert_eq!(app.routes[0].volumes, []);
        let warnings: Vec<_> = warnings.iter().map(|line| folder.relative(line)).collect();
        insta::assert_snapshot!(warnings.join("\n"), @r"
        modules.toml:1:1: unknown key `default_host` is ignored, as WAGI does
        modules.toml:6:1: unknown key `entry_point` is ignored, as WAGI does; did you mean `entrypoint`?
        modules.toml:7:1: `allowed_hosts` has no effect: guests have no outbound HTTP
        modules.toml:8:1: `http_max_concurrency` has no effect: guests have no outbound HTTP
        modules.toml:9:20: there is no folder `none`: guests run without it
        modules.toml:12:9: route `/` is never reached: line 4 has it too
        ");
    }

    #[test]
    fn what_is_not_supported_is_shown() {
        let text = "[[module]]\nroute = \"/a\"\nmodule = \"oci:foo/bar:1\"\n\n\
                    [[module]]\nroute = \"/b\"\nmodule = \"bindle:foo/1.0\"\n\
                    bindle_server = \"http://x\"\n";
        insta::assert_snapshot!(report(text), @r#"
        error: `oci:` modules are not supported: modules come from files only
         --> modules.toml:3:10
          |
        3 | module = "oci:foo/bar:1"
          |          ^^^^^^^^^^^^^^^
          |
          = help: fetch the module first, and name its file here

        error: `bindle:` modules are not supported: modules come from files only
         --> modules.toml:7:10
          |
        7 | module = "bindle:foo/1.0"
          |          ^^^^^^^^^^^^^^^^
          |
          = help: fetch the module first, and name its file here

        error: `bindle_server` is not supported: modules come from files only
         --> modules.toml:8:1
          |
        8 | bindle_server = "http://x"
          | ^^^^^^^^^^^^^
          |
          = help: name the module's file, and remove this
        "#);
    }

    #[test]
    fn a_missing_module_is_shown() {
        let text = "[[module]]\nroute = \"/a\"\nmodule = \"none.wasm\"\n";
        insta::assert_snapshot!(report(text), @r#"
        error: this module is missing
         --> modules.toml:3:10
          |
        3 | module = "none.wasm"
          |          ^^^^^^^^^^^ looked for none.wasm
          |
          = help: a relative path starts at the manifest's folder, or else at the working directory
        "#);
    }

    #[test]
    fn bad_entries_are_refused() {
        for (text, expected) in [
            ("", "there is no module, so nothing can be served"),
            ("module = []", "there is no module, so nothing can be served"),
            ("[module]", "`module` must be an array of tables, found table"),
            ("[[module]]\nmodule = \"a.wasm\"", "a module needs `route`"),
            ("[[module]]\nroute = \"/\"", "a module needs `module`"),
            (
                "[[module]]\nroute = 1\nmodule = \"a.wasm\"",
                "`route` must be a string, found integer",
            ),
            ("[[module]]\nroute = \"a\"\nmodule = \"a.wasm\"", "path `a` does not start with `/`"),
            (
                "[[module]]\nroute = \"/healthz\"\nmodule = \"a.wasm\"",
                "path `/healthz` is reserved",
            ),
            (
                "[[module]]\nroute = \"/\"\nmodule = \"s3:a\"",
                "`s3:` modules are not supported: modules come from files only",
            ),
            (
                "[[module]]\nroute = \"/\"\nmodule = \"file://host/a.wasm\"",
                "`file://host/a.wasm` is not the URL of a file here",
            ),
            (
                "[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\nvolumes = { \"/a\" = 1 }",
                "`/a` must be a folder, found integer",
            ),
            (
                "[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\n[[route]]\n",
                "`[[module]]` is of WAGI's `modules.toml`, `[[route]]` of `trilby.toml`",
            ),
        ] {
            let report = report(text);
            assert!(report.starts_with(&format!("error: {expected}\n")), "{text}: {report}");
            assert_eq!(report.matches("error:").count(), 1, "{report}");
        }
    }
}
