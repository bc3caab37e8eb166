//! `dapr_binding_v1`: output bindings, by `bindings.localstorage`.

use std::path::Path;

use anyhow::{Context, Result};
use trilby_testkit::{Backend, Components};

use super::probe::{App, Probe, Told};

/// Adds `files`, a binding to the folder of this name.
fn files(components: Components, folder: &Path) -> Components {
    let root = folder.join("files").display().to_string();
    components.add("files", "bindings.localstorage", &[("rootPath", &root)])
}

async fn serve(backend: Backend, grants: &str) -> Result<App> {
    Probe::granting("binding", &format!("bindings = [{grants}]")).serve(backend, files).await
}

async fn invoke(app: &App, operation: &str, name: &str, data: &[u8]) -> Result<Told> {
    let target = [("binding", "files"), ("operation", operation), ("metadata.fileName", name)];
    let target = if name.is_empty() { &target[..2] } else { &target };
    app.ask("/binding/invoke", target, data.to_vec()).await
}

matrix!(every_operation_of_a_binding_works);

async fn every_operation_of_a_binding_works(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""files""#).await?;
    for data in [&b"hello"[..], b"", b"\0\xff\r\n", b"{\"a\":1}"] {
        let created = invoke(&app, "create", "notes/a", data).await?.done();
        let created: serde_json::Value = serde_json::from_slice(&created.body)?;
        assert_eq!(created["fileName"], "notes/a");
        assert_eq!(std::fs::read(app.world.path("files/notes/a"))?, data);
        assert_eq!(invoke(&app, "get", "notes/a", b"").await?.done().body, data);
    }
    let listed = invoke(&app, "list", "", b"").await?.done();
    let listed: Vec<String> = serde_json::from_slice(&listed.body)?;
    assert!(listed.iter().any(|path| path.ends_with("/notes/a")), "{listed:?}");
    invoke(&app, "delete", "notes/a", b"").await?.done();
    assert!(!app.world.path("files/notes/a").exists());
    Ok(())
}

matrix!(a_file_without_a_name_gets_one);

async fn a_file_without_a_name_gets_one(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""files""#).await?;
    let created = invoke(&app, "create", "", b"x").await?.done();
    let created: serde_json::Value = serde_json::from_slice(&created.body)?;
    let name = created["fileName"].as_str().context("no name")?;
    let name = name.rsplit('/').next().context("no name")?;
    assert_eq!(std::fs::read(app.world.path("files").join(name))?, b"x");
    assert_eq!(invoke(&app, "get", name, b"").await?.done().text(), "x");
    Ok(())
}

matrix!(an_operation_that_fails_says_why);

async fn an_operation_that_fails_says_why(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""files""#).await?;
    let reason = "ERR_INVOKE_OUTPUT_BINDING";
    let told = invoke(&app, "get", "none", b"").await?;
    told.refused("INTERNAL", reason, "error invoking output binding files: file not found: ");
    let text = "binding files does not support operation frob. \
                supported operations:create get list delete";
    invoke(&app, "frob", "", b"").await?.refused("INTERNAL", reason, text);
    invoke(&app, "delete", "none", b"").await?.refused("INTERNAL", reason, "error deleting file ");
    Ok(())
}

matrix!(a_file_name_leads_nowhere_else);

async fn a_file_name_leads_nowhere_else(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""files""#).await?;
    std::fs::write(app.world.path("outside"), "kept")?;
    for name in ["../outside", "a/../../outside", "/../outside", "..", "../../../../outside"] {
        invoke(&app, "create", name, b"overwritten").await?;
        let read = invoke(&app, "get", name, b"").await?;
        assert_ne!(read.text(), "kept", "{name}");
        invoke(&app, "delete", name, b"").await?;
        assert_eq!(std::fs::read(app.world.path("outside"))?, b"kept", "{name}");
    }
    Ok(())
}

matrix!(only_granted_operations_are_done);

async fn only_granted_operations_are_done(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""files/create", "files/get""#).await?;
    invoke(&app, "create", "a", b"x").await?.done();
    assert_eq!(invoke(&app, "get", "a", b"").await?.done().text(), "x");
    for operation in ["delete", "list", "Get", "gett", "ge"] {
        let line = format!("bindings = [\"files/{operation}\"]");
        invoke(&app, operation, "a", b"").await?.not_granted(&line);
    }
    assert!(app.world.path("files/a").exists());
    Ok(())
}
