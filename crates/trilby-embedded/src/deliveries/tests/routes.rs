//! Who gets an event, and in which envelope.

use trilby_dapr::Condition;
use trilby_dapr::subscription::Rule;

use super::*;

pub(super) fn rule(condition: &str, path: &str) -> Rule {
    Rule { condition: Condition::parse(condition).unwrap(), target: target(path) }
}

fn raw() -> Subscription {
    let metadata = [("rawPayload".to_owned(), "true".to_owned())].into();
    Subscription { metadata, ..subscription("/raw") }
}

#[tokio::test(start_paused = true)]
async fn the_first_rule_that_is_true_gets_the_event() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let rules = vec![
        rule(r#"event.type == "a""#, "/a"),
        rule(r#"event.data.n > 5 && event.type != "b""#, "/large"),
        rule(r#"event.type == "b""#, "/b"),
    ];
    let deliveries = started_all(&app, &broker, [Subscription { rules, ..subscription("/rest") }]);
    for (event_type, data) in
        [("a", "{}"), ("b", r#"{"n":9}"#), ("c", r#"{"n":9}"#), ("c", r#"{"n":1}"#)]
    {
        let envelope =
            format!(r#"{{"specversion":"1.0","id":"1","type":"{event_type}","data":{data}}}"#);
        publish(&broker, &envelope, &[("rawPayload", "true")]).await.unwrap();
    }
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/b", "/large", "/rest"]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_without_an_answer_ends_the_event() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let rules = vec![rule("event.missing.n > 5", "/a")];
    let dead_letter_topic = Some("dead".to_owned());
    let routed = Subscription { rules, dead_letter_topic, ..subscription("/rest") };
    let dead = Subscription { topic: "dead".into(), ..subscription("/dead") };
    let deliveries = started_all(&app, &broker, [routed, dead]);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/dead"]);
}

#[tokio::test(start_paused = true)]
async fn to_a_raw_subscription_everything_is_a_payload() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started_all(&app, &broker, [Subscription { topic: "p*".into(), ..raw() }]);
    publish(&broker, "\u{1}raw", &[("rawPayload", "true"), ("tracestate", "k=v")]).await.unwrap();
    publish(&broker, "late", &[("ttlInSeconds", "0")]).await.unwrap();
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    let raw = Event::parse(&seen[0].body).unwrap();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let expected = Event {
        id: raw.id.clone(),
        source: "Dapr".into(),
        event_type: "com.dapr.event.sent".into(),
        spec_version: "1.0".into(),
        topic: "placed".into(),
        pubsub: "bus".into(),
        data_content_type: Some("application/octet-stream".into()),
        data: Bytes::from_static(b"\x01raw"),
        traceparent: Some(trace.into()),
        tracestate: Some("k=v".into()),
        extensions: [("traceid".to_owned(), trace.to_owned())].into(),
        ..Event::default()
    };
    assert_eq!(raw, expected);
    assert_eq!(seen[0].headers["content-type"], "application/cloudevents+json");
    assert_eq!(seen[0].headers["traceparent"], trace);
    // An envelope is data like any other, and its expiration means nothing.
    let wrapped = Event::parse(&seen[1].body).unwrap();
    assert_eq!(Event::parse(&wrapped.data).unwrap().data, "late");
    assert_ne!(raw.id, wrapped.id);
}

#[tokio::test]
async fn a_raw_payload_is_said_with_a_boolean() {
    let metadata = [("rawPayload".to_owned(), "maybe".to_owned())].into();
    let sources = events(vec![(broker(), Subscription { metadata, ..raw() })]);
    let error = start(App::new(|_, _| OK), sources, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "component `bus`: subscription to topic 'placed': rawPayload value must be a valid \
         boolean: actual is 'maybe'; write `true` or `false`"
    );
}
