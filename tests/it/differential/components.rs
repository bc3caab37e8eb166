//! What both sides have: the same files, each in a folder of its own.

use std::path::Path;

use trilby_testkit::Components;

/// What a component is made for: its folder, and which side it is on.
pub(super) struct Place<'a> {
    pub(super) folder: &'a Path,
    pub(super) is_daprd: bool,
    /// The folder of the app, which both sides share.
    pub(super) app: &'a Path,
    /// The port of an HTTP server.
    pub(super) server: u16,
    /// `host:port` of this side's Redis.
    pub(super) redis: String,
}

/// What a test reads from configuration: keys and values, with versions as Redis has them.
pub(super) const SETTINGS: [(&str, &str); 3] = [("one", "1"), ("two", "zwei||2"), ("empty", "")];

const SECRETS: &str = r#"{
  "plain": "s3cr3t", "number": 12.50, "flag": true, "empty": "", "nothing": null,
  "database": {"user": "root", "deep": {"last": "leaf"}}, "list": ["zero", "one"]
}"#;

/// Components of each kind; configuration and locks have groups of their own.
pub(super) fn all(place: &Place<'_>) -> Components {
    let files = place.folder.join("files").display().to_string();
    let server = format!("http://127.0.0.1:{}", place.server);
    let url = ("url", server.as_str());
    let components = stores(place)
        .add("web", "bindings.http", &[url])
        .add("lenient", "bindings.http", &[url, ("errorIfNot2XX", "false")])
        .add("pubsub", "pubsub.in-memory", &[])
        .add("files", "bindings.localstorage", &[("rootPath", &files)])
        .add("tick", "bindings.cron", &[("schedule", "@every 1h"), ("direction", "input")])
        .with_crypto(place.folder)
        .with_conversation();
    secrets(place, components)
}

/// Stores; those beside `memory`, `sqlite` and `redis` name their keys in other ways.
fn stores(place: &Place<'_>) -> Components {
    let database = place.folder.join("state.db").display().to_string();
    let sqlite = ("connectionString", database.as_str());
    let prefixed = |prefix| [sqlite, ("keyPrefix", prefix)];
    Components::default()
        .add("memory", "state.in-memory", &[])
        .add("sqlite", "state.sqlite", &[sqlite])
        .add("named", "state.sqlite", &prefixed("name"))
        .add("worded", "state.sqlite", &prefixed("word"))
        .add("bare", "state.sqlite", &prefixed("none"))
        .add("spaced", "state.sqlite", &prefixed("namespace"))
}

fn secrets(place: &Place<'_>, components: Components) -> Components {
    let file = place.folder.join("secrets.json");
    let written = std::fs::write(&file, SECRETS);
    assert!(written.is_ok(), "cannot write {}", file.display());
    let file = file.display().to_string();
    let file = ("secretsFile", file.as_str());
    let local = "secretstores.local.file";
    components
        .add("secrets", local, &[file])
        .add("dotted", local, &[file, ("nestedSeparator", ".")])
        .add("many", local, &[file, ("multiValued", "true")])
        .add("environment", "secretstores.local.env", &[])
        .add("prefixed", "secretstores.local.env", &[("prefix", "SUITE_")])
}

/// A store in a file that both sides have, in which both are the same app, and keys.
pub(super) fn shared(place: &Place<'_>) -> Components {
    let database = place.app.join("shared.db").display().to_string();
    // Each side has an id of its own; the keys of the store are to be the same.
    let metadata = [("connectionString", database.as_str()), ("keyPrefix", "none")];
    Components::default().add("shared", "state.sqlite", &metadata).with_crypto(place.folder)
}

/// A store in Redis.
pub(super) fn redis(place: &Place<'_>) -> Components {
    Components::default().add("redis", "state.redis", &[("redisHost", &place.redis)])
}

/// Configuration: daprd has it in Redis.
pub(super) fn configuration(place: &Place<'_>) -> Components {
    if place.is_daprd {
        return configuration_in_redis(place);
    }
    let components = Components::default().add("memory", "state.in-memory", &[]);
    let items = SETTINGS.map(|(key, value)| format!("{key:?}: {value:?}")).join(", ");
    let items = format!("{{{items}}}");
    components.add("configuration", "configuration.in-memory", &[("items", &items)])
}

/// Configuration in Redis on either side.
pub(super) fn configuration_in_redis(place: &Place<'_>) -> Components {
    let redis = [("redisHost", place.redis.as_str())];
    let components = Components::default().add("memory", "state.in-memory", &[]);
    components.add("configuration", "configuration.redis", &redis)
}

/// Locks: daprd has them in Redis.
pub(super) fn locks(place: &Place<'_>) -> Components {
    if place.is_daprd {
        return locks_in_redis(place);
    }
    let components = Components::default().add("memory", "state.in-memory", &[]);
    components.add("lock", "lock.in-memory", &[])
}

/// Locks in Redis on either side.
pub(super) fn locks_in_redis(place: &Place<'_>) -> Components {
    let redis = [("redisHost", place.redis.as_str())];
    let components = Components::default().add("memory", "state.in-memory", &[]);
    components.add("lock", "lock.redis", &redis)
}

/// None at all.
pub(super) fn none(_: &Place<'_>) -> Components {
    Components::default()
}
