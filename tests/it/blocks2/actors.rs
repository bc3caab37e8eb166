//! Actors, as their clients see them: a guest calls those that a native app hosts behind the same
//! daprd. Without a placement service, and embedded, every call says so.

use anyhow::Result;
use serde_json::json;
use tempfile::TempDir;
use trilby_testkit::{
    Backend, Components, ControlPlane, Daprd, DaprdOptions, Launch, Trilby, repository, until,
};

use super::actor_host::ActorHost;
use crate::blocks::probe::{Probe, Told, ask};

/// All parts, ended in this order.
struct World {
    trilby: Trilby,
    host: ActorHost,
    _daprd: Daprd,
    _control_plane: ControlPlane,
    _folder: TempDir,
}

impl World {
    async fn start(grants: &str) -> Result<Option<Self>> {
        let backend = Backend::DaprdMemory;
        if backend.is_left_out() || ControlPlane::is_left_out() {
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let resources = folder.path().join("components");
        let components = Components::of(backend, None, folder.path()).with_actor_state();
        components.write(&resources)?;
        let module = repository().join("tests/guests/dapr/target/wasm32-wasip1/release/actor.wasm");
        let manifest = format!(
            "version = 1\nname = \"actors\"\n[limits]\ndeadline = \"60s\"\n\
             dapr-timeout = \"50s\"\n[[route]]\npath = \"/actor/...\"\n\
             module = {:?}\ngrants = {{ {grants} }}\n",
            module.display().to_string()
        );
        std::fs::write(folder.path().join("trilby.toml"), manifest)?;
        let (host, control_plane) = (ActorHost::start().await?, ControlPlane::start().await?);
        let mut options = DaprdOptions::new("actors", &resources, folder.path())?;
        options.app_port = Some(host.port);
        options.control_plane = Some(control_plane.address.clone());
        let daprd = Daprd::start(&options).await?;
        let launch = Launch::new(folder.path(), folder.path())
            .env("DAPR_GRPC_PORT", options.grpc_port.to_string())
            .env("DAPR_HTTP_PORT", options.http_port.to_string());
        let trilby = launch.start().await?;
        let world =
            Self { trilby, host, _daprd: daprd, _control_plane: control_plane, _folder: folder };
        world.placed().await?;
        Ok(Some(world))
    }

    /// Waits until the placement service has told daprd where the type is.
    async fn placed(&self) -> Result<()> {
        until("the actors to be placed", || async {
            let first = [("type", "Probe"), ("id", "first"), ("method", "hello")];
            let told = self.ask("invoke", &first, "").await.ok()?;
            (told.code == "OK").then_some(())
        })
        .await
    }

    async fn ask(&self, function: &str, parameters: &[(&str, &str)], body: &str) -> Result<Told> {
        let path = format!("/actor/{function}");
        ask(&self.trilby.http, &path, parameters, body.to_owned()).await
    }
}

const ALL: &str = "actors = [\"Probe\", \"Other\"]";
const ONE: [(&str, &str); 2] = [("type", "Probe"), ("id", "1")];

fn one<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&ONE[..], more].concat()
}

#[tokio::test]
async fn methods_are_invoked() -> Result<()> {
    let Some(world) = World::start(ALL).await? else { return Ok(()) };
    let told = world.ask("invoke", &one(&[("method", "m")]), "some data").await?.done();
    assert_eq!(told.text(), "Probe/1/method/m got some data");
    assert_eq!(world.host.called("Probe/1/method/m").await?, "some data");
    let told = world.ask("invoke", &one(&[("method", "fail")]), "").await?;
    assert_eq!(told.code, "INTERNAL", "{}", told.text());
    let other = [("type", "Other"), ("id", "1"), ("method", "m")];
    let told = world.ask("invoke", &other, "").await?;
    told.refused("FAILED_PRECONDITION", "", "did not find address for actor 'Other/1'");
    Ok(())
}

#[tokio::test]
async fn state_is_written_and_read() -> Result<()> {
    let Some(world) = World::start(ALL).await? else { return Ok(()) };
    world.ask("invoke", &one(&[("method", "wake")]), "").await?.done();
    let key = |key| one(&[("key", key)]);
    assert_eq!(world.ask("get_state", &key("a"), "").await?.done().text(), "");
    let steps = concat!(
        r#"{"operation":"upsert","key":"a","value":"{\"n\":1}"}"#,
        "\n",
        r#"{"operation":"upsert","key":"b","value":"2"}"#,
        "\n",
        r#"{"operation":"delete","key":"c"}"#,
        "\n"
    );
    world.ask("transact_state", &ONE, steps).await?.done();
    let told = world.ask("get_state", &key("a"), "").await?.done();
    assert_eq!(told.records()?, [json!({"n": 1})]);
    world.ask("transact_state", &ONE, "{\"operation\":\"delete\",\"key\":\"a\"}\n").await?.done();
    assert_eq!(world.ask("get_state", &key("a"), "").await?.done().text(), "");
    assert_eq!(world.ask("get_state", &key("b"), "").await?.done().text(), "2");
    // Another actor has keys of its own.
    let two = [("type", "Probe"), ("id", "2")];
    let waking = [&two[..], &[("method", "wake")]].concat();
    world.ask("invoke", &waking, "").await?.done();
    let theirs = [&two[..], &[("key", "b")]].concat();
    assert_eq!(world.ask("get_state", &theirs, "").await?.done().text(), "");
    Ok(())
}

