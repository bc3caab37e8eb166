//! Routing rules: which of a topic's routes gets an event.

use anyhow::Result;
use serde_json::json;

use super::app::{App, Way};
use super::setup::Setup;

/// A route that says in its environment which one it is.
fn route(name: &str, more: &str) -> String {
    format!("topic = \"pubsub/t\"\nenv = {{ ROUTE = \"{name}\" }}\n{more}")
}

async fn serve(way: Way, routes: &[(&str, &str)]) -> Result<App> {
    let routes: Vec<String> = routes.iter().map(|(name, more)| route(name, more)).collect();
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    Setup::new(&routes).and("pubsub", "publish = [\"pubsub\"]").serve(way).await
}

async fn routed(app: &App, key: &str) -> Result<String> {
    Ok(app.first(key).await?.variable("ROUTE").to_owned())
}

ways!(the_first_route_whose_condition_is_true_gets_the_event);

async fn the_first_route_whose_condition_is_true_gets_the_event(way: Way) -> Result<()> {
    let routes = [
        ("rest", ""),
        ("typed", r#"match = 'event.type == "placed"'"#),
        ("large", "match = 'has(event.data.amount) && event.data.amount > 10'"),
        ("huge", "match = 'has(event.data.amount) && event.data.amount > 100'"),
        ("tenant", r#"match = 'has(event.tenant) && event.tenant.startsWith("ac")'"#),
    ];
    let app = serve(way, &routes).await?;
    let of_type = [("content-type", "application/json"), ("metadata.cloudevent.type", "placed")];
    app.publish_as("t", &of_type, json!({"key": "a", "amount": 11}).to_string()).await?;
    app.publish_json("t", &json!({"key": "b", "amount": 11})).await?;
    app.publish_json("t", &json!({"key": "c", "amount": 101})).await?;
    app.publish_json("t", &json!({"key": "d", "amount": 10})).await?;
    app.publish("t", "e a text has no members").await?;
    let envelope = json!({
        "specversion": "1.0", "id": "7", "source": "shop", "type": "x", "tenant": "acme",
        "datacontenttype": "text/plain", "data": "f",
    });
    let as_envelope = [("content-type", "application/cloudevents+json")];
    app.publish_as("t", &as_envelope, envelope.to_string()).await?;
    // Rules are asked in the order in which they stand, wherever the route without one is.
    let wanted = [
        ("a", "typed"),
        ("b", "large"),
        ("c", "large"),
        ("d", "rest"),
        ("e", "rest"),
        ("f", "tenant"),
    ];
    for (key, route) in wanted {
        assert_eq!(routed(&app, key).await?, route, "{key}");
    }
    Ok(())
}

ways!(an_event_that_nobody_wants_is_done);

async fn an_event_that_nobody_wants_is_done(way: Way) -> Result<()> {
    let app = serve(way, &[("wanted", r#"match = 'event.data.kind == "wanted"'"#)]).await?;
    for number in 0..3 {
        app.publish_json("t", &json!({"key": "unwanted", "kind": number})).await?;
    }
    app.publish_json("t", &json!({"key": "last", "kind": "wanted"})).await?;
    assert_eq!(routed(&app, "last").await?, "wanted");
    assert_eq!(app.seen("unwanted").len(), 0);
    Ok(())
}

ways!(an_event_for_which_a_rule_fails_goes_nowhere_else);

/// As daprd has it: the search ends at a rule that cannot be told, and nothing else of the topic
/// waits for that event.
async fn an_event_for_which_a_rule_fails_goes_nowhere_else(way: Way) -> Result<()> {
    let routes = [("rest", ""), ("deep", "match = 'event.data.a.b == 1.0'")];
    let app = serve(way, &routes).await?;
    app.publish_json("t", &json!({"key": "failed"})).await?;
    app.publish_json("t", &json!({"key": "deep", "a": {"b": 1}})).await?;
    app.publish_json("t", &json!({"key": "rest", "a": {"b": 2}})).await?;
    assert_eq!(routed(&app, "deep").await?, "deep");
    assert_eq!(routed(&app, "rest").await?, "rest");
    assert_eq!(app.seen("failed").len(), 0);
    Ok(())
}
