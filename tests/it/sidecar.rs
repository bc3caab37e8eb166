//! A sidecar that is late, gone, slow, guarded by tokens, or on a Unix socket.

use anyhow::{Context, Result};
use http::Method;
use rustix::process::Signal;
use trilby_testkit::{
    Backend, Daprd, Launch, Options, Process, World, free_port, repository, until,
};

use crate::probe::{self, call, get, set};

const BACKEND: Backend = Backend::DaprdMemory;

#[tokio::test]
async fn routes_without_dapr_serve_while_the_sidecar_is_absent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let app = repository().join("tests/guests/probe");
    let trilby =
        Launch::new(app, folder.path()).env("DAPR_GRPC_PORT", port.to_string()).start().await?;
    assert!(trilby.output().contains(&format!("sidecar at 127.0.0.1:{port}")));
    assert_eq!(trilby.http.post("/echo", "still here").await?.text(), "still here");
    assert_eq!(trilby.http.get("/healthz").await?.status, 200);
    let report = get(&trilby.http, "k").await?;
    assert_eq!(report.result, -14, "{report:?}");
    assert_eq!(report.header("reason"), Some("TRILBY_SIDECAR_UNREACHABLE"));
    assert!(report.body.contains(&port.to_string()), "{report:?}");
    Ok(())
}

#[tokio::test]
async fn a_sidecar_that_stops_and_starts_heals_by_itself() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let mut world = probe::world(BACKEND).await?;
    let options = world.daprd_options.clone().context("no sidecar")?;
    for round in 0..2 {
        let value = format!("round {round}");
        assert_eq!(set(&world.trilby.http, "k", "", &value).await?.result, 0);
        assert_eq!(get(&world.trilby.http, "k").await?.body, value);

        drop(world.daprd.take());
        until("the loss to be noticed", || async {
            get(&world.trilby.http, "k").await.ok().filter(|report| report.result == -14)
        })
        .await?;
        assert_eq!(world.trilby.http.post("/echo", "x").await?.text(), "x");

        world.daprd = Some(Daprd::start(&options).await?);
        until("the sidecar to be back", || async {
            get(&world.trilby.http, "k").await.ok().filter(|report| report.result == 1)
        })
        .await?;
        // Deliveries come again, too.
        let key = format!("event-{round}");
        let sent = call(&world.trilby.http, "/publish", ["pubsub", "t1"], "", key.clone()).await?;
        assert_eq!(sent.result, 0, "{sent:?}");
        until("the event", || async {
            get(&world.trilby.http, &key).await.ok().filter(|report| report.body == "1")
        })
        .await?;
    }
    Ok(())
}

/// Whether every thread of a process is stopped; a signal reaches them one after the other.
fn is_stopped(tasks: &str) -> bool {
    let state = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything.
        stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('T'))
    };
    let Ok(entries) = std::fs::read_dir(tasks) else { return false };
    entries.flatten().all(|task| state(task) == Some(true))
}

#[tokio::test]
async fn a_sidecar_that_hangs_costs_its_callers_the_deadline_and_nobody_else() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let mut world = probe::world(BACKEND).await?;
    set(&world.trilby.http, "k", "", "x").await?;
    let daprd = world.daprd.as_mut().context("no sidecar")?;
    daprd.process().signal(Signal::STOP)?;
    let tasks = format!("/proc/{}/task", daprd.process().id());
    until("daprd to stand still", || async { is_stopped(&tasks).then_some(()) }).await?;
    let hanging = tokio::spawn({
        let http = world.trilby.http.clone();
        async move { get(&http, "k").await }
    });
    // Meanwhile others are served.
    for _ in 0..20 {
        assert_eq!(world.trilby.http.post("/echo", "x").await?.text(), "x");
    }
    let report = hanging.await??;
    assert_eq!(report.result, -4, "{report:?}");
    assert_eq!(report.header("reason"), Some("TRILBY_DEADLINE"));
    daprd.process().signal(Signal::CONT)?;
    until("the sidecar to answer again", || async {
        get(&world.trilby.http, "k").await.ok().filter(|report| report.body == "x")
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn tokens_are_sent_and_asked_for() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let api = ("DAPR_API_TOKEN".to_owned(), "to-daprd".to_owned());
    let app = ("APP_API_TOKEN".to_owned(), "to-the-app".to_owned());
    let (env, daprd_env) = (vec![api.clone(), app.clone()], vec![api, app]);
    let options = Options { env, daprd_env, ..Options::default() };
    let world = probe::world_with(BACKEND, options).await?;
    let http = &world.trilby.http;
    let sent = call(http, "/publish", ["pubsub", "t1"], "", "guarded").await?;
    assert_eq!(sent.result, 0, "{sent:?}");
    until("the event", || async {
        get(http, "guarded").await.ok().filter(|report| report.body == "1")
    })
    .await?;
    // Who is not daprd cannot deliver events, or trigger bindings.
    for path in ["/dapr/events/pubsub/t1", "/tick"] {
        for token in ["", "wrong"] {
            let headers = [("dapr-api-token", token)];
            let answer = http.send(Method::POST, path, &headers, "forged").await?;
            assert_eq!(answer.status, 401, "{path} with `{token}`");
        }
    }
    assert_eq!(get(http, "forged").await?.body, "");
    Ok(())
}

#[tokio::test]
async fn a_wrong_token_is_a_typed_error() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let token = |value: &str| vec![("DAPR_API_TOKEN".to_owned(), value.to_owned())];
    let (env, daprd_env) = (token("wrong"), token("right"));
    let options = Options { env, daprd_env, ..Options::default() };
    let world = probe::world_with(BACKEND, options).await?;
    let report = get(&world.trilby.http, "k").await?;
    assert_eq!(report.result, -16, "{report:?}");
    Ok(())
}