#[tokio::test]
async fn reminders_come_until_they_are_taken_back() -> Result<()> {
    let Some(world) = World::start(ALL).await? else { return Ok(()) };
    let now = one(&[("name", "now"), ("due-time", "0s")]);
    world.ask("register_reminder", &now, "{\"x\":1}").await?.done();
    world.host.called("Probe/1/method/remind/now").await?;

    let later = [("name", "later"), ("due-time", "1h"), ("period", "2h")];
    world.ask("register_reminder", &one(&later), "{\"x\":2}").await?.done();
    let told = world.ask("get_reminder", &one(&[("name", "later")]), "").await?.done();
    assert_eq!(told.records()?, [json!({"x": 2})]);
    assert_eq!(told.header("due-time"), Some("1h"));
    assert!(told.header("period").is_some_and(|period| period.contains("2h")), "{told:?}");
    world.ask("unregister_reminder", &one(&[("name", "later")]), "").await?.done();
    let told = world.ask("get_reminder", &one(&[("name", "later")]), "").await?;
    told.refused("NOT_FOUND", "", "actor reminder not found: later");
    world.ask("unregister_reminder", &one(&[("name", "later")]), "").await?.done();

    let other = [("type", "Other"), ("id", "1"), ("name", "r"), ("due-time", "1h")];
    let told = world.ask("register_reminder", &other, "").await?;
    told.refused("PERMISSION_DENIED", "", "only possible on hosted actor types");
    let bad = one(&[("name", "bad"), ("due-time", "soon")]);
    let told = world.ask("register_reminder", &bad, "").await?;
    told.refused("INTERNAL", "", "due time format not recognized");
    Ok(())
}

#[tokio::test]
async fn timers_come_until_they_are_taken_back() -> Result<()> {
    let Some(world) = World::start(ALL).await? else { return Ok(()) };
    world.ask("invoke", &one(&[("method", "wake")]), "").await?.done();
    let timer =
        |name| one(&[("name", name), ("due-time", "0s"), ("period", "1s"), ("callback", "cb")]);
    world.ask("register_timer", &timer("t"), "{\"x\":1}").await?.done();
    let path = "Probe/1/method/timer/t";
    assert!(world.host.called(path).await?.contains("\"callback\":\"cb\""));
    until("the timer's next time", || {
        std::future::ready((world.host.times(path) > 1).then_some(()))
    })
    .await?;
    world.ask("unregister_timer", &one(&[("name", "t")]), "").await?.done();
    let times = world.host.times(path);
    world.ask("register_timer", &timer("last"), "").await?.done();
    let last = "Probe/1/method/timer/last";
    until("another timer", || std::future::ready((world.host.times(last) > 2).then_some(())))
        .await?;
    // One that was due at that moment may have come.
    assert!(world.host.times(path) <= times + 1, "{} after {times}", world.host.times(path));
    world.ask("unregister_timer", &one(&[("name", "none")]), "").await?.done();
    Ok(())
}

/// Every function with arguments that are well but for the type and id.
const FUNCTIONS: [(&str, &str, &str); 8] = [
    ("invoke", "m", ""),
    ("get_state", "k", ""),
    ("transact_state", "", "{\"operation\":\"delete\",\"key\":\"a\"}\n"),
    ("register_reminder", "r", ""),
    ("get_reminder", "r", ""),
    ("unregister_reminder", "r", ""),
    ("register_timer", "t", ""),
    ("unregister_timer", "t", ""),
];

both!(without_placement_every_call_says_so);

async fn without_placement_every_call_says_so(backend: Backend) -> Result<()> {
    let app = Probe::granting("actor", ALL).serve_plain(backend).await?;
    for (function, third, body) in FUNCTIONS {
        let parameters = [("a", "Probe"), ("b", "1"), ("c", third)];
        let told = app.ask(&format!("/actor/raw/{function}"), &parameters, body).await?;
        told.refused("UNAVAILABLE", "", "placement service is not configured");
    }
    Ok(())
}

both!(grants_name_types_and_ids);

async fn grants_name_types_and_ids(backend: Backend) -> Result<()> {
    let grants = "actors = [\"Probe/mine-*\"]";
    let app = Probe::granting("actor", grants).serve_plain(backend).await?;
    for (function, third, body) in FUNCTIONS {
        let path = format!("/actor/raw/{function}");
        for (kind, id) in [("Probe", "yours"), ("Other", "mine-1"), ("probe", "mine-1")] {
            let parameters = [("a", kind), ("b", id), ("c", third)];
            let told = app.ask(&path, &parameters, body).await?;
            told.not_granted(&format!("actors = [\"{kind}/{id}\"]"));
        }
        let granted = [("a", "Probe"), ("b", "mine-1"), ("c", third)];
        assert_eq!(app.ask(&path, &granted, body).await?.code, "UNAVAILABLE", "{function}");
        for (kind, id) in [("", "mine-1"), ("Probe", ""), ("Probe", "mine-||x")] {
            let parameters = [("a", kind), ("b", id), ("c", third)];
            assert_eq!(app.ask(&path, &parameters, body).await?.code, "INVALID_ARGUMENT");
        }
    }
    Ok(())
}
