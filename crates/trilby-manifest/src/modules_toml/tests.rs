use super::*;
use crate::testing::Folder;
use crate::{Loaded, Target};

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
    let text = "[[module]]\nroute = \"/:x/...\"\nmodule = \"a.wasm\"\nentrypoint = \"run\"\n\
                argv = \"${SCRIPT_NAME} x ${ARGS}\"\nvolumes = { \"/d\" = \"data\" }\n\n\
                [[module]]\nroute = \"/b\"\nmodule = \"b.wasm\"\n";
    let (folder, Loaded { app, warnings, .. }) = loaded(text);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(app.precedence, Precedence::FirstMatch);
    assert_eq!(app.name, "app");
    assert_eq!(app.components, None);
    let host = folder.path().join("data");
    let volume = Volume { guest: "/d".into(), host, writable: true };
    let first = &app.routes[0];
    let trigger = Trigger::Http { path: "/:x/...".into(), methods: vec![], host: None };
    assert_eq!(first.trigger, trigger);
    assert_eq!(first.target, Target::Module(folder.path().join("a.wasm")));
    assert_eq!(first.entrypoint, "run");
    assert_eq!(first.argv.as_deref(), Some("${SCRIPT_NAME} x ${ARGS}"));
    assert_eq!(first.volumes, [volume]);
    assert_eq!(first.place.line, 1);
    let second = &app.routes[1];
    assert_eq!(second.entrypoint, "_start");
    assert_eq!((&second.argv, &second.build), (&None, &None));
    assert!(second.env.is_empty() && second.volumes.is_empty() && second.grants.is_empty());
    assert_eq!((second.limits.clone(), second.origins.clone()), limits::standard().of_route());
}

#[test]
fn a_file_url_is_a_module() {
    let folder = Folder::new();
    let module = folder.path().join("a.wasm");
    let text = format!("[[module]]\nroute = \"/\"\nmodule = \"file://{}\"\n", module.display());
    let folder = folder.with("modules.toml", &text);
    assert_eq!(folder.load("").expect("valid").app.routes[0].target, Target::Module(module));
}

#[test]
fn what_wagi_tolerates_is_a_warning() {
    let text = "default_host = \"x\"\n\n[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\n\
                entry_point = \"x\"\nargv = \"${ARG}\"\n\
                volumes = { \"/d\" = \"none\" }\n\n\
                [[module]]\nroute = \"/\"\nmodule = \"b.wasm\"\n\n\
                [[module]]\n\nroute = \"/a/...\"\nmodule = \"b.wasm\"\n\
                [[module]]\nroute = \"/a/b\"\nmodule = \"b.wasm\"\n";
    let (folder, Loaded { app, warnings, .. }) = loaded(text);
    assert_eq!(app.routes.len(), 4);
    assert_eq!(app.routes[0].volumes, []);
    let warnings: Vec<_> = warnings.iter().map(|line| folder.relative(line)).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r"
    modules.toml:1:1: unknown key `default_host` is ignored, as WAGI does
    modules.toml:6:1: unknown key `entry_point` is ignored, as WAGI does; did you mean `entrypoint`?
    modules.toml:7:8: `argv` has the unknown placeholder `${ARG}`; did you mean `${ARGS}`?
    modules.toml:8:20: there is no folder `none`: guests run without it
    modules.toml:11:9: route `/` is never reached: line 4 has it too
    modules.toml:19:9: route `/a/b` is never reached: `/a/...` on line 16 comes first
    ");
}

