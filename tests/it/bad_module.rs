//! Modules that cannot be served: exit code 64, with route, module and import, all problems at
//! once, and nothing served.

use anyhow::Result;
use insta::assert_snapshot;

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
    assert_snapshot!(refused(r#"(module (func (export "_start") i32.add))"#).await?, @"");
    assert_snapshot!(refused("(module\n  (fnuc))").await?, @"");
    assert_snapshot!(refused(b"\x7fELF\xff").await?, @"");
    assert_snapshot!(refused(b"\0asm\x01\0\0\0\xff").await?, @"");
    assert_snapshot!(refused("").await?, @"");
    Ok(())
}

#[tokio::test]
async fn components_are_refused() -> Result<()> {
    assert_snapshot!(refused(COMPONENT).await?, @"");
    Ok(())
}

#[tokio::test]
async fn the_entry_point_must_be_there() -> Result<()> {
    assert_snapshot!(refused(r#"(module (func (export "run")) (func (export "main")))"#).await?, @"");
    assert_snapshot!(refused(r#"(module (func (export "_start") (param i32)))"#).await?, @"");
    let manifest = format!("{MANIFEST}entrypoint = \"run\"\n");
    let folder = Folder::with_app()?.with("trilby.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @"");
    Ok(())
}

#[tokio::test]
async fn imports_must_be_granted() -> Result<()> {
    assert_snapshot!(refused(UNGRANTED).await?, @"");
    let manifest = format!("{MANIFEST}grants = {{ state = [\"statestore\"] }}\n");
    let folder = Folder::with_app()?.with("a.wat", UNGRANTED)?.with("trilby.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @"");
    // The state store was not opened for it.
    assert!(!folder.path(".trilby").exists());
    Ok(())
}

/// Where there is no `trilby.toml`, nothing can be granted.
#[tokio::test]
async fn only_our_manifest_grants() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/\"\nmodule = \"a.wat\"\n";
    let folder = Folder::new()?.with("a.wat", UNGRANTED)?.with("modules.toml", manifest)?;
    assert_snapshot!(folder.refused().await?, @"");
    let mut launch = folder.launch();
    launch.path = "a.wat".into();
    assert_snapshot!(folder.refuses(launch).await?, @"");
    Ok(())
}

#[tokio::test]
async fn imports_must_be_known() -> Result<()> {
    let importing = |module: &str, name: &str, kind: &str| {
        format!(r#"(module (import "{module}" "{name}" {kind}) (func (export "_start")))"#)
    };
    assert_snapshot!(refused(importing("env", "log", "(func (param i32))")).await?, @"");
    assert_snapshot!(refused(importing("dapr_v1", "sise", "(func)")).await?, @"");
    assert_snapshot!(refused(importing("dapr_v1", "size", "(func (param i64))")).await?, @"");
    assert_snapshot!(refused(importing("env", "memory", "(memory 1)")).await?, @"");
    Ok(())
}

#[tokio::test]
async fn a_module_must_fit_its_memory_limit() -> Result<()> {
    let module = EMPTY.replace("\"memory\") 1", "\"memory\") 2000");
    assert_snapshot!(refused(module).await?, @"");
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
    assert_snapshot!(folder.refused().await?, @"");
    Ok(())
}
