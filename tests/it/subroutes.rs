//! Modules as they were made for WAGI years ago: `_routes`, and WASI's snapshot 0.

use anyhow::Result;
use insta::assert_snapshot;
use trilby_testkit::{Launch, repository};

use crate::folder::Folder;

/// An old module, as text.
fn legacy(name: &str) -> Result<String> {
    Ok(std::fs::read_to_string(repository().join("tests/guests/legacy").join(name))?)
}

/// A module that says this when it is asked for its routes.
fn with_routes(text: &str, ending: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get"
                (func $environ (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) {text:?})
            (func (export "_start"))
            (func (export "_routes")
                (i32.store (i32.const 0) (i32.const 64))
                (i32.store (i32.const 4) (i32.const {}))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
                {ending}))"#,
        text.len()
    )
}

#[tokio::test]
async fn the_old_guests_are_served() -> Result<()> {
    let folder = Folder::new()?;
    let guests = repository().join("tests/guests/legacy");
    let trilby = Launch::new(guests, folder.path("")).start().await?;
    let answer = trilby.http.post("/unstable", "a body").await?;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, "snapshot 0\na body"));

    for (path, word, route, script_name, path_info) in [
        ("/many/one", "one", "/many/one", "/many/one", ""),
        ("/many/two", "two", "/many/two/...", "/many/two", ""),
        ("/many/two/y/z", "two", "/many/two/...", "/many/two", "/y/z"),
        // Of the sub-routes the last declared goes first.
        ("/many/two/x", "last", "/many/two/x", "/many/two/x", ""),
        // The module's own route is the last resort.
        ("/many", "start", "/many/...", "/many", ""),
        ("/many/one/x", "start", "/many/...", "/many", "/one/x"),
        ("/many/three", "start", "/many/...", "/many", "/three"),
    ] {
        let text = trilby.http.get(path).await?.text();
        assert!(text.starts_with(&format!("{word}\n")), "{path}: {text:?}");
        for (name, value) in
            [("X_MATCHED_ROUTE", route), ("SCRIPT_NAME", script_name), ("PATH_INFO", path_info)]
        {
            let variable = format!("{name}={value}\0");
            assert!(text.contains(&variable), "{path}: no {variable:?} in {text:?}");
        }
    }
    Ok(())
}

/// Each module's sub-routes stand where its own route does.
#[tokio::test]
async fn earlier_entries_still_come_first() -> Result<()> {
    let entry = |route: &str, module: &str| {
        format!("[[module]]\nroute = \"{route}\"\nmodule = \"{module}\"\n")
    };
    let manifest = [
        entry("/many/one", "a.wat"),
        // An exact route has sub-routes, too.
        entry("/many", "routes.wat"),
        entry("/many/...", "a.wat"),
        // The root's own have no second slash.
        entry("/...", "routes.wat"),
    ]
    .concat();
    let folder = Folder::new()?.with("modules.toml", manifest)?;
    let folder = folder.with("routes.wat", legacy("routes.wat")?)?;
    let folder = folder.with("a.wat", crate::folder::saying("other\n"))?;
    let trilby = folder.launch().start().await?;
    for (path, word) in [
        ("/many/one", "other"),
        ("/many/two/x", "last"),
        ("/many/two/y", "two"),
        ("/many", "start"),
        ("/many/three", "other"),
        ("/one", "one"),
        ("/two", "two"),
        ("/two/x", "last"),
        ("/three", "start"),
    ] {
        let text = trilby.http.get(path).await?.text();
        assert_eq!(text.lines().next(), Some(word), "{path}");
    }
    Ok(())
}

/// `_routes` is WAGI's; a `trilby.toml` has all routes itself.
#[tokio::test]
async fn only_wagis_manifest_asks_for_sub_routes() -> Result<()> {
    let manifest = "version = 1\n[[route]]\npath = '/many'\nmodule = 'routes.wat'\n";
    let folder = Folder::new()?.with("trilby.toml", manifest)?;
    let folder = folder.with("routes.wat", legacy("routes.wat")?)?;
    let trilby = folder.launch().start().await?;
    assert!(trilby.http.get("/many").await?.text().starts_with("start\n"));
    assert_eq!(trilby.http.get("/many/one").await?.status, 404);
    Ok(())
}