#[test]
fn what_is_not_supported_is_shown() {
    let text = "[[module]]\nroute = \"/b\"\nmodule = \"bindle:foo/1.0\"\n\
                bindle_server = \"http://x\"\nlimits = {}\n";
    insta::assert_snapshot!(report(text), @r#"
    error: `bindle:` modules are not supported
     --> modules.toml:3:10
      |
    3 | module = "bindle:foo/1.0"
      |          ^^^^^^^^^^^^^^^^
      |
      = help: a module is a file, or in an OCI registry (`oci:ghcr.io/owner/app:1.0`); a file whose name has a `:` is written `./a:b.wasm`

    error: `bindle_server` is not supported: modules come from files and OCI registries
     --> modules.toml:4:1
      |
    4 | bindle_server = "http://x"
      | ^^^^^^^^^^^^^
      |
      = help: name the module's file or `oci:` reference, and remove this

    warning: modules.toml:5:1: unknown key `limits` is ignored, as WAGI does; `limits` is a key of `trilby.toml`, to which this can be migrated
    "#);
}

#[test]
fn a_module_in_a_registry_is_left_for_later() {
    let text = "[[module]]\nroute = \"/a\"\nmodule = \"OCI://localhost:5000/foo:1\"\n";
    let (_, loaded) = loaded(text);
    let target = Target::Registry("//localhost:5000/foo:1".into());
    assert_eq!(loaded.app.routes[0].target, target);
}

#[test]
fn outbound_http_is_read_as_wagi_has_it() {
    let text = "[[module]]\nroute = \"/a\"\nmodule = \"a.wasm\"\n\
                allowed_hosts = [\"https://a.de/x\", \"insecure:allow-all\"]\n\
                http_max_concurrency = 4294967295\n";
    let (folder, Loaded { app, warnings, .. }) = loaded(text);
    let route = &app.routes[0];
    assert!(route.allowed_hosts[0].allows(true, "a.de", 443));
    assert!(route.allowed_hosts[1].is_everything());
    assert_eq!(route.limits.http_calls_max, 4_294_967_295);
    assert_eq!(route.origins["http-calls"], Origin::Route(5));
    let warnings: Vec<_> = warnings.iter().map(|line| folder.relative(line)).collect();
    insta::assert_snapshot!(warnings.join("\n"), @"modules.toml:4:17: `insecure:allow-all` lets the guest call every public host; name the hosts that it needs");
}

#[test]
fn a_misspelt_key_that_is_missing_is_shown_once() {
    let text = "[[module]]\nroutes = \"/a\"\nmodul = \"a.wasm\"\nrout = 1\n\n\
                [[module]]\nroute = \"/b\"\nroutes = \"/c\"\nmodule = \"a.wasm\"\nx = 1\n";
    insta::assert_snapshot!(report(text), @r#"
    error: unknown key `routes`, and `route` is missing
     --> modules.toml:2:1
      |
    2 | routes = "/a"
      | ^^^^^^
      |
      = help: did you mean `route`?

    error: unknown key `modul`, and `module` is missing
     --> modules.toml:3:1
      |
    3 | modul = "a.wasm"
      | ^^^^^
      |
      = help: did you mean `module`?

    warning: modules.toml:4:1: unknown key `rout` is ignored, as WAGI does; did you mean `route`?
    warning: modules.toml:8:1: unknown key `routes` is ignored, as WAGI does; did you mean `route`?
    warning: modules.toml:10:1: unknown key `x` is ignored, as WAGI does
    "#);
    let report = report("[[modules]]\nroute = \"/\"\nmodule = \"a.wasm\"\n");
    assert!(
        report.starts_with("error: unknown key `modules`, and `module` is missing\n"),
        "{report}"
    );
    assert_eq!(report.matches("error:").count(), 1, "{report}");
}

#[test]
fn parts_of_an_entry_can_be_pointed_to() {
    let text = "[[module]]\nroute = \"/a\"\nmodule = \"a.wasm\"\nentrypoint = \"run\"\n";
    let (_, loaded) = loaded(text);
    let parts = &loaded.app.routes[0].place.parts;
    for (part, expected) in [
        (Part::Route, Some("[[module]]")),
        (Part::Trigger, Some("\"/a\"")),
        (Part::Module, Some("\"a.wasm\"")),
        (Part::Entrypoint, Some("\"run\"")),
        (Part::Grants, None),
        (Part::Limits, None),
    ] {
        assert_eq!(parts.get(&part).map(|span| &text[span.clone()]), expected, "{part:?}");
    }
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
        ("[[module]]\nroute = 1\nmodule = \"a.wasm\"", "`route` must be a string, found integer"),
        ("[[module]]\nroute = \"a\"\nmodule = \"a.wasm\"", "path `a` does not start with `/`"),
        ("[[module]]\nroute = \"/healthz\"\nmodule = \"a.wasm\"", "path `/healthz` is reserved"),
        ("[[module]]\nroute = \"/\"\nmodule = \"s3:a\"", "`s3:` modules are not supported"),
        (
            "[[module]]\nroute = \"/\"\nmodule = \"oci:a b\"",
            "`oci:a b` is not the reference of a module",
        ),
        (
            "[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\nhttp_max_concurrency = 0",
            "`http_max_concurrency` must be between 1 and 4294967295",
        ),
        (
            "[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\nallowed_hosts = \"x\"",
            "`allowed_hosts` must be an array of strings, found string",
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
