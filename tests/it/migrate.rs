//! `trilby migrate`: the `trilby.toml` that serves what a `modules.toml` served.

use anyhow::{Context, Result};
use insta::assert_snapshot;
use trilby_testkit::{Launch, Trilby, repository};

use crate::folder::{Folder, saying};

/// Answers the content of `page` in the first folder that it was given, and then the arguments and
/// the variables, each with a NUL after it.
const ALL: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get"
        (func $args_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get"
        (func $environ_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "content-type: text/plain\n\npage")
    (func $write (param $at i32) (param $bytes i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $bytes))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
            (then unreachable)))
    (func (export "run")
        (call $write (i32.const 64) (i32.const 26))
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (i32.const 100))
        (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 90) (i32.const 4)
                (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
            (then
                (drop (call $read
                    (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 8)))
                (call $write (i32.const 1024) (i32.load (i32.const 8)))))
        (drop (call $args_sizes (i32.const 16) (i32.const 20)))
        (drop (call $args (i32.const 2048) (i32.const 4096)))
        (call $write (i32.const 4096) (i32.load (i32.const 20)))
        (drop (call $environ_sizes (i32.const 16) (i32.const 20)))
        (drop (call $environ (i32.const 2048) (i32.const 4096)))
        (call $write (i32.const 4096) (i32.load (i32.const 20)))))"#;

/// Every key that WAGI has, with one that it does not.
const MODULES: &str = r#"[[module]]
route = "/run/..."
module = "all.wat"
entrypoint = "run"
argv = "one ${SCRIPT_NAME} ${ARGS} two"
volumes = { "/pages" = "pages" }
allowed_hosts = ["https://api.example.com:8443", "http://example.org"]
http_max_concurrency = 3
environment = "x"

[[module]]
route = "/run/never"
module = "a.wat"

[[module]]
route = "/exact"
module = "all.wat"
entrypoint = "run"

[[module]]
route = "/..."
module = "a.wat"
"#;

fn folder() -> Result<Folder> {
    let folder = Folder::new()?.with("modules.toml", MODULES)?.with("all.wat", ALL)?;
    folder.with("a.wat", saying("a\n"))?.with("pages/page", "A page.\n")
}

/// What `migrate` prints; it must succeed.
async fn migrated(folder: &Folder, path: &str) -> Result<String> {
    let ended = folder.ends(folder.trilby(&["migrate", path])?).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    Ok(ended.stdout)
}

fn launch(folder: &Folder, path: &str) -> Launch {
    let mut launch = folder.launch();
    launch.path = path.into();
    launch
}