/// It has none of what a request has: where it finds a variable, it traps.
#[tokio::test]
async fn routes_are_asked_for_without_an_environment() -> Result<()> {
    let ending = "(if (call $environ (i32.const 16) (i32.const 20)) (then unreachable))
                  (if (i32.load (i32.const 16)) (then unreachable))";
    let manifest = "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?;
    let folder = folder.with("a.wat", with_routes("/sub _start\n", ending))?;
    let trilby = folder.launch().args(&["--env", "SECRET=1"]).start().await?;
    // The guest answers nothing, but it is there.
    assert_eq!(trilby.http.get("/sub").await?.status, 502);
    assert_eq!(trilby.http.get("/other").await?.status, 404);
    Ok(())
}

async fn refused(module: &str) -> Result<String> {
    let manifest = "[[module]]\nroute = \"/many/...\"\nmodule = \"old.wat\"\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?.with("old.wat", module)?;
    folder.refused().await
}

#[tokio::test]
async fn a_sub_route_needs_its_function() -> Result<()> {
    assert_snapshot!(refused(&legacy("routes-absent.wat")?).await?, @r#"
    error: module ./old.wat: `_routes` wrote the function "absent", which the module does not export
     --> modules.toml:3:10
      |
    3 | module = "old.wat"
      |          ^^^^^^^^^
      |
      = help: it prints a line for each sub-route, `/path function` or `/path/... function`
    "#);
    Ok(())
}

/// All of them, in one start.
#[tokio::test]
async fn bad_sub_routes_are_refused() -> Result<()> {
    let modules = [
        ("empty", legacy("routes-empty.wat")?),
        ("fields", legacy("routes-fields.wat")?),
        ("trap", legacy("routes-trap.wat")?),
        ("utf8", legacy("routes-utf8.wat")?),
        ("exit", with_routes("/one _start\n", "(call $exit (i32.const 3))")),
        ("query", with_routes("/one?two _start\n", "")),
        ("one-word", with_routes("/one\n", "")),
        (
            "endless",
            with_routes(
                "/one _start\n",
                "(loop $on
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (br $on))",
            ),
        ),
    ];
    let mut folder = Folder::new()?;
    let mut manifest = String::new();
    for (name, text) in modules {
        manifest.push_str(&format!("[[module]]\nroute = \"/{name}\"\nmodule = \"{name}.wat\"\n"));
        folder = folder.with(&format!("{name}.wat"), text)?;
    }
    assert_snapshot!(folder.with("modules.toml", manifest)?.refused().await?, @r#"
    error: module ./empty.wat: `_routes` wrote no route
     --> modules.toml:3:10
      |
    3 | module = "empty.wat"
      |          ^^^^^^^^^^^
      |
      = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./fields.wat: `_routes` wrote "/two _start more", which is not two words
     --> modules.toml:6:10
      |
    6 | module = "fields.wat"
      |          ^^^^^^^^^^^^
      |
      = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./trap.wat: `_routes` trapped: wasm trap: wasm `unreachable` instruction executed (in ?)
     --> modules.toml:9:10
      |
    9 | module = "trap.wat"
      |          ^^^^^^^^^^
      |
      = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./utf8.wat: `_routes` wrote what is not UTF-8
      --> modules.toml:12:10
       |
    12 | module = "utf8.wat"
       |          ^^^^^^^^^^
       |
       = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./exit.wat: `_routes` exited with code 3
      --> modules.toml:15:10
       |
    15 | module = "exit.wat"
       |          ^^^^^^^^^^
       |
       = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./query.wat: `_routes` wrote the path "/query/one?two": a route has a path only; leave out `?` and what follows it
      --> modules.toml:18:10
       |
    18 | module = "query.wat"
       |          ^^^^^^^^^^^
       |
       = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./one-word.wat: `_routes` wrote "/one", which is not two words
      --> modules.toml:21:10
       |
    21 | module = "one-word.wat"
       |          ^^^^^^^^^^^^^^
       |
       = help: it prints a line for each sub-route, `/path function` or `/path/... function`

    error: module ./endless.wat: `_routes` wrote more than 65536 bytes
      --> modules.toml:24:10
       |
    24 | module = "endless.wat"
       |          ^^^^^^^^^^^^^
       |
       = help: it prints a line for each sub-route, `/path function` or `/path/... function`
    "#);
    Ok(())
}
