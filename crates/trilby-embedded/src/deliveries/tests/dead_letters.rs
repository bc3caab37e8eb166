//! What could not be delivered goes to the dead-letter topic, as it came.

use super::*;

fn with_dead_letters() -> Subscription {
    Subscription { dead_letter_topic: Some("dead".into()), ..subscription("/e") }
}

fn of_dead_letters() -> Subscription {
    Subscription { topic: "dead".into(), ..subscription("/dead") }
}

fn at(app: &App, path: &str) -> Vec<(u128, Bytes)> {
    let seen = app.seen.lock().unwrap();
    let at = seen.iter().filter(|seen| seen.path == path);
    at.map(|seen| (seen.ms, seen.body.clone())).collect()
}

/// An app that answers so to everything but dead letters.
fn answering(act: Act) -> Arc<App> {
    App::new(move |seen, _| if seen.path == "/dead" { OK } else { act })
}

#[tokio::test(start_paused = true)]
async fn drops_failures_and_hangs_go_there() {
    for (act, ms) in [
        (Act::Answer(404, ""), 0),
        (Act::Answer(200, r#"{"status":"DROP"}"#), 0),
        (Act::Answer(200, r#"{"status":"RETRY"}"#), 3_100),
        (FAIL, 3_100),
        (Act::Panic, 3_100),
        (Act::Hang, 6 * 85_000 + 3_100),
    ] {
        let (app, broker) = (answering(act), broker());
        let deliveries = started_all(&app, &broker, [with_dead_letters(), of_dead_letters()]);
        publish(&broker, "x", &[("cloudevent.type", "t")]).await.unwrap();
        deliveries.backlog.settled().await;
        let [(when, body)] = &at(&app, "/dead")[..] else { panic!("not one dead letter") };
        assert_eq!((*when, body), (ms, &at(&app, "/e")[0].1), "{ms}");
        let seen = app.seen.lock().unwrap();
        assert_eq!(seen.last().unwrap().headers["cloudevent.type"], "t");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_does_not() {
    let (app, broker) = (answering(OK), broker());
    let deliveries = started_all(&app, &broker, [with_dead_letters(), of_dead_letters()]);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!((at(&app, "/e").len(), at(&app, "/dead").len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_expired_or_no_envelope_goes_there_undelivered() {
    let (app, broker) = (answering(OK), broker());
    let raw = [("rawPayload".to_owned(), "true".to_owned())].into();
    let dead = Subscription { metadata: raw, ..of_dead_letters() };
    let deliveries = started_all(&app, &broker, [with_dead_letters(), dead]);
    publish(&broker, "late", &[("ttlInSeconds", "0")]).await.unwrap();
    publish(&broker, "no envelope", &[("rawPayload", "true")]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!(at(&app, "/e"), []);
    let data: Vec<_> =
        at(&app, "/dead").iter().map(|(_, b)| Event::parse(b).unwrap().data).collect();
    let late = Event::parse(&data[0]).unwrap();
    assert_eq!((&late.data[..], &data[1][..]), (&b"late"[..], &b"no envelope"[..]));
}

#[tokio::test(start_paused = true)]
async fn what_no_rule_wants_goes_there_or_is_acknowledged() {
    let nobody = Subscription { default: None, ..with_dead_letters() };
    let without = Subscription { dead_letter_topic: None, ..nobody.clone() };
    for (subscription, dead) in [(nobody, 1), (without, 0)] {
        let (app, broker) = (answering(OK), broker());
        let deliveries = started_all(&app, &broker, [subscription, of_dead_letters()]);
        publish(&broker, "x", &[]).await.unwrap();
        deliveries.backlog.settled().await;
        assert_eq!((at(&app, "/e").len(), at(&app, "/dead").len()), (0, dead));
    }
}

#[tokio::test(start_paused = true)]
async fn draining_ends_the_tries_when_there_is_such_a_topic() {
    let (app, broker) = (answering(FAIL), broker());
    let deliveries = started_all(&app, &broker, [with_dead_letters(), of_dead_letters()]);
    deliveries.begin_drain();
    publish(&broker, "x", &[]).await.unwrap();
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    let dead: Vec<_> = at(&app, "/dead").into_iter().map(|(ms, _)| ms).collect();
    assert_eq!((at(&app, "/e").len(), dead), (6, vec![900]));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_tried_again() {
    let (app, broker) = (answering(Act::Answer(404, "")), broker());
    let mut full =
        broker.subscribe("dead", Arc::default(), None, &CancellationToken::new()).unwrap();
    let publisher = async { while publish_to(&broker, "dead", "filler", &[]).await.is_ok() {} };
    publisher.await;
    let started = Instant::now();
    let deliveries = started_all(&app, &broker, [with_dead_letters()]);
    publish(&broker, "x", &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(350)).await;
    let mut data = Vec::new();
    while let Some(message) = full.try_recv() {
        data.push(Event::parse(&message.data).unwrap().data);
    }
    deliveries.backlog.settled().await;
    // Tried at 0, 100 and 300 ms, and then when there was room.
    assert_eq!(started.elapsed().as_millis(), 700);
    assert_eq!(Event::parse(&full.recv().await.unwrap().data).unwrap().data, "x");
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_stays_full_ends_the_event() {
    let (app, broker) = (answering(Act::Answer(404, "")), broker());
    let _full = broker.subscribe("dead", Arc::default(), None, &CancellationToken::new()).unwrap();
    while publish_to(&broker, "dead", "filler", &[]).await.is_ok() {}
    let started = Instant::now();
    let deliveries = started_all(&app, &broker, [with_dead_letters()]);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!(started.elapsed().as_millis(), 3_100);
    // While draining, the bound ends the tries and counts the event.
    publish(&broker, "y", &[]).await.unwrap();
    deliveries.begin_drain();
    assert_eq!(deliveries.finish(Duration::from_secs(20)).await, 1);
}

#[tokio::test]
async fn a_topic_that_cannot_be_is_refused() {
    let lists = [("publishingScopes", "shop=placed"), ("subscriptionScopes", "shop=placed,*")];
    let broker = broker_with(&lists);
    let to = |topic: &str, dead: &str| Subscription {
        topic: topic.into(),
        dead_letter_topic: Some(dead.into()),
        ..subscription("/e")
    };
    for (subscription, expected) in [
        (to("placed", "placed"), "leads back to the same subscription"),
        (to("*", "dead"), "leads back to the same subscription"),
        (to("placed", ""), "leads back to the same subscription"),
        (to("placed", "dead"), "is not allowed for app id `shop`; see allowedTopics"),
    ] {
        let sources = events(vec![(Arc::clone(&broker), subscription)]);
        let error = start(App::new(|_, _| OK), sources, None).unwrap_err().to_string();
        assert!(error.starts_with("c.yaml:1: the dead-letter topic"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
