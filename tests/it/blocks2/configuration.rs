//! Reading configuration. How its changes come is in `inbound`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};
use trilby_testkit::{Backend, Options, Redis};

use crate::blocks::probe::{App, Probe};

/// An application, and the file of its values when there is no Redis.
struct Settings {
    app: App,
    file: PathBuf,
}

impl Settings {
    async fn serve(backend: Backend, grants: &str) -> Result<Option<Self>> {
        if backend.is_sidecar() && Redis::is_left_out() {
            return Ok(None);
        }
        let options = Options { redis: backend.is_sidecar(), ..Options::default() };
        let probe = Probe::granting("configuration", grants).options(options);
        let app = probe.serve(backend, |components, folder| {
            if backend.is_sidecar() {
                return components.with_configuration();
            }
            let file = folder.join("settings.json");
            let written = std::fs::write(&file, "{}");
            assert!(written.is_ok(), "cannot write {}", file.display());
            let file = file.display().to_string();
            components.add("configuration", "configuration.in-memory", &[("file", &file)])
        });
        let app = app.await?;
        let file = app.world.path("settings.json");
        let settings = Self { app, file };
        let values = [("color", "red||3"), ("count", "7"), ("size", "large||x||y")];
        settings.set(&values).await?;
        Ok(Some(settings))
    }

    async fn set(&self, values: &[(&str, &str)]) -> Result<()> {
        let Some(redis) = &self.app.world.redis else {
            let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
            std::fs::write(&self.file, Value::Object(values.collect()).to_string())?;
            return Ok(());
        };
        for (key, value) in values {
            redis.set(key, value).await?;
        }
        Ok(())
    }

    /// Reads keys, or all; in the order of their names.
    async fn get(&self, keys: Option<&str>) -> Result<Vec<Value>> {
        let mut parameters = vec![("store", "configuration")];
        parameters.extend(keys.map(|keys| ("keys", keys)));
        let told = self.app.ask("/configuration/get", &parameters, "").await?.done();
        let mut records = told.records()?;
        records.sort_by_key(|record| record["key"].to_string());
        Ok(records)
    }
}

fn item(key: &str, value: &str, version: &str) -> Value {
    json!({"key": key, "value": value, "version": version, "metadata": {}})
}

both!(keys_are_read_with_their_versions);

async fn keys_are_read_with_their_versions(backend: Backend) -> Result<()> {
    let grants = "configuration = [\"configuration\"]";
    let Some(settings) = Settings::serve(backend, grants).await? else { return Ok(()) };
    assert_eq!(settings.get(Some("color")).await?, [item("color", "red", "3")]);
    let both = [item("color", "red", "3"), item("count", "7", "")];
    assert_eq!(settings.get(Some("count,missing,color")).await?, both);
    assert_eq!(settings.get(Some("missing")).await?, [json!(null); 0]);
    let all = settings.get(None).await?;
    let keys: Vec<_> = all.iter().map(|record| record["key"].as_str()).collect();
    assert_eq!(keys, [Some("color"), Some("count"), Some("size")]);

    // What is read is what is there now.
    settings.set(&[("color", "blue||4")]).await?;
    assert_eq!(settings.get(Some("color")).await?, [item("color", "blue", "4")]);
    Ok(())
}

both!(only_granted_keys_are_read);

async fn only_granted_keys_are_read(backend: Backend) -> Result<()> {
    let grants = "configuration = [\"configuration/co*\", \"configuration/none\"]";
    let Some(settings) = Settings::serve(backend, grants).await? else { return Ok(()) };
    let keys: Vec<_> = settings.get(None).await?;
    assert_eq!(keys, [item("color", "red", "3"), item("count", "7", "")]);
    let line = "configuration = [\"configuration/size\"]";
    for keys in ["size", "color,size"] {
        let parameters = [("store", "configuration"), ("keys", keys)];
        settings.app.ask("/configuration/get", &parameters, "").await?.not_granted(line);
    }
    let elsewhere = [("store", "elsewhere"), ("keys", "color")];
    let told = settings.app.ask("/configuration/get", &elsewhere, "").await?;
    told.not_granted("configuration = [\"elsewhere/color\"]");
    Ok(())
}

both!(granted_keys_are_read_without_a_prefix);

async fn granted_keys_are_read_without_a_prefix(backend: Backend) -> Result<()> {
    let grants = "configuration = [\"configuration/count\", \"configuration/none\"]";
    let Some(settings) = Settings::serve(backend, grants).await? else { return Ok(()) };
    assert_eq!(settings.get(None).await?, [item("count", "7", "")]);
    Ok(())
}

both!(wrong_arguments_are_told);

async fn wrong_arguments_are_told(backend: Backend) -> Result<()> {
    let grants = "configuration = [\"configuration\"]";
    let Some(settings) = Settings::serve(backend, grants).await? else { return Ok(()) };
    let store = [("a", "configuration")];
    for (records, part) in [
        ("{\"key\":\"\"}\n", "empty"),
        ("{\"name\":\"color\"}\n", "name"),
        ("{\"key\":\"color\",\"value\":\"\"}\n", "value"),
        ("{\"key\":\"color\"\n", "1"),
        ("{\"key\":7}\n", "7"),
    ] {
        settings.app.ask("/configuration/raw/get", &store, records).await?.invalid(part);
    }
    let with_option = [("a", "configuration"), ("options", "version: 3")];
    settings.app.ask("/configuration/raw/get", &with_option, "").await?.invalid("version");
    settings.app.ask("/configuration/raw/get", &[("a", "")], "").await?.invalid("empty");
    Ok(())
}

#[tokio::test]
async fn daprd_tells_of_a_store_that_is_not_there() -> Result<()> {
    if Backend::DaprdMemory.is_left_out() {
        return Ok(());
    }
    let grants = "configuration = [\"configuration\", \"missing\"]";
    let settings = Settings::serve(Backend::DaprdMemory, grants).await?;
    let Some(settings) = settings else { return Ok(()) };
    let told = settings.app.ask("/configuration/get", &[("store", "missing")], "").await?;
    let reason = "ERR_CONFIGURATION_STORE_NOT_FOUND";
    told.refused("INVALID_ARGUMENT", reason, "configuration store missing not found");
    Ok(())
}
