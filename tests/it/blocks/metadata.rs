//! `dapr_metadata_v1`: the runtime's metadata.

use anyhow::Result;
use serde_json::{Value, json};
use trilby_testkit::Backend;

use super::probe::{App, NONE, Probe};

async fn metadata(app: &App) -> Result<Value> {
    let told = app.ask("/metadata/get", NONE, "").await?.done();
    Ok(serde_json::from_slice(&told.body)?)
}

matrix!(metadata_tells_of_the_app_and_its_components);

async fn metadata_tells_of_the_app_and_its_components(backend: Backend) -> Result<()> {
    let app = Probe::granting("metadata", r#"metadata = ["read"]"#)
        .and("state", r#"state = ["statestore"]"#)
        .and("pubsub", r#"publish = ["pubsub"]"#);
    let app = app.serve_plain(backend).await?;
    let metadata = metadata(&app).await?;
    assert_eq!(metadata["id"], app.world.app_id, "{metadata}");
    assert!(metadata["runtimeVersion"].is_string(), "{metadata}");
    for (name, block) in [("statestore", "state."), ("pubsub", "pubsub.")] {
        let components = metadata["components"].as_array().map_or(&[][..], Vec::as_slice);
        let found = components.iter().find(|component| component["name"] == name);
        let kind = found.and_then(|component| component["type"].as_str()).unwrap_or_default();
        assert!(kind.starts_with(block), "{name}: {metadata}");
        assert_eq!(found.map(|component| &component["version"]), Some(&json!("v1")), "{metadata}");
    }
    Ok(())
}

matrix!(what_is_added_to_the_metadata_is_told);

async fn what_is_added_to_the_metadata_is_told(backend: Backend) -> Result<()> {
    let app = Probe::granting("metadata", r#"metadata = ["read", "write"]"#);
    let app = app.serve_plain(backend).await?;
    for (key, value) in [("color", "red"), ("color", "blue"), ("odd key ü", "a\n\"b\""), ("e", "")]
    {
        app.ask("/metadata/set", &[("key", key), ("value", value)], "").await?.done();
        assert_eq!(metadata(&app).await?["extended"][key], value);
    }
    app.ask("/metadata/set", &[("key", ""), ("value", "x")], "").await?.invalid("key");
    Ok(())
}

matrix!(reading_and_adding_are_granted_apart);

async fn reading_and_adding_are_granted_apart(backend: Backend) -> Result<()> {
    let app = Probe::granting("metadata", r#"metadata = ["read"]"#);
    let app = app.and_at("/writer/...", "metadata", r#"metadata = ["write"]"#);
    let app = app.serve_plain(backend).await?;
    let item = [("a", "color"), ("b", "red")];
    let line = r#"metadata = ["write"]"#;
    app.ask("/metadata/set", &[("key", "color"), ("value", "red")], "").await?.not_granted(line);
    let line = r#"metadata = ["read"]"#;
    app.ask("/writer/raw/get", NONE, "").await?.not_granted(line);
    app.ask("/writer/raw/set", &item, "").await?.done();
    assert_eq!(metadata(&app).await?["extended"]["color"], "red");
    Ok(())
}
