//! Who asks whether the app is ready is told to wait for the sidecar, if some route needs it.

use anyhow::{Context, Result};
use trilby_testkit::{Backend, Components, Daprd, DaprdOptions, Launch, until};

use super::setup::Setup;

const BACKEND: Backend = Backend::DaprdMemory;

/// The status of `/readyz`, and what it says.
async fn ready(http: &trilby_testkit::Client) -> Result<(u16, String)> {
    let answer = http.get("/readyz").await?;
    Ok((answer.status.as_u16(), answer.text()))
}

fn options(folder: &std::path::Path) -> Result<DaprdOptions> {
    let resources = folder.join("components");
    Components::of(BACKEND, None, folder).write(&resources)?;
    DaprdOptions::new("ready", resources, folder)
}

fn launch(folder: &std::path::Path, daprd: &DaprdOptions) -> Launch {
    Launch::new(folder, folder)
        .env("DAPR_GRPC_PORT", daprd.grpc_port.to_string())
        .env("DAPR_HTTP_PORT", daprd.http_port.to_string())
}

#[tokio::test]
async fn an_app_that_uses_dapr_is_ready_with_its_sidecar() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let setups = [
        Setup::new(&["topic = \"pubsub/t\""]),
        Setup::new(&["path = \"/\""]).and("state", "state = [\"statestore\"]"),
    ];
    for setup in setups {
        let folder = setup.write()?;
        let daprd_options = options(folder.path())?;
        let trilby = launch(folder.path(), &daprd_options).start().await?;
        let (status, text) = ready(&trilby.http).await?;
        assert_eq!(status, 503, "{text}");
        assert!(text.contains("waiting for the Dapr sidecar"), "{text}");
        assert_eq!(trilby.http.get("/healthz").await?.status, 200);

        // It is not asked for its full health, which waits for the app: that would be a circle.
        let mut with_app = daprd_options.clone();
        with_app.app_port = Some(trilby.port());
        let daprd = Daprd::start(&with_app).await?;
        let is = |wanted: u16| {
            let http = &trilby.http;
            until("readiness to follow the sidecar", move || async move {
                let (status, _) = ready(http).await.ok()?;
                (status == wanted).then_some(())
            })
        };
        is(200).await.with_context(|| trilby.output())?;
        drop(daprd);
        is(503).await.with_context(|| trilby.output())?;
        assert_eq!(trilby.http.get("/healthz").await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn an_app_that_uses_none_is_ready_at_once() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let folder = Setup::new(&["path = \"/...\""]).write()?;
    let daprd = options(folder.path())?;
    let trilby = launch(folder.path(), &daprd).start().await?;
    assert_eq!(ready(&trilby.http).await?.0, 200);
    assert_eq!(trilby.http.get("/healthz").await?.status, 200);
    Ok(())
}

/// daprd is ready for calls before it has seen the app; its full health is not there yet.
#[tokio::test]
async fn readiness_needs_no_more_than_daprds_outbound_health() -> Result<()> {
    if BACKEND.is_left_out() {
        return Ok(());
    }
    let folder = Setup::new(&["topic = \"pubsub/t\""]).write()?;
    let mut daprd_options = options(folder.path())?;
    let trilby = launch(folder.path(), &daprd_options).start().await?;
    // No app ever listens there.
    daprd_options.app_port = Some(trilby_testkit::free_port()?);
    let folder = folder.path().to_owned();
    let mut command = std::process::Command::new(&daprd_options.program);
    command.args(["--app-id", "ready", "--dapr-listen-addresses", "127.0.0.1"]);
    command.arg("--resources-path").arg(folder.join("components"));
    for (flag, port) in [
        ("--app-port", daprd_options.app_port.unwrap_or_default()),
        ("--dapr-grpc-port", daprd_options.grpc_port),
        ("--dapr-http-port", daprd_options.http_port),
        ("--dapr-internal-grpc-port", trilby_testkit::free_port()?),
        ("--metrics-port", trilby_testkit::free_port()?),
    ] {
        command.arg(flag).arg(port.to_string());
    }
    let _daprd = trilby_testkit::Process::start("daprd", &mut command)?;
    until("the app to be ready", || async {
        (ready(&trilby.http).await.ok()?.0 == 200).then_some(())
    })
    .await
    .with_context(|| trilby.output())?;
    let daprd =
        trilby_testkit::Client::new(&format!("http://127.0.0.1:{}", daprd_options.http_port));
    assert_eq!(daprd.get("/v1.0/healthz").await?.status, 500);
    Ok(())
}
