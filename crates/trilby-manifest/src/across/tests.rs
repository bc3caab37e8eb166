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

#[test]
fn hosts_methods_and_shapes_tell_paths_apart() {
    let route = |lines: &str| format!("{lines}\nmodule = \"a.wasm\"");
    let differ = [
        "path = \"/a\"\nmethods = [\"GET\", \"PUT\"]",
        "path = \"/a\"\nmethods = [\"POST\"]",
        "path = \"/a\"\nhost = \"a.de\"",
        "path = \"/a\"\nhost = \"*.a.de\"\nmethods = [\"GET\"]",
        "path = \"/:id\"",
        "path = \"/:id/...\"",
    ]
    .map(route);
    let all: Vec<_> = differ.iter().map(String::as_str).collect();
    assert_eq!(loaded(&routes(&all)).app.routes.len(), 6);
    for (first, second, named) in [
        ("path = \"/a\"", "path = \"/a\"\nmethods = [\"GET\"]", "path `/a`"),
        ("path = \"/a\"\nmethods = [\"GET\"]", "path = \"/a\"", "path `/a`"),
        (
            "path = \"/a\"\nmethods = [\"GET\", \"PUT\"]",
            "path = \"/a\"\nmethods = [\"POST\", \"PUT\"]",
            "path `/a`",
        ),
        ("path = \"/a\"\nmethods = [\"HEAD\"]", "path = \"/a\"\nmethods = [\"GET\"]", "path `/a`"),
        (
            "path = \"/a\"\nhost = \"A.de\"",
            "path = \"/a\"\nhost = \"a.de\"",
            "path `/a` of host `a.de`",
        ),
        ("path = \"/u/:id/x\"", "path = \"/u/:name/x\"", "path `/u/:name/x`"),
    ] {
        let report = report(&routes(&[&route(first), &route(second)]));
        let title = format!("error: {named} has two routes, on lines 4 and ");
        assert!(report.starts_with(&title), "{first} {second}: {report}");
        assert_eq!(report.matches("error:").count(), 1, "{report}");
    }
}
