//! `dapr_secret_v1`: secrets of a file and of the environment.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use trilby_testkit::{Backend, Components, Options};

use super::probe::{App, Probe};

/// `secrets`, of a file, and `variables`, of the environment.
fn stores(components: Components, folder: &Path) -> Components {
    let values = json!({
        "known": "s3cr3t", "other": "hidden", "db": {"user": "u", "password": "p4ss"},
        "odd": "ü \"quoted\"\nline 2", "empty": ""
    });
    let file = folder.join("secrets.json");
    let written = std::fs::write(&file, values.to_string());
    assert!(written.is_ok(), "cannot write {}", file.display());
    let file = file.display().to_string();
    components.add("secrets", "secretstores.local.file", &[("secretsFile", &file)]).add(
        "variables",
        "secretstores.local.env",
        &[],
    )
}

async fn serve(backend: Backend, grants: &str) -> Result<App> {
    let env = vec![("PROBE_SECRET".to_owned(), "from the environment".to_owned())];
    Probe::granting("secret", &format!("secrets = [{grants}]"))
        .options(Options { env: env.clone(), daprd_env: env, ..Options::default() })
        .serve(backend, stores)
        .await
}

matrix!(a_secret_is_read);

async fn a_secret_is_read(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""secrets", "variables/PROBE_SECRET""#).await?;
    let cases = [
        ("secrets", "known", "s3cr3t"),
        ("secrets", "db:user", "u"),
        ("secrets", "odd", "ü \"quoted\"\nline 2"),
        ("secrets", "empty", ""),
        ("variables", "PROBE_SECRET", "from the environment"),
    ];
    for (store, key, value) in cases {
        let told = app.ask("/secret/raw/get", &[("a", store), ("b", key)], "").await?.done();
        assert_eq!(told.text(), value, "{key}");
    }
    let told = app.ask("/secret/get", &[("store", "secrets"), ("key", "known")], "").await?.done();
    assert_eq!((&*told.text(), told.header("value.known")), ("s3cr3t", Some("s3cr3t")));
    // Versions may be asked for; these stores have none.
    let versions = [("metadata.version", "1"), ("metadata.version_id", "2")];
    let target = [&[("store", "secrets"), ("key", "known")], &versions[..]].concat();
    assert_eq!(app.ask("/secret/get", &target, "").await?.done().text(), "s3cr3t");
    Ok(())
}

matrix!(a_secret_that_is_not_there_is_an_error);

async fn a_secret_that_is_not_there_is_an_error(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""secrets", "variables""#).await?;
    for key in ["absent", "Known", "known ", "db", "db:", "../known"] {
        let told = app.ask("/secret/get", &[("store", "secrets"), ("key", key)], "").await?;
        told.refused("INTERNAL", "", "failed getting secret with key");
    }
    Ok(())
}

matrix!(all_secrets_that_are_granted_are_read_at_once);

async fn all_secrets_that_are_granted_are_read_at_once(backend: Backend) -> Result<()> {
    let cases = [
        (r#""secrets""#, &["db:password", "db:user", "empty", "known", "odd", "other"][..]),
        (r#""secrets/known", "secrets/absent", "variables/none""#, &["known"]),
        (r#""secrets/db:*", "secrets/known""#, &["db:password", "db:user", "known"]),
    ];
    for (grants, keys) in cases {
        let app = serve(backend, grants).await?;
        let told = app.ask("/secret/get_bulk", &[("store", "secrets")], "").await?.done();
        let found: BTreeMap<String, serde_json::Value> = told
            .records()?
            .into_iter()
            .map(|record| {
                let key = record["key"].as_str().context("no key")?.to_owned();
                Ok((key, record["values"].clone()))
            })
            .collect::<Result<_>>()?;
        assert_eq!(found.keys().collect::<Vec<_>>(), keys, "{grants}");
        assert_eq!(found["known"], json!({"known": "s3cr3t"}), "{grants}");
        assert!(!told.text().contains("hidden") || keys.contains(&"other"), "{grants}");
    }
    let app = serve(backend, r#""variables/PROBE_*""#).await?;
    let told = app.ask("/secret/get_bulk", &[("store", "variables")], "").await?.done();
    let expected = json!({
        "key": "PROBE_SECRET", "values": {"PROBE_SECRET": "from the environment"}
    });
    assert_eq!(told.records()?, [expected]);
    Ok(())
}

matrix!(only_granted_secrets_are_read);

async fn only_granted_secrets_are_read(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""secrets/known", "secrets/db:u*""#).await?;
    for key in ["other", "db:password", "Known", "known2", "*"] {
        let line = format!("secrets = [\"secrets/{key}\"]");
        app.ask("/secret/get", &[("store", "secrets"), ("key", key)], "").await?.not_granted(&line);
    }
    let line = "secrets = [\"variables\"]";
    app.ask("/secret/get_bulk", &[("store", "variables")], "").await?.not_granted(line);
    Ok(())
}

matrix!(metadata_that_could_lead_to_another_secret_is_refused);

async fn metadata_that_could_lead_to_another_secret_is_refused(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""secrets/known""#).await?;
    for name in ["namespace", "key", "path", "versionId", "VERSION_"] {
        let option = format!("metadata.{name}: other");
        let target = [("a", "secrets"), ("b", "known"), ("options", &option)];
        let told = app.ask("/secret/raw/get", &target, "").await?;
        assert!(told.reason.starts_with("TRILBY_"), "{name}: {told:?}");
        assert!(told.text().contains(name), "{name}: {told:?}");
    }
    let target = [("a", "secrets"), ("options", "metadata.version: 1")];
    app.ask("/secret/raw/get_bulk", &target, "").await?.invalid("metadata.version");
    Ok(())
}

matrix!(secrets_are_in_no_log);

async fn secrets_are_in_no_log(backend: Backend) -> Result<()> {
    let app = serve(backend, r#""secrets""#).await?;
    app.ask("/secret/get", &[("store", "secrets"), ("key", "known")], "").await?.done();
    app.ask("/secret/get_bulk", &[("store", "secrets")], "").await?.done();
    app.ask("/secret/get", &[("store", "secrets"), ("key", "absent")], "").await?;
    let output = app.world.trilby.output();
    for secret in ["s3cr3t", "hidden", "p4ss"] {
        assert!(!output.contains(secret), "{secret} is in the log: {output}");
    }
    Ok(())
}
