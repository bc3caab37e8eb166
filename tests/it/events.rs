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
    count(http, "acked", 1).await?;
    // Data and attributes arrive as CGI has them.
    let note = until("the note, which the guest writes after the count", || async {
        get(http, "acked-note").await.ok().map(|report| report.body).filter(|note| !note.is_empty())
    })
    .await?;
    assert_eq!(note, "1 com.dapr.event.sent t1 text/plain");
    Ok(())
}

matrix!(verdicts);

/// What a guest's answer means for its event. A retry is the embedded broker's own doing, and for
/// daprd that of a Resiliency policy. Other events do not wait for one that comes again.
async fn verdicts(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    let http = &world.trilby.http;
    let (once, twice) =
        (["ack", "json-ack", "drop", "json-drop"], ["retry", "refuse", "json-retry", "trap"]);
    for wish in once.iter().chain(&twice) {
        publish(http, &format!("{wish} {wish}")).await?;
    }
    publish(http, "last ack").await?;
    count(http, "last", 1).await?;
    for wish in twice {
        count(http, wish, 2).await?;
    }
    // By now an event that was dropped or acknowledged would have come again, too.
    for wish in once {
        assert_eq!(get(http, wish).await?.body, "1", "{wish}");
    }
    Ok(())
}

matrix!(an_event_comes_again_after_a_deadline);

async fn an_event_comes_again_after_a_deadline(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    publish(&world.trilby.http, "endless spin").await?;
    count(&world.trilby.http, "endless", 2).await
}

matrix!(input_bindings);

async fn input_bindings(backend: Backend) -> Result<()> {
    let world = probe::world(backend).await?;
    count(&world.trilby.http, "binding-tick", 2).await
}
