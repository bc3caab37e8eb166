//! WAGI's `modules.toml`, served as WAGI serves it.

use anyhow::Result;
use insta::assert_snapshot;

use crate::folder::{Folder, saying};

/// Answers its arguments, each with a NUL after it.
const ARGUMENTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get"
        (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "content-type: text/plain\n\n")
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 20)))
        (drop (call $args (i32.const 1024) (i32.const 4096)))
        (i32.store (i32.const 8) (i32.const 64))
        (i32.store (i32.const 12) (i32.const 26))
        (i32.store (i32.const 16) (i32.const 4096))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0)))))"#;

/// Makes `new` in the first folder that it was given, and answers the content of `page` there.
const FILES: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "content-type: text/plain\n\n")
    (data (i32.const 128) "pagenew")
    (func (export "_start")
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 132) (i32.const 3)
            (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 32)))
        (i32.store (i32.const 8) (i32.const 64))
        (i32.store (i32.const 12) (i32.const 26))
        (i32.store (i32.const 16) (i32.const 4096))
        (i32.store (i32.const 20) (i32.const 100))
        (i32.store (i32.const 32) (i32.const 0))
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 128) (i32.const 4)
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
        (if (i32.eqz (i32.load (i32.const 32))) (then (unreachable)))
        (drop (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 20)))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0)))))"#;

#[tokio::test]
async fn the_first_match_wins_and_warnings_tell_what_has_no_effect() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/...\"\nmodule = \"a.wat\"\n\
                    http_max_concurrency = 4\n\n\
                    [[module]]\nroute = \"/b\"\nmodule = \"b.wat\"\nmodul = \"c.wat\"\n\n\
                    [[module]]\nroute = \"/...\"\nmodule = \"b.wat\"\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?;
    let folder = folder.with("a.wat", saying("a\n"))?.with("b.wat", saying("b\n"))?;
    let trilby = folder.launch().start().await?;
    assert_eq!(trilby.http.get("/b").await?.text(), "a\n");
    let output = folder.output_of(trilby).await?;
    let warnings = output.lines().filter_map(|line| line.split_once(" WARN "));
    let warnings: Vec<_> = warnings.map(|(_, warning)| warning).collect();
    assert_snapshot!(warnings.join("\n"), @r"
    trilby::serve: modules.toml:4:1: `http_max_concurrency` has no effect: guests have no outbound HTTP
    trilby::serve: modules.toml:9:1: unknown key `modul` is ignored, as WAGI does; did you mean `module`?
    trilby::serve: modules.toml:12:9: route `/...` is never reached: line 2 has it too
    ");

    let swapped = manifest.replace("/b", "/x").replacen("/...", "/b", 1);
    let folder = folder.with("modules.toml", swapped)?;
    let trilby = folder.launch().start().await?;
    assert_eq!(trilby.http.get("/b").await?.text(), "a\n");
    assert_eq!(trilby.http.get("/c").await?.text(), "b\n");
    Ok(())
}

#[tokio::test]
async fn entry_points_are_chosen_by_name() -> Result<()> {
    let module = saying("run\n").replace("\"_start\"", "\"run\"");
    let start = r#"(func (export "_start") unreachable) (memory"#;
    let module = module.replacen("(memory", start, 1);
    let manifest = "[[module]]\nroute = \"/run\"\nmodule = \"a.wat\"\nentrypoint = \"run\"\n\n\
                    [[module]]\nroute = \"/start\"\nmodule = \"a.wat\"\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?.with("a.wat", module)?;
    let trilby = folder.launch().start().await?;
    assert_eq!(trilby.http.get("/run").await?.text(), "run\n");
    assert_eq!(trilby.http.get("/start").await?.status, 500);
    Ok(())
}

#[tokio::test]
async fn arguments_follow_the_template() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/plain\"\nmodule = \"a.wat\"\n\n\
                    [[module]]\nroute = \"/templated\"\nmodule = \"a.wat\"\n\
                    argv = \"one ${SCRIPT_NAME} ${ARGS} two\"\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?.with("a.wat", ARGUMENTS)?;
    let trilby = folder.launch().start().await?;
    for (path, expected) in [
        ("/plain", "/plain\0"),
        ("/plain?x=1&y", "/plain\0x=1\0y\0"),
        ("/templated?x=1&y", "one\0/templated\0x=1\0y\0two\0"),
    ] {
        assert_eq!(trilby.http.get(path).await?.text(), expected, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn volumes_are_writable() -> Result<()> {
    let manifest =
        "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\nvolumes = { \"/\" = \"pages\" }\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?.with("a.wat", FILES)?;
    let folder = folder.with("pages/page", "A page.\n")?;
    let trilby = folder.launch().start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "A page.\n");
    assert!(folder.path("pages/new").exists());
    Ok(())
}

#[tokio::test]
async fn mistakes_are_refused() -> Result<()> {
    let manifest = "[[module]]\nroute = \"b\"\nmodule = \"a.wat\"\n\n[[module]]\nroute = \"/c\"\n\n\
                    [[module]]\nroute = \"/d\"\nmodule = \"d.wat\"\n";
    let folder = Folder::with_app()?.with("modules.toml", manifest)?;
    std::fs::remove_file(folder.path("trilby.toml"))?;
    assert_snapshot!(folder.refused().await?, @r#"
    error: path `b` does not start with `/`
     --> modules.toml:2:9
      |
    2 | route = "b"
      |         ^^^
      |
      = help: a path is written `/orders`, or `/orders/...`

    error: a module needs `module`
     --> modules.toml:5:1
      |
    5 | [[module]]
      | ^^^^^^^^^^
      |
      = help: add `module = "app.wasm"`

    error: this module is missing
      --> modules.toml:10:10
       |
    10 | module = "d.wat"
       |          ^^^^^^^ looked for ./d.wat
       |
       = help: a relative path starts at the manifest's folder, or else at the working directory
    "#);
    Ok(())
}
