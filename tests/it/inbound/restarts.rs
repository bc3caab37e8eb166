//! A sidecar that goes and comes back while streams are open.

use anyhow::{Context, Result};
use rustix::process::Signal;
use trilby_testkit::{Daprd, until};

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(routes: &[&str]) -> Result<App> {
    Setup::new(routes).and("pubsub", "publish = [\"pubsub\"]").serve(Way::Streams).await
}

#[tokio::test]
async fn streams_open_again_when_the_sidecar_is_back() -> Result<()> {
    if Way::Streams.is_left_out() {
        return Ok(());
    }
    let mut app = serve(&["topic = \"pubsub/one\"", "topic = \"pubsub/two\""]).await?;
    let options = app.world.daprd_options.clone().context("no sidecar")?;
    for round in 0..3 {
        for topic in ["one", "two"] {
            let key = format!("{topic}{round}");
            app.publish(topic, &key).await?;
            app.first(&key).await?;
        }
        drop(app.world.daprd.take());
        app.world.daprd = Some(Daprd::start(&options).await?);
        app.subscribed(2).await?;
    }
    Ok(())
}

/// A sidecar that ends in the middle of a delivery takes nothing from the guest, which ends as it
/// would.
#[tokio::test]
async fn a_delivery_outlives_its_stream() -> Result<()> {
    if Way::Streams.is_left_out() {
        return Ok(());
    }
    let mut app = serve(&["topic = \"pubsub/t\"\nlimits = { deadline = \"30s\" }"]).await?;
    let options = app.world.daprd_options.clone().context("no sidecar")?;
    app.publish("t", "held hold").await?;
    app.first("held").await?;
    drop(app.world.daprd.take());
    std::fs::write(app.path("out/go"), "")?;
    app.world.daprd = Some(Daprd::start(&options).await?);
    app.subscribed(1).await?;
    app.publish("t", "next").await?;
    app.first("next").await?;
    Ok(())
}

/// A reload opens streams for new topics, and closes those that nobody wants any more.
#[tokio::test]
async fn a_reload_changes_what_is_streamed() -> Result<()> {
    if Way::Streams.is_left_out() {
        return Ok(());
    }
    let publish = "publish = [\"pubsub\"]";
    let mut app = serve(&["topic = \"pubsub/one\"", "topic = \"pubsub/two\""]).await?;
    let next = Setup::new(&["topic = \"pubsub/two\"", "topic = \"pubsub/three\""]);
    std::fs::write(app.path("trilby.toml"), next.and("pubsub", publish).manifest())?;
    app.world.trilby.process().signal(Signal::HUP)?;
    app.world.trilby.logged("trilby::reload: reloaded").await?;
    let mut round = 0;
    until("the new topic", || {
        round += 1;
        let app = &app;
        let event = format!("new {round}");
        async move {
            app.publish("three", &event).await.ok()?;
            (!app.seen("new").is_empty()).then_some(())
        }
    })
    .await
    .with_context(|| app.world.trilby.output())?;
    app.publish("one", "old").await?;
    app.publish("two", "kept").await?;
    app.first("kept").await?;
    assert_eq!(app.seen("old").len(), 0);
    assert_eq!(app.seen("kept").len(), 1);
    Ok(())
}
