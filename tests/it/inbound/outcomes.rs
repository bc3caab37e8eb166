//! What a guest's answer means for its event: one table for every way in.

use anyhow::Result;

use super::app::Way;
use super::setup::Setup;

const PUBLISH: &str = "publish = [\"pubsub\"]";

/// Answers after which an event has come for the last time.
const ONCE: [&str; 5] = ["ack", "text", "json-ack", "drop", "json-drop"];

/// Answers, and none, after which it comes again.
const TWICE: [&str; 6] = ["retry", "refuse", "json-retry", "odd", "trap", "spin"];

ways!(an_answer_acknowledges_drops_or_asks_again);

/// A retry is the embedded broker's own doing, and for daprd that of a Resiliency policy. Other
/// events do not wait for one that comes again.
async fn an_answer_acknowledges_drops_or_asks_again(way: Way) -> Result<()> {
    let app = Setup::new(&["topic = \"pubsub/t\""])
        .and("pubsub", PUBLISH)
        .with_redis()
        .serve(way)
        .await?;
    for wish in ONCE.iter().chain(&TWICE) {
        app.publish("t", &format!("{wish} {wish}")).await?;
    }
    app.publish("t", "last ack").await?;
    app.first("last").await?;
    for wish in TWICE {
        app.came(wish, 2).await?;
    }
    // By now an event that was dropped or acknowledged would have come again, too.
    for wish in ONCE {
        assert_eq!(app.seen(wish).len(), 1, "{wish}");
    }
    for wish in TWICE {
        assert_eq!(app.seen(wish).len(), 2, "{wish} comes again after it was acknowledged");
    }
    Ok(())
}

ways!(an_event_comes_again_as_it_was);

async fn an_event_comes_again_as_it_was(way: Way) -> Result<()> {
    let app = Setup::new(&["topic = \"pubsub/t\""]).and("pubsub", PUBLISH).serve(way).await?;
    app.publish("t", "again retry").await?;
    let [first, second] = &app.came("again", 2).await?[..] else {
        anyhow::bail!("it came too often")
    };
    for name in ["CE_ID", "CE_TIME", "CE_SOURCE", "CE_TYPE", "CE_TOPIC", "CONTENT_TYPE"] {
        assert!(!first.variable(name).is_empty(), "{name}");
        assert_eq!(first.variable(name), second.variable(name), "{name}");
    }
    assert_ne!(first.variable("REQUEST_ID"), second.variable("REQUEST_ID"));
    assert_eq!(first.text(), second.text());
    Ok(())
}

ways!(every_event_comes_at_least_once);

/// More events at once than any way in has in flight.
async fn every_event_comes_at_least_once(way: Way) -> Result<()> {
    const EVENTS: usize = 100;
    let app = Setup::new(&["topic = \"pubsub/t\""]).and("pubsub", PUBLISH).serve(way).await?;
    let mut records = String::new();
    for number in 0..EVENTS {
        records.push_str(&format!("{{\"id\":\"{number}\",\"data\":\"event{number}\"}}\n"));
    }
    let to = [("pubsub", "pubsub"), ("topic", "t")];
    assert_eq!(app.ask("/pubsub/publish_bulk", &to, records).await?.done().text(), "");
    for number in 0..EVENTS {
        app.first(&format!("event{number}")).await?;
    }
    Ok(())
}
