//! daprd asks for the app's health, and sends nothing before it is told that the app is well.

use anyhow::{Context, Result};
use trilby_testkit::{AppProtocol, Options};

use super::app::Way;
use super::setup::Setup;

ways!(events_come_to_an_app_that_is_well: http Http, grpc Grpc);

async fn events_come_to_an_app_that_is_well(way: Way) -> Result<()> {
    let daprd: fn(&mut _) = match way {
        Way::Grpc => |daprd: &mut trilby_testkit::DaprdOptions| {
            daprd.app_protocol = AppProtocol::Grpc;
            daprd.app_health_check = true;
        },
        _ => |daprd: &mut trilby_testkit::DaprdOptions| daprd.app_health_check = true,
    };
    let options = Options { daprd: Some(daprd), ..Options::default() };
    let setup = Setup::new(&["topic = \"pubsub/t\""]).and("pubsub", "publish = [\"pubsub\"]");
    let app = setup.options(options).serve(way).await?;
    // In daprd's memory, an event to which nobody is subscribed yet is lost.
    let mut round = 0;
    trilby_testkit::until("an event", || {
        round += 1;
        let event = format!("well {round}");
        let app = &app;
        async move {
            app.publish("t", &event).await.ok()?;
            (!app.seen("well").is_empty()).then_some(())
        }
    })
    .await
    .with_context(|| app.world.trilby.output())?;
    let daprd = app.world.daprd.as_ref().context("no sidecar")?;
    assert_eq!(daprd.http.get("/v1.0/healthz").await?.status, 204);
    assert!(!daprd.output().contains("app is now unhealthy"), "{}", daprd.output());
    Ok(())
}