/// What both answer, without the lines of the port, which only one of them has.
async fn same_answers(old: &Trilby, new: &Trilby, paths: &[&str]) -> Result<()> {
    for path in paths {
        let (one, other) = (old.http.get(path).await?, new.http.get(path).await?);
        assert_eq!(one.status, other.status, "{path}");
        let without_ports = |trilby: &Trilby, text: String| {
            let port = trilby.port().to_string();
            let parts = text.split('\0').filter(|part| {
                !part.starts_with("REMOTE_PORT=") && !part.starts_with("REQUEST_ID=")
            });
            parts.map(|part| part.replace(&port, "PORT")).collect::<Vec<_>>()
        };
        let one = without_ports(old, one.text());
        assert_eq!(one, without_ports(new, other.text()), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn what_every_key_means_is_kept() -> Result<()> {
    let folder = folder()?;
    let text = migrated(&folder, "modules.toml").await?;
    let name = text.lines().find(|line| line.starts_with("name = ")).context("no name")?;
    assert_snapshot!(text.replace(name, "name = \"[NAME]\""), @r#"
    # Made from WAGI's modules.toml.
    version = 1
    name = "[NAME]"

    [[route]]
    path = "/run/..."
    module = "all.wat"
    entrypoint = "run"
    argv = "one ${SCRIPT_NAME} ${ARGS} two"
    volumes = { "/pages" = { host = "pages", writable = true } }
    allowed-hosts = ["https://api.example.com:8443", "http://example.org"]
    limits = { http-calls = 3 }

    # Route `/run/never` (line 11) is left out: it was never reached, as `/run/...` came first.

    [[route]]
    path = "/exact"
    module = "all.wat"
    entrypoint = "run"
    argv = "${SCRIPT_NAME} ${ARGS}" # WAGI's default, but for empty arguments

    [[route]]
    path = "/..."
    module = "a.wat"
    argv = "${SCRIPT_NAME} ${ARGS}" # WAGI's default, but for empty arguments
    "#);
    let folder = folder.with("trilby.toml", &text)?;
    let old = launch(&folder, "modules.toml").start().await?;
    let new = launch(&folder, "trilby.toml").start().await?;
    assert!(old.http.get("/run/x").await?.text().starts_with("A page.\none\0/run/x\0"));
    assert_eq!(new.http.get("/run/never").await?.text().split('\0').next(), Some("A page.\none"));
    let paths = [
        "/run",
        "/run/",
        "/run/x%20y?a=1&b=2",
        "/run/never",
        "/runner",
        "/exact",
        "/exact?a&b=2",
        "/exact/",
        "/",
        "/x/../y",
    ];
    same_answers(&old, &new, &paths).await
}

/// What modules made years ago served is served on, with the routes that they declare themselves.
#[tokio::test]
async fn an_old_application_is_served_on() -> Result<()> {
    let legacy = repository().join("tests/guests/legacy");
    let mut folder = Folder::new()?;
    for name in ["modules.toml", "routes.wat", "unstable.wat"] {
        folder = folder.with(name, std::fs::read(legacy.join(name))?)?;
    }
    let text = migrated(&folder, "modules.toml").await?;
    let folder = folder.with("trilby.toml", text)?;
    let old = launch(&folder, "modules.toml").start().await?;
    let new = launch(&folder, "trilby.toml").start().await?;
    for (path, word) in
        [("/many/one", "one\n"), ("/many/two/y", "two\n"), ("/many/two/x", "last\n")]
    {
        assert!(new.http.get(path).await?.text().starts_with(word), "{path}");
    }
    let paths = [
        "/unstable",
        "/unstable?a=1&b",
        "/unstable/",
        "/many",
        "/many/x?y",
        "/many/one",
        "/many/one/",
        "/many/two",
        "/many/two/x",
        "/many/two/y",
    ];
    same_answers(&old, &new, &paths).await
}

#[tokio::test]
async fn what_cannot_be_said_is_refused() -> Result<()> {
    let folder = Folder::with_app()?;
    let refusal = |lines: &str| {
        let manifest = format!("[[module]]\nmodule = \"a.wat\"\n{lines}\n");
        let written = std::fs::write(folder.path("modules.toml"), manifest);
        let folder = &folder;
        async move {
            written?;
            let ended = folder.ends(folder.trilby(&["migrate", "modules.toml"])?).await?;
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""), "{}", ended.stderr);
            let error = ended.stderr.find("error: ").context("no error")?;
            anyhow::Ok(ended.stderr[error..].to_owned())
        }
    };
    assert_snapshot!(refusal("route = \"/users/:id\"").await?, @"error: route `/users/:id` on line 1 has the segment `:id`, which would be a parameter in a `trilby.toml`; rename it, or keep the `modules.toml`");
    assert_snapshot!(refusal("route = \"/a/.../b\"").await?, @"error: route `/a/.../b` on line 1 has `...` before its end: `...` can only be the last segment: `/orders/...`; or keep the `modules.toml`");
    assert_snapshot!(refusal("route = \"/a\"\nargv = \"${HOME} ${ARGS}\"").await?, @"error: the `argv` of route `/a` on line 1 has `${HOME}`, which WAGI passes on as it stands and a `trilby.toml` refuses; take it out first");
    assert_snapshot!(refusal("route = \"/a\"\nbindle_server = \"http://localhost\"").await?, @r#"
    error: `bindle_server` is not supported: modules come from files and OCI registries
     --> modules.toml:4:1
      |
    4 | bindle_server = "http://localhost"
      | ^^^^^^^^^^^^^
      |
      = help: name the module's file or `oci:` reference, and remove this
    "#);
    for path in ["trilby.toml", "a.wat"] {
        let ended = folder.ends(folder.trilby(&["migrate", path])?).await?;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
        let expected = "is not WAGI's: only a `modules.toml` can be migrated";
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
    Ok(())
}

/// The shell makes an empty `trilby.toml` before `trilby migrate > trilby.toml` starts.
#[tokio::test]
async fn an_empty_manifest_beside_it_is_no_obstacle() -> Result<()> {
    let folder = folder()?;
    let expected = migrated(&folder, "modules.toml").await?;
    let folder = folder.with("trilby.toml", "")?;
    let ended = folder.ends(folder.trilby(&["migrate"])?).await?;
    assert_eq!((ended.code, ended.stdout), (Some(0), expected), "{}", ended.stderr);
    Ok(())
}
