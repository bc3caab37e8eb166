//! The JSON, and its bounds.

use std::time::Duration;

use trilby_dapr::Condition;
use trilby_dapr::subscription::{Rule, Target};

use super::*;

fn json(metadata: &Metadata, inventory: &Inventory) -> Value {
    let json =
        metadata.json("app", inventory, &Named::default(), |info| capabilities(info.kind, false));
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn it_has_daprds_form() {
    let metadata = Metadata::default();
    let mut expected = json!({
        "id": "app",
        "runtimeVersion": VERSION,
        "extended": { "daprRuntimeVersion": VERSION },
        "appConnectionProperties": { "protocol": "http" },
        "actorRuntime": {
            "runtimeStatus": "DISABLED",
            "hostReady": false,
            "placement": "placement: disconnected",
        },
    });
    assert_eq!(json(&metadata, &Inventory::default()), expected);

    let mut inventory = Inventory::default();
    inventory.add(Kind::State, "mem".to_owned(), "state.in-memory".to_owned());
    inventory.add(Kind::Lock, "locks".to_owned(), "lock.in-memory".to_owned());
    expected["components"] = json!([
        { "name": "mem", "type": "state.in-memory", "version": "v1",
          "capabilities": ["ETAG", "TRANSACTIONAL", "TTL"] },
        { "name": "locks", "type": "lock.in-memory", "version": "v1" },
    ]);
    metadata.set("cli".to_owned(), "1".to_owned()).unwrap();
    metadata.set(String::new(), "nobody".to_owned()).unwrap();
    expected["extended"]["cli"] = json!("1");
    let target = |path: &str| Target { path: path.to_owned(), deadline: Duration::from_secs(1) };
    let condition = Condition::parse("event.type == \"a\"").unwrap();
    let known = Subscription {
        pubsub: "ps".to_owned(),
        topic: "t".to_owned(),
        rules: vec![Rule { condition, target: target("/a") }],
        default: Some(target("/b")),
        dead_letter_topic: Some("dead".to_owned()),
        bulk: None,
        metadata: BTreeMap::from([("rawPayload".to_owned(), "true".to_owned())]),
    };
    let plain = Subscription {
        rules: Vec::new(),
        default: None,
        dead_letter_topic: None,
        metadata: BTreeMap::new(),
        ..known.clone()
    };
    metadata.set_subscriptions(vec![
        (known, SubscriptionType::Declarative),
        (plain, SubscriptionType::Programmatic),
    ]);
    expected["subscriptions"] = json!([
        { "pubsubname": "ps", "topic": "t", "metadata": { "rawPayload": "true" },
          "rules": [{ "match": "event.type == \"a\"", "path": "/a" }, { "path": "/b" }],
          "deadLetterTopic": "dead", "type": "DECLARATIVE" },
        { "pubsubname": "ps", "topic": "t", "deadLetterTopic": "", "type": "PROGRAMMATIC" },
    ]);
    assert_eq!(json(&metadata, &inventory), expected);
}

#[test]
fn entries_have_bounds() {
    let metadata = Metadata::default();
    for number in 0..ENTRIES_MAX {
        metadata.set(number.to_string(), "x".to_owned()).unwrap();
    }
    let error = metadata.set("one more".to_owned(), "x".to_owned()).unwrap_err();
    assert_eq!(error.code, Code::ResourceExhausted);
    metadata.set("7".to_owned(), "y".repeat(ENTRY_BYTES_MAX - 1)).unwrap();
    let error = metadata.set("7".to_owned(), "y".repeat(ENTRY_BYTES_MAX)).unwrap_err();
    assert_eq!(&*error.reason, "TRILBY_METADATA_FULL");
}

#[test]
fn endpoints_and_resiliencies_have_names() {
    let named = Named { endpoints: vec!["api"], resiliencies: vec!["a", "b"] };
    let json = Metadata::default().json("app", &Inventory::default(), &named, |_| &[]);
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["httpEndpoints"], json!([{ "name": "api" }]));
    assert_eq!(json["resiliencies"], json!([{ "name": "a" }, { "name": "b" }]));
}
