//! WAGI's `modules.toml`, served as WAGI serves it.

use anyhow::Result;
use insta::assert_snapshot;
use trilby_testkit::Trilby;

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

/// The warnings of a process, which is ended for it.
async fn warnings(folder: &Folder, trilby: Trilby) -> Result<String> {
    let output = folder.output_of(trilby).await?;
    let warnings = output.lines().filter_map(|line| line.split_once(" WARN "));
    Ok(warnings.map(|(_, warning)| warning).collect::<Vec<_>>().join("\n"))
}

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
    assert_snapshot!(warnings(&folder, trilby).await?, @r"
    trilby::prepare: modules.toml:7:9: route `/b` is never reached: `/...` on line 2 comes first
    trilby::prepare: modules.toml:9:1: unknown key `modul` is ignored, as WAGI does; did you mean `module`?
    trilby::prepare: modules.toml:12:9: route `/...` is never reached: line 2 has it too
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

/// A relative path starts at the manifest's folder; only what is not there is looked for where
/// Trilby was started, as WAGI does.
#[tokio::test]
async fn modules_are_paths_or_urls_of_files() -> Result<()> {
    let folder = Folder::new()?.with("here.wat", saying("here\n"))?;
    let folder = folder.with("both.wat", saying("here\n"))?;
    let folder = folder.with("app/both.wat", saying("beside\n"))?;
    let folder = folder.with("app/in/a b.wat", saying("a b\n"))?;
    let folder = folder.with("app/x:y.wat", saying("colon\n"))?;
    let folder = folder.with("app/plain", saying("plain\n"))?;
    let url = format!("file://{}", folder.path("app/in/a%20b.wat").display());
    let absolute = folder.path("app/in/a b.wat").display().to_string();
    let cases = [
        ("here.wat", "here\n"),
        ("both.wat", "beside\n"),
        ("./x:y.wat", "colon\n"),
        ("plain", "plain\n"),
        (&url, "a b\n"),
        (&url.replace("file://", "FILE://localhost"), "a b\n"),
        (&absolute, "a b\n"),
    ];
    let entries = cases.iter().enumerate();
    let entries =
        entries.map(|(n, (path, _))| format!("[[module]]\nroute = \"/{n}\"\nmodule = {path:?}\n"));
    let folder = folder.with("app/modules.toml", entries.collect::<String>())?;
    let mut launch = folder.launch();
    launch.path = "app".into();
    let trilby = launch.start().await?;
    for (number, (path, expected)) in cases.iter().enumerate() {
        assert_eq!(trilby.http.get(&format!("/{number}")).await?.text(), *expected, "{path}");
    }
    Ok(())
}

/// Keys that WAGI once had or never had, and values that it makes nothing of.
#[tokio::test]
async fn what_wagi_ignores_is_a_warning() -> Result<()> {
    let manifest = "default_host = \"localhost:3000\"\n\n\
                    [[module]]\nroute = \"/\"\nmodule = \"a.wat\"\n\
                    repository = \"example\"\nhost = \"example.com\"\n\
                    environment = { A = \"b\" }\nargv = \"a ${ARG}\"\n\
                    volumes = { \"/data\" = \"none\" }\nentry_point = \"run\"\n\
                    allowed_hosts = [\"insecure:allow-all\"]\n\n\
                    [[module]]\nroute = \"/x/...\"\nmodule = \"a.wat\"\n\n\
                    [[module]]\nroute = \"/x/y/...\"\nmodule = \"a.wat\"\n";
    let folder = Folder::new()?.with("modules.toml", manifest)?.with("a.wat", saying("a\n"))?;
    let trilby = folder.launch().start().await?;
    assert_eq!(trilby.http.get("/").await?.text(), "a\n");
    assert_snapshot!(warnings(&folder, trilby).await?, @r"
    trilby::prepare: modules.toml:1:1: unknown key `default_host` is ignored, as WAGI does
    trilby::prepare: modules.toml:6:1: unknown key `repository` is ignored, as WAGI does
    trilby::prepare: modules.toml:7:1: unknown key `host` is ignored, as WAGI does; `host` is a key of `trilby.toml`, to which this can be migrated
    trilby::prepare: modules.toml:8:1: unknown key `environment` is ignored, as WAGI does
    trilby::prepare: modules.toml:9:8: `argv` has the unknown placeholder `${ARG}`; did you mean `${ARGS}`?
    trilby::prepare: modules.toml:10:23: there is no folder `none`: guests run without it
    trilby::prepare: modules.toml:11:1: unknown key `entry_point` is ignored, as WAGI does; did you mean `entrypoint`?
    trilby::prepare: modules.toml:12:17: `insecure:allow-all` lets the guest call every public host; name the hosts that it needs
    trilby::prepare: modules.toml:19:9: route `/x/y/...` is never reached: `/x/...` on line 15 comes first
    ");
    Ok(())
}
