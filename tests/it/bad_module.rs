//! Modules that cannot be served: exit code 64, with route, module and import, all problems at
//! once, and nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::bad_manifest::brief;
use crate::folder::{EMPTY, Folder, MANIFEST};

const UNGRANTED: &str = r#"(module
    (import "dapr_state_v1" "get" (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "dapr_secret_v1" "get" (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (func (export "_start")))"#;

/// A binary that begins as components do.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// What is said of a module, served by the one route of the manifest.
async fn refused(module: impl AsRef<[u8]>) -> Result<String> {
    Folder::with_app()?.with("a.wat", module)?.refused().await
}

#[tokio::test]
async fn what_does_not_compile_is_refused() -> Result<()> {
    assert_snapshot!(refused(r#"(module (func (export "_start") i32.add))"#).await?, @r#"
    error: module ./a.wat: not a valid WebAssembly module: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 35: type mismatch: expected i32 but nothing on stack
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    assert_snapshot!(refused("(module\n  (fnuc))").await?, @r#"
    error: module ./a.wat: not a valid WebAssembly module: expected valid module field
                --> ./a.wat:2:4
                 |
               2 |   (fnuc))
                 |    ^
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    assert_snapshot!(refused(b"\x7fELF\xff").await?, @r#"
    error: module ./a.wat: not a valid WebAssembly module: it is neither a binary module nor WebAssembly text
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    assert_snapshot!(refused(b"\0asm\x01\0\0\0\xff").await?, @r#"
    error: module ./a.wat: not a valid WebAssembly module: failed to parse WebAssembly module: malformed section id (at offset 0x8)
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    assert_snapshot!(refused("").await?, @r#"
    error: module ./a.wat: not a valid WebAssembly module: expected at least one module field
                --> ./a.wat:1:1
                 |
               1 | 
                 | ^
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    Ok(())
}

#[tokio::test]
async fn components_are_refused() -> Result<()> {
    assert_snapshot!(refused(COMPONENT).await?, @r#"
    error: module ./a.wat: this is a WebAssembly component; build it as a core module for WASI preview 1 (wasm32-wasip1)
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    Ok(())
}

#[tokio::test]
async fn the_entry_point_must_be_there() -> Result<()> {
    assert_snapshot!(brief(&refused(r#"(module (func (export "run")) (func (export "main")))"#).await?), @"trilby.toml:4:1: module ./a.wat: the module has no function `_start` without parameters and results; it exports `run`, `main`");
    assert_snapshot!(brief(&refused(r#"(module (func (export "_start") (param i32)))"#).await?), @"trilby.toml:4:1: module ./a.wat: the module has no function `_start` without parameters and results; it exports `_start`");
    let manifest = format!("{MANIFEST}entrypoint = \"run\"\n");
    let folder = Folder::with_app()?.with("trilby.toml", manifest)?;
    assert_snapshot!(brief(&folder.refused().await?), @"trilby.toml:7:14: module ./a.wat: the module has no function `run` without parameters and results; it exports `_start`");
    Ok(())
}

#[tokio::test]
async fn imports_must_be_granted() -> Result<()> {
    assert_snapshot!(refused(UNGRANTED).await?, @r#"
    error: module ./a.wat: it imports `dapr_state_v1` and `dapr_secret_v1`, but this route grants nothing of it
     --> trilby.toml:4:1
      |
    4 | [[route]]
      | ^^^^^^^^^
      |
      = help: add to the route: grants = { state = ["statestore"], secrets = ["STORE/SECRET"] }
    "#);
    let manifest = format!("{MANIFEST}grants = {{ state = [\"statestore\"] }}\n");
    let folder = Folder::with_app()?.with("a.wat", UNGRANTED)?.with("trilby.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @r#"
    error: module ./a.wat: it imports `dapr_secret_v1`, but this route grants nothing of it
     --> trilby.toml:7:10
      |
    7 | grants = { state = ["statestore"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: add to the route's grants: secrets = ["STORE/SECRET"]
    "#);
    // The state store was not opened for it.
    assert!(!folder.path(".trilby").exists());
    Ok(())
}

/// Where there is no `trilby.toml`, nothing can be granted.
#[tokio::test]
async fn only_our_manifest_grants() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\n";
    let folder = Folder::new()?.with("a.wat", UNGRANTED)?.with("modules.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @r#"
    error: module ./a.wat: it imports `dapr_state_v1` and `dapr_secret_v1`, but this route grants nothing of it
     --> modules.toml:1:1
      |
    1 | [[module]]
      | ^^^^^^^^^^
      |
      = help: only the [[route]] of a trilby.toml can grant it: grants = { state = ["statestore"], secrets = ["STORE/SECRET"] }
    "#);
    let mut launch = folder.launch();
    launch.path = "a.wat".into();
    assert_snapshot!(folder.refuses(launch).await?, @r#"
    error: a.wat: it imports `dapr_state_v1` and `dapr_secret_v1`, but this route grants nothing of it
      = help: only the [[route]] of a trilby.toml can grant it: grants = { state = ["statestore"], secrets = ["STORE/SECRET"] }
    "#);
    Ok(())
}

#[tokio::test]
async fn imports_must_be_known() -> Result<()> {
    let importing = |module: &str, name: &str, kind: &str| {
        format!(r#"(module (import "{module}" "{name}" {kind}) (func (export "_start")))"#)
    };
    assert_snapshot!(brief(&refused(importing("env", "log", "(func (param i32))")).await?), @"trilby.toml:6:10: module ./a.wat: the module imports `env.log`, which is not offered; import modules are `wasi_snapshot_preview1`, `wasi_unstable`, `dapr_v1`, `dapr_state_v1`, `dapr_pubsub_v1`, `dapr_binding_v1`, `dapr_invoke_v1`, `dapr_secret_v1`, `dapr_configuration_v1`, `dapr_lock_v1`, `dapr_jobs_v1`, `dapr_crypto_v1`, `dapr_conversation_v1`, `dapr_actor_v1`, `dapr_metadata_v1`, `wasi_experimental_http`");
    assert_snapshot!(brief(&refused(importing("dapr_v1", "sise", "(func)")).await?), @"trilby.toml:6:10: module ./a.wat: the module imports `dapr_v1.sise`, which is not offered; `dapr_v1` is known, but has no function of this name");
    assert_snapshot!(brief(&refused(importing("dapr_v1", "size", "(func (param i64))")).await?), @"trilby.toml:6:10: module ./a.wat: the module's imports do not fit: incompatible import type for `dapr_v1::size`: types incompatible: expected type `(func (param i64))`, found type `(func (param i32) (result i32))`");
    assert_snapshot!(brief(&refused(importing("env", "memory", "(memory 1)")).await?), @"trilby.toml:6:10: module ./a.wat: the module imports `env.memory`, which is not offered; import modules are `wasi_snapshot_preview1`, `wasi_unstable`, `dapr_v1`, `dapr_state_v1`, `dapr_pubsub_v1`, `dapr_binding_v1`, `dapr_invoke_v1`, `dapr_secret_v1`, `dapr_configuration_v1`, `dapr_lock_v1`, `dapr_jobs_v1`, `dapr_crypto_v1`, `dapr_conversation_v1`, `dapr_actor_v1`, `dapr_metadata_v1`, `wasi_experimental_http`");
    Ok(())
}

#[tokio::test]
async fn a_module_must_fit_its_memory_limit() -> Result<()> {
    let module = EMPTY.replace("\"memory\") 1", "\"memory\") 2000");
    assert_snapshot!(refused(&module).await?, @r#"
    error: module ./a.wat: the module is too large to be instantiated within `memory` of `limits`: memory has a minimum byte size of 131072000 which exceeds the limit of 0x4000000 bytes
     --> trilby.toml:6:10
      |
    6 | module = "a.wat"
      |          ^^^^^^^
    "#);
    // What another route has does not help.
    let large = "\n[[route]]\npath = \"/b\"\nmodule = \"b.wat\"\nlimits = { memory = \"1 GiB\" }\n";
    let folder = Folder::with_app()?.with("a.wat", module)?.with("b.wat", EMPTY)?;
    let folder = folder.with("trilby.toml", format!("{MANIFEST}{large}"))?;
    assert_snapshot!(folder.refused().await?, @r"
    error: module ./a.wat: it begins with 131072000 bytes of memory, but `memory` of `limits` allows 67108864
     --> trilby.toml:4:1
      |
    4 | [[route]]
      | ^^^^^^^^^
      |
      = help: raise `memory`
    ");
    Ok(())
}

/// In the manifest's order; a module that two routes share is told once.
#[tokio::test]
async fn all_problems_are_told_at_once() -> Result<()> {
    let modules = ["ungranted", "component", "unknown", "text", "text", "good"];
    let mut manifest = "version = 1\nname = \"app\"\n".to_owned();
    for (number, module) in modules.iter().enumerate() {
        let route = format!("[[route]]\npath = \"/{number}\"\nmodule = \"{module}.wat\"\n");
        manifest.push_str(&route);
    }
    let unknown = r#"(module (import "env" "f" (func))
        (import "dapr_pubsub_v1" "publish"
            (func (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
        (func (export "_start")))"#;
    let folder = Folder::new()?.with("trilby.toml", manifest)?.with("good.wat", EMPTY)?;
    let folder = folder.with("ungranted.wat", UNGRANTED)?.with("component.wat", COMPONENT)?;
    let folder = folder.with("unknown.wat", unknown)?.with("text.wat", "What?")?;
    assert_snapshot!(folder.refused().await?, @r#"
    error: module ./ungranted.wat: it imports `dapr_state_v1` and `dapr_secret_v1`, but this route grants nothing of it
     --> trilby.toml:3:1
      |
    3 | [[route]]
      | ^^^^^^^^^
      |
      = help: add to the route: grants = { state = ["statestore"], secrets = ["STORE/SECRET"] }

    error: module ./component.wat: this is a WebAssembly component; build it as a core module for WASI preview 1 (wasm32-wasip1)
     --> trilby.toml:8:10
      |
    8 | module = "component.wat"
      |          ^^^^^^^^^^^^^^^

    error: module ./unknown.wat: it imports `dapr_pubsub_v1`, but this route grants nothing of it
     --> trilby.toml:9:1
      |
    9 | [[route]]
      | ^^^^^^^^^
      |
      = help: add to the route: grants = { publish = ["pubsub/TOPIC"] }

    error: module ./unknown.wat: the module imports `env.f`, which is not offered; import modules are `wasi_snapshot_preview1`, `wasi_unstable`, `dapr_v1`, `dapr_state_v1`, `dapr_pubsub_v1`, `dapr_binding_v1`, `dapr_invoke_v1`, `dapr_secret_v1`, `dapr_configuration_v1`, `dapr_lock_v1`, `dapr_jobs_v1`, `dapr_crypto_v1`, `dapr_conversation_v1`, `dapr_actor_v1`, `dapr_metadata_v1`, `wasi_experimental_http`
      --> trilby.toml:11:10
       |
    11 | module = "unknown.wat"
       |          ^^^^^^^^^^^^^

    error: module ./text.wat: not a valid WebAssembly module: expected `(`
                --> ./text.wat:1:1
                 |
               1 | What?
                 | ^
      --> trilby.toml:14:10
       |
    14 | module = "text.wat"
       |          ^^^^^^^^^^
    "#);
    Ok(())
}
