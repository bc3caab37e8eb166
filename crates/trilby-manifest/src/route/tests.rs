use super::*;
use crate::testing::{loaded, report};

#[test]
fn a_route_takes_its_defaults() {
    let route = loaded("version = 1\n\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n")
        .app
        .routes
        .remove(0);
    assert_eq!(route.target, Target::Module("a.wasm".into()));
    assert_eq!(route.build, None);
    assert_eq!(route.entrypoint, "_start");
    assert_eq!(route.argv, None);
    assert_eq!(route.place.line, 3);
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
    let text = "version = 1\n[[route]]\npath = \"/\"\nmodule = \"made.wasm\"\nbuild = \"make\"\n";
    let build = loaded(text).app.routes.remove(0).build;
    assert_eq!(build.map(|build| build.sources), Some(vec![PathBuf::from(".")]));
}

#[test]
fn bad_keys_of_a_route_are_refused() {
    for (lines, expected) in [
        ("module = 1", "`module` must be a string, found integer"),
        ("module = \"\"", "`module` must not be empty"),
        ("", "a route needs `module` or `files`"),
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
      = help: known keys: path, methods, host, topic, match, dead-letter, bulk, raw-payload, envelope, binding, job, configuration, module, files, build, sources, entrypoint, argv, env, volumes, grants, allowed-hosts, allowed-networks, authorization, response-headers, limits
    "#);
}

#[test]
fn files_are_served_below_a_prefix() {
    let text = "version = 1\n[[route]]\npath = \"/a/...\"\nfiles = \"data\"\n\
                limits = { deadline = \"1s\" }\nresponse-headers = { A = \"b\" }\n";
    let route = loaded(text).app.routes.remove(0);
    assert_eq!(route.target, Target::Files("data".into()));
    assert_eq!(route.response_headers.len(), 1);
}

#[test]
fn modules_come_from_files_and_registries() {
    let target = |module: &str| {
        let text = format!(
            "version = 1\n[[route]]\npath = \"/\"\nmodule = \"{module}\"\nbuild = \"make\""
        );
        loaded(&text).app.routes.remove(0).target
    };
    assert_eq!(target("a.wasm"), Target::Module("a.wasm".into()));
    assert_eq!(target("file:///x/a%20b.wasm"), Target::Module("/x/a b.wasm".into()));
    assert_eq!(target("./a:b.wasm"), Target::Module("a:b.wasm".into()));
    let text = "version = 1\n[[route]]\npath = \"/\"\nmodule = \"oci:ghcr.io/a/b:1\"\n";
    let registry = Target::Registry("ghcr.io/a/b:1".into());
    assert_eq!(loaded(text).app.routes[0].target, registry);
}

#[test]
fn files_and_modules_do_not_mix() {
    for (lines, expected, count) in [
        ("path = \"/...\"\nfiles = \"none\"", "there is no folder `none` to serve", 1),
        ("path = \"/...\"\nfiles = \"a.wasm\"", "there is no folder `a.wasm` to serve", 1),
        ("path = \"/...\"\nfiles = \"\"", "`files` must not be empty", 1),
        ("path = \"/a\"\nfiles = \"data\"", "the path of `files` must end in `/...`", 1),
        ("topic = \"b/t\"\nfiles = \"data\"", "`files` means nothing without `path`", 1),
        (
            "path = \"/...\"\nfiles = \"data\"\nmodule = \"a.wasm\"",
            "a route cannot have both `module` and `files`",
            1,
        ),
        ("path = \"/...\"\nfile = \"data\"", "unknown key `file` in a route", 1),
        (
            "path = \"/...\"\nfiles = \"data\"\nbuild = \"x\"\nsources = []\nentrypoint = \"x\"\n\
             argv = \"\"\nenv = {}\nvolumes = {}\ngrants = {}\nallowed-hosts = []\n\
             allowed-networks = []\nauthorization = true",
            "`build` means nothing with `files`",
            10,
        ),
        (
            "path = \"/\"\nmodule = \"oci:a:1\"\nbuild = \"make\"",
            "`build` means nothing for a module from a registry",
            1,
        ),
        ("path = \"/\"\nmodule = \"oci:a@1\"", "`oci:a@1` is not the reference of a module", 1),
        ("path = \"/\"\nmodule = \"https://a\"", "`https:` modules are not supported", 1),
        (
            "path = \"/\"\nmodule = \"a.wasm\"\nargv = \"${PATH}\"",
            "`argv` has the unknown placeholder `${PATH}`",
            1,
        ),
    ] {
        let report = report(&format!("version = 1\n[[route]]\n{lines}\n"));
        assert!(report.starts_with(&format!("error: {expected}\n")), "{lines}: {report}");
        assert_eq!(report.matches("error:").count(), count, "{report}");
    }
}

#[test]
fn an_exact_path_of_files_is_shown() {
    let text = "version = 1\n[[route]]\npath = \"/a/\"\nfiles = \"data\"\nargv = \"${AGRS}\"\n";
    insta::assert_snapshot!(report(text), @r#"
    error: the path of `files` must end in `/...`
     --> trilby.toml:3:8
      |
    3 | path = "/a/"
      |        ^^^^^
    4 | files = "data"
      |         ------ the files
      |
      = help: write `path = "/a/..."`

    error: `argv` means nothing with `files`
     --> trilby.toml:5:1
      |
    5 | argv = "${AGRS}"
      | ^^^^
      |
      = help: it is for modules: leave it out

    error: `argv` has the unknown placeholder `${AGRS}`
     --> trilby.toml:5:8
      |
    5 | argv = "${AGRS}"
      |        ^^^^^^^^^
      |
      = help: did you mean `${ARGS}`?
    "#);
}

#[test]
fn parts_of_a_route_can_be_pointed_to() {
    let text = "version = 1\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\nentrypoint = \"run\"\n\
                limits.deadline = \"1s\"\n[route.grants]\nstate = [\"s\"]\n";
    let parts = loaded(text).app.routes.remove(0).place.parts;
    for (part, expected) in [
        (Part::Route, "[[route]]"),
        (Part::Trigger, "\"/\""),
        (Part::Module, "\"a.wasm\""),
        (Part::Entrypoint, "\"run\""),
        (Part::Limits, "limits"),
        (Part::Grants, "[route.grants]"),
    ] {
        assert_eq!(&text[parts[&part].clone()], expected, "{part:?}");
    }
}
