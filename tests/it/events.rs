//! Topic events and input bindings, as they reach a guest, on every back end.

use anyhow::Result;
use trilby_testkit::{Backend, Client, until};

use crate::probe::{self, call, get};

/// Publishes `KEY WISH` to the topic that the probe subscribes to.
async fn publish(http: &Client, text: &str) -> Result<()> {
    let sent = call(http, "/publish", ["pubsub", "t1"], "", text.to_owned()).await?;
    assert_eq!(sent.result, 0, "{sent:?}");
    Ok(())
}

async fn count(http: &Client, key: &str, wanted: u32) -> Result<()> {
    until(&format!("{key} to be {wanted}"), || async {
        get(http, key).await.ok().filter(|report| report.body == wanted.to_string())
    })
    .await?;
    Ok(())
}

matrix!(topic_events);

async fn topic_events(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    publish(http, "acked ack").await?;
    publish(http, "dropped drop").await?;
    publish(http, "later ack").await?;
    for key in ["acked", "dropped", "later"] {
        count(http, key, 1).await?;
    }
    // Data and attributes arrive as CGI has them.
    let note = get(http, "acked-note").await?.body;
    assert_eq!(note, "1 com.dapr.event.sent t1 text/plain");
    Ok(())
}

matrix!(retries);

/// A guest that asks for a retry gets the event again: from the embedded broker by itself, from
/// daprd by a Resiliency policy. Other events do not wait for it.
async fn retries(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    publish(http, "again retry").await?;
    publish(http, "next ack").await?;
    count(http, "again", 2).await?;
    count(http, "next", 1).await
}

matrix!(input_bindings);

async fn input_bindings(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    count(&world.trilby.http, "binding-tick", 2).await
}
