//! Several events in one delivery.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(way: Way, more: &str) -> Result<App> {
    let route = format!(
        "topic = \"pubsub/t\"\nbulk = {{ max-messages = 10, max-await = \"500ms\" }}\n{more}"
    );
    let setup = Setup::new(&[&route]).and("pubsub", "publish = [\"pubsub\"]");
    setup.with_redis().serve(way).await
}

/// Publishes an event for each of the texts at once.
async fn publish(app: &App, texts: &[&str]) -> Result<()> {
    let records = texts.iter().map(|text| format!("{{\"data\":\"{text}\"}}\n"));
    let to = [("pubsub", "pubsub"), ("topic", "t")];
    let told = app.ask("/pubsub/publish_bulk", &to, records.collect::<String>()).await?;
    assert_eq!(told.done().text(), "");
    Ok(())
}

fn entries(delivery: &Value) -> Result<&Vec<Value>> {
    delivery["entries"].as_array().context("no entries")
}

ways!(a_delivery_has_all_that_daprs_has);

async fn a_delivery_has_all_that_daprs_has(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    publish(&app, &["one ack", "two ack", "three ack"]).await?;
    for key in ["one", "two", "three"] {
        app.first(key).await?;
    }
    // How many come together is the broker's matter.
    let (mut ids, mut count) = (BTreeSet::new(), 0);
    for delivery in app.seen("bulk") {
        assert_eq!(delivery.variable("TRILBY_TRIGGER"), "topic");
        assert_eq!(delivery.variable("CONTENT_TYPE"), "application/json");
        assert_eq!(delivery.variable("CE_TOPIC"), "t");
        assert_eq!(delivery.variable("CE_PUBSUBNAME"), "pubsub");
        let body = delivery.json()?;
        assert_eq!(body["type"], "com.dapr.event.sent.bulk");
        assert_eq!((&body["topic"], &body["pubsubname"]), (&"t".into(), &"pubsub".into()));
        let entries = entries(&body)?;
        assert_eq!(delivery.variable("TRILBY_BULK_COUNT"), entries.len().to_string());
        for entry in entries {
            assert_eq!(entry["contentType"], "application/cloudevents+json");
            assert_eq!(entry["event"]["type"], "com.dapr.event.sent");
            ids.insert(entry["entryId"].as_str().context("no id")?.to_owned());
            count += 1;
        }
    }
    assert_eq!((ids.len(), count), (3, 3));
    Ok(())
}

ways!(each_event_has_a_status_of_its_own);

async fn each_event_has_a_status_of_its_own(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    publish(&app, &["good ack", "gone json-drop", "again json-retry", "missed missing"]).await?;
    app.came("again", 2).await?;
    app.came("missed", 2).await?;
    publish(&app, &["last ack"]).await?;
    app.first("last").await?;
    for (key, times) in [("good", 1), ("gone", 1), ("again", 2), ("missed", 2)] {
        assert_eq!(app.seen(key).len(), times, "{key}");
    }
    Ok(())
}

ways!(an_answer_without_statuses_counts_for_all);

async fn an_answer_without_statuses_counts_for_all(way: Way) -> Result<()> {
    let app = serve(way, "env = { ANSWER = \"empty\" }").await?;
    publish(&app, &["one json-retry", "two missing"]).await?;
    app.first("one").await?;
    app.first("two").await?;
    publish(&app, &["last ack"]).await?;
    app.first("last").await?;
    assert_eq!((app.seen("one").len(), app.seen("two").len()), (1, 1));

    let app = serve(way, "env = { ANSWER = \"error\" }").await?;
    publish(&app, &["one ack"]).await?;
    app.came("one", 2).await?;
    Ok(())
}

ways!(events_that_wait_come_together: embedded Embedded);

/// Only the embedded broker is held to a number: brokers behind daprd have a say of their own.
async fn events_that_wait_come_together(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    let texts: Vec<String> = (0..25).map(|number| format!("e{number} ack")).collect();
    publish(&app, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    for number in 0..25 {
        app.first(&format!("e{number}")).await?;
    }
    let sizes: Vec<usize> = app
        .seen("bulk")
        .iter()
        .map(|delivery| delivery.variable("TRILBY_BULK_COUNT").parse().unwrap_or(0))
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 25, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 10), "{sizes:?}");
    assert!(sizes.contains(&10), "{sizes:?}");
    Ok(())
}
