//! What is in flight at SIGTERM ends as it would, and is acknowledged.

use anyhow::{Context, Result};
use rustix::process::Signal;
use trilby_testkit::until;

use super::app::{App, Way};
use super::setup::Setup;

const EVENTS: usize = 20;

const ROUTE: &str = "topic = \"bus/t\"\nlimits = { deadline = \"30s\" }";

/// A broker that keeps what nobody has acknowledged: daprd's memory does not. Redis gives an event
/// away again when it was under way for three seconds.
async fn serve(way: Way) -> Result<App> {
    let setup = Setup::new(&[ROUTE]).and("pubsub", "publish = [\"bus\"]");
    setup
        .with_redis()
        .serve_with(way, |components, _| {
            if way == Way::Embedded {
                return components.add("bus", "pubsub.in-memory", &[]);
            }
            let host = components.redis_host();
            // Milliseconds: the component takes no other unit for the second one.
            let metadata = [
                ("redisHost", host.as_str()),
                ("processingTimeout", "3000"),
                ("redeliverInterval", "500"),
            ];
            components.add("bus", "pubsub.redis", &metadata)
        })
        .await
}

async fn publish(app: &App, text: &str) -> Result<()> {
    let to = [("pubsub", "bus"), ("topic", "t")];
    app.ask("/pubsub/publish", &to, text.to_owned()).await?.done();
    Ok(())
}

/// Ends the server while deliveries wait, which then may go on.
async fn end(app: &mut App) -> Result<()> {
    app.world.trilby.process().signal(Signal::TERM)?;
    app.world.trilby.logged("shutting down").await?;
    std::fs::write(app.path("out/go"), "")?;
    let status = app.world.trilby.process().ended().await?;
    assert_eq!(status.code(), Some(0), "{}", app.world.trilby.output());
    Ok(())
}

ways!(nothing_is_lost);

async fn nothing_is_lost(way: Way) -> Result<()> {
    let mut app = serve(way).await?;
    for number in 0..EVENTS {
        publish(&app, &format!("held{number} hold")).await?;
    }
    app.first("held0").await?;
    end(&mut app).await?;
    if way != Way::Embedded {
        // What was not begun is the broker's, and comes to the next one.
        app.start_again().await?;
    }
    for number in 0..EVENTS {
        app.first(&format!("held{number}")).await?;
    }
    Ok(())
}

/// The outcome of a delivery that ends during the drain reaches daprd, which then acknowledges it.
#[tokio::test]
async fn what_a_stream_has_finished_is_acknowledged() -> Result<()> {
    if Way::Streams.is_left_out() {
        return Ok(());
    }
    let mut app = serve(Way::Streams).await?;
    publish(&app, "held hold").await?;
    app.first("held").await?;
    assert_eq!(pending(&app).await?, 1, "it is under way");
    end(&mut app).await?;
    until("the acknowledgement", || async { (pending(&app).await.ok()? == 0).then_some(()) })
        .await?;
    assert_eq!(app.seen("held").len(), 1);
    Ok(())
}

/// How many events the broker has given away without an acknowledgement.
async fn pending(app: &App) -> Result<u64> {
    let redis = app.world.redis.as_ref().context("no Redis")?;
    redis.pending("t", &app.world.app_id).await
}