#[tokio::test]
async fn the_app_channel_tells_daprd_what_the_manifest_says() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = repository().join("tests/guests/probe");
    let port = free_port()?.to_string();
    let trilby = Launch::new(app, folder.path()).env("DAPR_GRPC_PORT", port).start().await?;
    let answer = trilby.http.get("/dapr/subscribe").await?;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.text(),
        r#"[{"pubsubname":"pubsub","routes":{"default":"/dapr/events/pubsub/t1"},"topic":"t1"}]"#
    );
    assert_eq!(trilby.http.get("/dapr/config").await?.status, 404);
    let options = trilby.http.send(Method::OPTIONS, "/tick", &[], "").await?;
    assert_eq!(options.status, 200);
    Ok(())
}

#[tokio::test]
async fn without_a_sidecar_nobody_delivers_over_the_listener() -> Result<()> {
    let world = probe::world(Backend::EmbeddedMemory).await?;
    let http = &world.trilby.http;
    // These are then ordinary paths, which the probe does not know.
    for path in ["/dapr/events/pubsub/t1", "/tick"] {
        let answer = http.post(path, "forged").await?;
        assert_eq!(answer.text(), "the probe does not know this path", "{path}");
    }
    assert_eq!(get(http, "forged").await?.body, "");
    Ok(())
}

#[tokio::test]
async fn a_unix_socket_leads_to_the_sidecar() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let resources = folder.path().join("components");
    trilby_testkit::Components::of(BACKEND, None, folder.path()).write(&resources)?;
    let mut command = std::process::Command::new(std::env::var("TRILBY_TEST_DAPRD")?);
    command.args(["--app-id", "socket", "--unix-domain-socket"]).arg(folder.path());
    command.arg("--resources-path").arg(&resources).env("DAPR_HOST_IP", "127.0.0.1");
    for flag in ["--dapr-internal-grpc-port", "--metrics-port", "--dapr-public-port"] {
        command.arg(flag).arg(free_port()?.to_string());
    }
    let _daprd = Process::start("daprd", &mut command)?;
    let socket = format!("unix://{}", folder.path().join("dapr-socket-grpc.socket").display());
    let app = repository().join("tests/guests/probe");
    let trilby = Launch::new(app, folder.path()).env("DAPR_GRPC_ENDPOINT", socket).start().await?;
    until("the socket", || async {
        set(&trilby.http, "k", "", "over the socket").await.ok().filter(|r| r.result == 0)
    })
    .await?;
    assert_eq!(get(&trilby.http, "k").await?.body, "over the socket");
    Ok(())
}

/// Guests and native services share stores and topics: here one on Dapr's own SDK for Rust.
#[tokio::test]
async fn a_native_service_on_daprs_sdk_is_a_peer() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let world = World::start(BACKEND, "examples/guestbook", Options::default(), |c, _| {
        c.add("prune", "bindings.cron", &[("schedule", "@every 1h"), ("direction", "input")])
    })
    .await?;
    let options = world.daprd_options.as_ref().context("no sidecar")?;
    let address = format!("http://127.0.0.1:{}", options.grpc_port);
    let options = dapr::client::ClientOptions::new().with_address(address);
    let mut peer = dapr::Client::<dapr::client::TonicClientWithAuth>::from_options(options).await?;

    world.trilby.http.post("/entries", "from a guest").await?;
    let stored = peer.get_state("statestore", "entries", None).await?;
    assert_eq!(stored.data, br#"[{"name":"anonymous","text":"from a guest"}]"#);

    let event = br#"{"name":"peer","text":"hi"}"#.to_vec();
    peer.publish_event("pubsub", "entry-added", "application/json", event, None).await?;
    until("both events to be counted", || async {
        let page = world.trilby.http.get("/").await.ok()?.text();
        page.contains("1 entries, 2 ever added.").then_some(())
    })
    .await
}
