//! Changes of configuration come as requests, whatever the app channel is.

use std::path::Path;

use anyhow::{Context, Result};
use trilby_testkit::{Components, Options, Redis, until};

use super::app::{App, Delivery, Way};
use super::setup::Setup;

/// A store whose values a test changes: a file when embedded, and else a Redis.
struct Settings {
    app: App,
}

impl Settings {
    async fn serve(way: Way, routes: &[&str]) -> Result<Option<Self>> {
        if way != Way::Embedded && Redis::is_left_out() {
            return Ok(None);
        }
        let options = Options { redis: way != Way::Embedded, ..Options::default() };
        let setup = Setup::new(routes).options(options);
        let app = setup
            .serve_with(way, |components, folder| match way {
                Way::Embedded => of_file(components, &folder.join("settings.json")),
                _ => components.with_configuration(),
            })
            .await?;
        Ok(Some(Self { app }))
    }

    /// Sets a key, or deletes it.
    async fn set(&self, key: &str, value: Option<&str>) -> Result<()> {
        if let Some(redis) = &self.app.world.redis {
            return match value {
                Some(value) => redis.set(key, value).await,
                None => redis.delete(key).await,
            };
        }
        let path = self.app.world.path("settings.json");
        let text = std::fs::read(&path)?;
        let mut values: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&text)?;
        match value {
            Some(value) => values.insert(key.to_owned(), value.into()),
            None => values.remove(key),
        };
        // Whole or not at all, for the file is read at any time.
        let new = path.with_extension("new");
        std::fs::write(&new, serde_json::Value::from(values).to_string())?;
        std::fs::rename(new, path)?;
        Ok(())
    }

    /// Changes a key again and again until changes of it come: from then on none is missed.
    async fn watched(&self, key: &str) -> Result<()> {
        let mut round = 0;
        let what = format!("{key} to be watched");
        let watched = until(&what, || {
            round += 1;
            let value = format!("watched{key} {round}");
            async move {
                self.set(key, Some(&value)).await.ok()?;
                (!self.app.seen(&format!("watched{key}")).is_empty()).then_some(())
            }
        });
        watched.await.with_context(|| self.app.world.trilby.output())
    }

    async fn change(&self, key: &str, value: &str) -> Result<Delivery> {
        self.set(key, Some(value)).await?;
        let word = value.split([' ', '|']).next().unwrap_or_default();
        self.app.first(word).await
    }
}

fn of_file(components: Components, path: &Path) -> Components {
    let written = std::fs::write(path, "{}");
    assert!(written.is_ok(), "cannot write {}", path.display());
    let path = path.display().to_string();
    components.add("configuration", "configuration.in-memory", &[("file", &path)])
}

ways!(a_change_is_told_with_its_version);

async fn a_change_is_told_with_its_version(way: Way) -> Result<()> {
    let route = "configuration = \"configuration/color\"";
    let Some(settings) = Settings::serve(way, &[route]).await? else { return Ok(()) };
    settings.watched("color").await?;
    let change = settings.change("color", "red||3").await?;
    for (name, value) in [
        ("TRILBY_TRIGGER", "configuration"),
        ("REQUEST_METHOD", "POST"),
        ("CONFIGURATION_STORE", "configuration"),
        ("CONFIGURATION_KEY", "color"),
        ("CONFIGURATION_VERSION", "3"),
    ] {
        assert_eq!(change.variable(name), value, "{name}");
    }
    assert_eq!(change.text(), "red");
    let change = settings.change("color", "green").await?;
    assert_eq!((change.text(), change.variable("CONFIGURATION_VERSION")), ("green", ""));

    // Of a key that is gone the name is told, and an empty value.
    settings.set("color", None).await?;
    let gone = settings.app.first("color").await?;
    assert_eq!((gone.text(), gone.variable("CONFIGURATION_KEY")), ("", "color"));
    Ok(())
}

ways!(only_what_a_route_names_is_told);

async fn only_what_a_route_names_is_told(way: Way) -> Result<()> {
    let exact = "configuration = \"configuration/ab\"\nenv = { ROUTE = \"exact\" }";
    let prefix = "configuration = \"configuration/a*\"\nenv = { ROUTE = \"prefix\" }";
    let Some(settings) = Settings::serve(way, &[exact, prefix]).await? else { return Ok(()) };
    settings.watched("ab").await?;
    settings.watched("ac").await?;
    settings.set("b", Some("unwanted")).await?;
    assert_eq!(settings.change("ac", "one").await?.variable("ROUTE"), "prefix");
    assert_eq!(settings.change("ab", "two").await?.variable("ROUTE"), "exact");
    settings.change("ac", "three").await?;
    settings.change("ab", "four").await?;
    assert_eq!(settings.app.seen("unwanted").len(), 0);
    assert!(settings.app.seen("two").iter().all(|change| change.variable("ROUTE") == "exact"));
    if way == Way::Embedded {
        // daprd reads a value when it hears of a change: it may tell the second one twice.
        assert_eq!(settings.app.seen("two").len(), 1);
    }
    Ok(())
}

ways!(a_change_is_told_once_whatever_the_answer_is);

async fn a_change_is_told_once_whatever_the_answer_is(way: Way) -> Result<()> {
    let route = "configuration = \"configuration\"";
    let Some(settings) = Settings::serve(way, &[route]).await? else { return Ok(()) };
    settings.watched("first").await?;
    // daprd reads a value when it hears of a change, so that only a key that changes once is told
    // once for sure.
    for value in ["retried retry", "trapped trap", "dropped drop"] {
        let key = value.replace(' ', "-");
        settings.change(&key, value).await?;
    }
    settings.change("last", "last").await?;
    for key in ["retried", "trapped", "dropped"] {
        assert_eq!(settings.app.seen(key).len(), 1, "{key}");
    }
    Ok(())
}
