//! `trilby check`: all that is wrong, with its lines, and every limit with its origin; nothing is
//! served or opened for it.

use anyhow::Result;
use insta::assert_snapshot;

use crate::folder::{EMPTY, Ended, Folder, MANIFEST};

/// Wants a state store.
const STATEFUL: &str = r#"(module
    (import "dapr_state_v1" "get" (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (func (export "_start")))"#;

async fn check(folder: &Folder, args: &[&str]) -> Result<Ended> {
    folder.ends(folder.trilby(&[&["check"], args].concat())?).await
}

/// What `check` prints when it finds something; `serve` must refuse with the same words.
async fn found(folder: &Folder) -> Result<String> {
    let ended = check(folder, &[]).await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""), "{}", ended.stderr);
    assert_eq!(folder.refused().await?, ended.stderr);
    Ok(ended.stderr)
}

#[tokio::test]
async fn every_problem_of_the_manifest_is_told_at_once() -> Result<()> {
    let manifest = "version = 1\nnam = \"app\"\n\n[limits]\ndeadline = \"soon\"\n\n\
                    [[route]]\npath = \"orders\"\nmodule = \"a.wat\"\n\n\
                    [[route]]\npath = \"/b\"\nmodule = \"none.wat\"\nmethods = [\"get\"]\n";
    let folder = Folder::with_app()?.with("trilby.toml", manifest)?;
    assert_snapshot!(found(&folder).await?, @r#"
    error: unknown key `nam` in the manifest
     --> trilby.toml:2:1
      |
    2 | nam = "app"
      | ^^^
      |
      = help: did you mean `name`?

    error: `deadline` must be a duration such as "10s", found "soon"
     --> trilby.toml:5:12
      |
    5 | deadline = "soon"
      |            ^^^^^^
      |
      = help: write numbers and units (ms, s, m, h), as in "1m 30s"

    error: path `orders` does not start with `/`
     --> trilby.toml:8:8
      |
    8 | path = "orders"
      |        ^^^^^^^^
      |
      = help: a path is written `/orders`, or `/orders/...`

    error: this module is missing
      --> trilby.toml:13:10
       |
    13 | module = "none.wat"
       |          ^^^^^^^^^^ looked for ./none.wat
       |
       = help: name a `.wasm` or `.wat` file, or add `build = "…"` to have it made

    error: method `get` is not in capitals
      --> trilby.toml:14:12
       |
    14 | methods = ["get"]
       |            ^^^^^
       |
       = help: case matters in methods: write `GET`
    "#);
    Ok(())
}

#[tokio::test]
async fn every_problem_of_the_modules_is_told_at_once() -> Result<()> {
    let modules = [
        ("text", "What?"),
        ("import", r#"(module (import "env" "f" (func)) (func (export "_start")))"#),
        ("entry", r#"(module (func (export "main")))"#),
        ("grant", STATEFUL),
        ("good", EMPTY),
    ];
    let mut folder = Folder::new()?;
    let mut manifest = "version = 1\nname = \"app\"\n".to_owned();
    for (name, module) in modules {
        manifest.push_str(&format!("\n[[route]]\npath = \"/{name}\"\nmodule = \"{name}.wat\"\n"));
        folder = folder.with(&format!("{name}.wat"), module)?;
    }
    let folder = folder.with("trilby.toml", manifest)?;
    assert_snapshot!(found(&folder).await?, @r#"
    error: module ./text.wat: not a valid WebAssembly module: expected `(`
                --> ./text.wat:1:1
                 |
               1 | What?
                 | ^
     --> trilby.toml:6:10
      |
    6 | module = "text.wat"
      |          ^^^^^^^^^^

    error: module ./import.wat: the module imports `env.f`, which is not offered; import modules are `wasi_snapshot_preview1`, `wasi_unstable`, `dapr_v1`, `dapr_state_v1`, `dapr_pubsub_v1`, `dapr_binding_v1`, `dapr_invoke_v1`, `dapr_secret_v1`, `dapr_configuration_v1`, `dapr_lock_v1`, `dapr_jobs_v1`, `dapr_crypto_v1`, `dapr_conversation_v1`, `dapr_actor_v1`, `dapr_metadata_v1`, `wasi_experimental_http`
      --> trilby.toml:10:10
       |
    10 | module = "import.wat"
       |          ^^^^^^^^^^^^

    error: module ./entry.wat: the module has no function `_start` without parameters and results; it exports `main`
      --> trilby.toml:12:1
       |
    12 | [[route]]
       | ^^^^^^^^^

    error: module ./grant.wat: it imports `dapr_state_v1`, but this route grants nothing of it
      --> trilby.toml:16:1
       |
    16 | [[route]]
       | ^^^^^^^^^
       |
       = help: add to the route: grants = { state = ["statestore"] }
    "#);
    Ok(())
}

#[tokio::test]
async fn every_component_that_is_not_there_is_told_at_once() -> Result<()> {
    let manifest = format!(
        "{MANIFEST}grants = {{ state = [\"statestor\"], secrets = [\"vault/a\"] }}\n\n\
         [[route]]\nbinding = \"tick\"\nmodule = \"a.wat\"\n"
    );
    let folder = Folder::with_app()?.with("trilby.toml", manifest)?.with("a.wat", EMPTY)?;
    assert_snapshot!(found(&folder).await?, @r#"
    error: no component of type state is named `statestor`
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["statestor"], secrets = ["vault/a"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: there is `statestore`

    error: no component of type secret store is named `vault`
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["statestor"], secrets = ["vault/a"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: no component of type input binding is named `tick`
      --> trilby.toml:10:11
       |
    10 | binding = "tick"
       |           ^^^^^^
    "#);
    Ok(())
}

#[tokio::test]
async fn what_is_fine_is_not_opened() -> Result<()> {
    let granted = format!("{MANIFEST}grants = {{ state = [\"statestore\"] }}\n");
    let folder = Folder::with_app()?.with("trilby.toml", granted)?.with("a.wat", STATEFUL)?;
    let ended = check(&folder, &[]).await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "trilby.toml: 1 route, 1 module, no error found\n");
    assert!(!folder.path(".trilby").exists());
    // Serving the same opens the default store.
    let trilby = folder.launch().start().await?;
    assert!(folder.path(".trilby/state.db").exists(), "{}", trilby.output());
    Ok(())
}

/// `--components`, `--env-file` and the path mean what they mean to `serve`.
#[tokio::test]
async fn flags_of_serve_are_heeded() -> Result<()> {
    let granted = format!("{MANIFEST}grants = {{ state = [\"other\"] }}\n");
    let folder = Folder::with_app()?.with("app.toml", granted)?.with("a.wat", STATEFUL)?;
    let component = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: other\n\
                     spec:\n  type: state.in-memory\n  version: v1\n  metadata: []\n";
    let folder = folder.with("elsewhere/other.yaml", component)?.with("bad.env", "A=1\nB\n")?;
    assert_eq!(check(&folder, &["app.toml"]).await?.code, Some(64));
    let ended = check(&folder, &["app.toml", "--components", "elsewhere"]).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let folder = folder.with("config.yaml", "kind: Configuration\nspec: []\n")?;
    let flags = ["app.toml", "--components", "elsewhere", "--config", "config.yaml"];
    assert_snapshot!(check(&folder, &flags).await?.stderr, @"error: config.yaml:1: a configuration needs `apiVersion`");
    let ended = check(&folder, &["--env-file", "bad.env"]).await?;
    assert_eq!(ended.code, Some(64));
    assert_snapshot!(ended.stderr, @"error: bad.env:2: there is no `=`; write `KEY=VALUE`, or `#` before a comment");
    Ok(())
}

#[tokio::test]
async fn every_limit_is_shown_with_its_origin() -> Result<()> {
    let manifest = "version = 1\nname = \"app\"\n\n[limits]\ndeadline = \"2500ms\"\n\
                    memory = \"16 MiB\"\nconcurrency = 32\nconnections = 100\n\n\
                    [[route]]\npath = \"/a\"\nmodule = \"a.wat\"\n\n\
                    [[route]]\npath = \"/b\"\nmodule = \"a.wat\"\n\n[route.limits]\n\
                    memory = \"1536 KiB\"\nbody-in = \"1 B\"\ncpu = \"1s\"\nqueue = 5\n";
    let folder = Folder::with_app()?.with("trilby.toml", manifest)?;
    let ended = check(&folder, &["--show"]).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_snapshot!(ended.stdout, @r"
    process
      concurrency    32           [limits], line 7
      queue          1024         default
      connections    100          [limits], line 8
      head-timeout   30s          default
      write-timeout  30s          default

    /a
      deadline       2s 500ms     [limits], line 5
      cpu            2s 500ms     default
      memory         16 MiB       [limits], line 6
      head-in        64 KiB       default
      body-in        10 MiB       default
      head-out       64 KiB       default
      body-out       64 MiB       default
      stderr         64 KiB       default
      dapr-timeout   5s           default
      http-timeout   5s           default
      http-body      10 MiB       default
      http-calls     8            default
      concurrency    32           [limits], line 7
      queue          1024         default

    /b
      deadline       2s 500ms     [limits], line 5
      cpu            1s           the route, line 21
      memory         1536 KiB     the route, line 19
      head-in        64 KiB       default
      body-in        1 B          the route, line 20
      head-out       64 KiB       default
      body-out       64 MiB       default
      stderr         64 KiB       default
      dapr-timeout   5s           default
      http-timeout   5s           default
      http-body      10 MiB       default
      http-calls     8            default
      concurrency    32           [limits], line 7
      queue          5            the route, line 22

    trilby.toml: 2 routes, 1 module, no error found
    ");
    Ok(())
}
