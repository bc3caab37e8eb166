//! Dead-letter topics: where events go that could not be delivered.

use anyhow::Result;
use serde_json::json;

use super::app::{App, Way};
use super::setup::Setup;

async fn serve(way: Way, more: &str) -> Result<App> {
    let live = format!("topic = \"pubsub/live\"\ndead-letter = \"dead\"\n{more}");
    let dead = "topic = \"pubsub/dead\"\nenv = { ROUTE = \"dead\" }";
    Setup::new(&[&live, dead]).and("pubsub", "publish = [\"pubsub\"]").serve(way).await
}

/// Waits until a key came over the dead-letter topic, and gives how often it came live.
async fn died(app: &App, key: &str) -> Result<usize> {
    for times in 1.. {
        let seen = app.came(key, times).await?;
        let last = &seen[times - 1];
        if last.variable("ROUTE") == "dead" {
            assert_eq!(last.text(), seen[0].text(), "{key}");
            assert_eq!(last.variable("CE_ID"), seen[0].variable("CE_ID"), "{key}");
            return Ok(times - 1);
        }
    }
    unreachable!("it comes for ever");
}

ways!(what_is_dropped_or_fails_for_good_is_published_there);

async fn what_is_dropped_or_fails_for_good_is_published_there(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    for wish in ["drop", "json-drop", "never"] {
        app.publish("live", &format!("{wish} {wish}")).await?;
    }
    app.publish("live", "good ack").await?;
    assert_eq!(died(&app, "drop").await?, 1);
    assert_eq!(died(&app, "json-drop").await?, 1);
    // The last one of all tries: the broker's own when embedded, the Resiliency policy's in daprd.
    assert_eq!(died(&app, "never").await?, 6);
    assert_eq!(app.seen("good").len(), 1);
    Ok(())
}

ways!(what_comes_again_in_time_is_not);

async fn what_comes_again_in_time_is_not(way: Way) -> Result<()> {
    let app = serve(way, "").await?;
    app.publish("live", "again retry").await?;
    app.came("again", 2).await?;
    app.publish("live", "dropped drop").await?;
    died(&app, "dropped").await?;
    assert_eq!(app.seen("again").len(), 2);
    Ok(())
}

ways!(what_no_rule_wants_is_published_there);

async fn what_no_rule_wants_is_published_there(way: Way) -> Result<()> {
    let app = serve(way, r#"match = 'event.data.kind == "wanted"'"#).await?;
    app.publish_json("live", &json!({"key": "unwanted", "kind": 1})).await?;
    let event = app.first("unwanted").await?;
    assert_eq!(event.variable("ROUTE"), "dead");
    assert_eq!(event.json()?, json!({"key": "unwanted", "kind": 1}));
    Ok(())
}
