//! `Subscription` files beside the components: an operator's routes to ordinary paths of the app.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::app::{App, Way};
use super::setup::Setup;

const V1: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata:
  name: orders
spec:
  pubsubname: pubsub
  topic: orders
  route: /orders
  deadLetterTopic: failed
";

const V2: &str = r#"
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: parcels
spec:
  pubsubname: pubsub
  topic: parcels
  routes:
    rules:
      - match: event.type == "heavy"
        path: /heavy
      - match: event.data.from == "far"
        path: /far
    default: /parcels
"#;

const OF_ANOTHER: &str = "\
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: elsewhere
spec:
  pubsubname: pubsub
  topic: elsewhere
  routes: {default: /orders}
scopes: [another-app]
";

const FAILED: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata:
  name: failed
spec:
  pubsubname: pubsub
  topic: failed
  route: /failed
";

async fn serve(way: Way) -> Result<App> {
    let route = |path: &str| format!("path = \"/{path}\"\nenv = {{ ROUTE = \"{path}\" }}");
    let routes = ["orders", "heavy", "far", "parcels", "failed"].map(route);
    let setup = Setup::new(&routes.each_ref().map(String::as_str));
    let setup = setup.and("pubsub", "publish = [\"pubsub\"]");
    let write = |folder: &Path| -> Result<()> {
        let folder = folder.join("components");
        std::fs::create_dir_all(&folder)?;
        let files = [("v1", V1), ("v2", V2), ("of-another", OF_ANOTHER), ("failed", FAILED)];
        for (name, text) in files {
            std::fs::write(folder.join(format!("subscription-{name}.yaml")), text)?;
        }
        Ok(())
    };
    let mut written = Ok(());
    let app = setup.serve_with(way, |components, folder| {
        written = write(folder);
        components
    });
    let app = app.await;
    written?;
    app
}

ways!(a_file_leads_events_to_paths: embedded Embedded, http Http, grpc Grpc);

/// Behind a path is an ordinary route: it gets the envelope, as of any app of Dapr.
async fn a_file_leads_events_to_paths(way: Way) -> Result<()> {
    let app = serve(way).await?;
    app.publish("orders", "order ack").await?;
    app.publish("elsewhere", "elsewhere ack").await?;
    let heavy = [("content-type", "application/json"), ("metadata.cloudevent.type", "heavy")];
    app.publish_as("parcels", &heavy, json!({"key": "heavy", "from": "far"}).to_string()).await?;
    app.publish_json("parcels", &json!({"key": "far", "from": "far"})).await?;
    app.publish_json("parcels", &json!({"key": "near", "from": "near"})).await?;
    for (key, route) in
        [("order", "orders"), ("heavy", "heavy"), ("far", "far"), ("near", "parcels")]
    {
        let event = app.first(key).await?;
        assert_eq!(event.variable("ROUTE"), route, "{key}");
        assert_eq!(event.variable("CONTENT_TYPE"), "application/cloudevents+json");
        let envelope = event.json()?;
        assert_eq!(envelope["pubsubname"], "pubsub", "{key}");
        assert_eq!(envelope["specversion"], "1.0", "{key}");
    }
    assert_eq!(app.seen("elsewhere").len(), 0);
    Ok(())
}

ways!(its_answers_mean_what_those_of_a_topic_do: embedded Embedded, http Http, grpc Grpc);

async fn its_answers_mean_what_those_of_a_topic_do(way: Way) -> Result<()> {
    let app = serve(way).await?;
    let again = ["retry", "json-retry", "trap"];
    for wish in again {
        app.publish("orders", &format!("{wish} {wish}")).await?;
    }
    for wish in ["drop", "json-drop", "never"] {
        app.publish("orders", &format!("{wish} {wish}")).await?;
    }
    for wish in again {
        let seen = app.came(wish, 2).await?;
        assert!(seen.iter().all(|event| event.variable("ROUTE") == "orders"), "{wish}");
    }
    for (wish, times) in [("drop", 2), ("json-drop", 2), ("never", 7)] {
        let seen = app.came(wish, times).await?;
        assert_eq!(seen[times - 1].variable("ROUTE"), "failed", "{wish}");
    }
    Ok(())
}

ways!(a_client_may_use_the_same_path: embedded Embedded, http Http, grpc Grpc);

async fn a_client_may_use_the_same_path(way: Way) -> Result<()> {
    let app = serve(way).await?;
    assert_eq!(app.post("/orders", "client ack").await?.status, 204);
    let request = app.first("client").await?;
    assert_eq!(request.variable("TRILBY_TRIGGER"), "http");
    assert_eq!(request.text(), "client ack");
    assert_eq!(app.post("/orders", "refused drop").await?.status, 404);
    Ok(())
}
