//! Topic events: what is delivered, how often, and in which order.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_event_arrives_as_from_daprd() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started(&app, &broker);
    publish(&broker, "hi", &[("cloudevent.type", "t"), ("Host", "evil")]).await.unwrap();
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].path.as_str()), (1, "/events/placed"));
    let headers: BTreeMap<_, _> =
        seen[0].headers.iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
    let expected = [
        ("cloudevent.type", "t"),
        ("content-type", "application/cloudevents+json"),
        ("pubsubname", "bus"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    assert_eq!(headers, BTreeMap::from(expected));
    assert_eq!(Event::parse(&seen[0].body).unwrap().event_type, "t");
}

#[tokio::test(start_paused = true)]
async fn answers_decide_about_further_tries() {
    let six = [0, 100, 300, 700, 1500, 3100];
    for (act, expected) in [
        (OK, six.get(..1)),
        (Act::Answer(404, ""), six.get(..1)),
        (Act::Answer(200, r#"{"status":"DROP"}"#), six.get(..1)),
        (Act::Answer(200, r#"{"status":"RETRY"}"#), six.get(..)),
        (FAIL, six.get(..)),
        (Act::Panic, six.get(..)),
    ] {
        let (app, broker) = (App::new(move |_, _| act), broker());
        let deliveries = started(&app, &broker);
        publish(&broker, "x", &[]).await.unwrap();
        deliveries.backlog.settled().await;
        assert_eq!(app.times(), expected.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_is_given_up_and_tried_again() {
    let (app, broker) = (App::new(|_, before| if before == 0 { Act::Hang } else { OK }), broker());
    let deliveries = started(&app, &broker);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!(app.times(), [0, 85_100]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_may_wait_and_run_for_a_deadline_each() {
    let app = App::new(|_, _| Act::After(2 * DEADLINE, 200));
    let broker = broker();
    let deliveries = started(&app, &broker);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!(app.times(), [0]);
}

#[tokio::test(start_paused = true)]
async fn order_is_kept_and_retries_hold_up_nobody() {
    let script = |seen: &Seen, _| {
        let is_first = Event::parse(&seen.body).unwrap().data == "0";
        if is_first { FAIL } else { Act::After(Duration::from_millis(1), 200) }
    };
    let (app, broker) = (App::new(script), broker());
    let deliveries = started(&app, &broker);
    for n in 0..40 {
        publish(&broker, &n.to_string(), &[]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    let data = app.data();
    let mut firsts = data.clone();
    firsts.retain(|data| data != "0");
    let expected: Vec<_> = (1..40).map(|n| n.to_string()).collect();
    assert_eq!(firsts, expected);
    assert_eq!(data.iter().filter(|data| *data == "0").count(), 6, "{data:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_is_dropped() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started(&app, &broker);
    publish(&broker, "expired", &[("ttlInSeconds", "0")]).await.unwrap();
    publish(&broker, "no envelope", &[("rawPayload", "true")]).await.unwrap();
    // Not read as the envelope's fields by position.
    let array = r#"["id", null, null, null, null]"#;
    publish(&broker, array, &[("rawPayload", "true")]).await.unwrap();
    let expired = r#"{"expiration":"","expiration":"2020-01-01T00:00:00Z"}"#;
    publish(&broker, expired, &[("rawPayload", "true")]).await.unwrap();
    publish(&broker, "in time", &[("ttlInSeconds", "100")]).await.unwrap();
    publish(&broker, r#"{"any":"object"}"#, &[("rawPayload", "true")]).await.unwrap();
    let twice = r#"{"id":"1","id":"2","traceparent":"a","traceparent":"b"}"#;
    publish(&broker, twice, &[("rawPayload", "true")]).await.unwrap();
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    assert_eq!(Event::parse(&seen[0].body).unwrap().data, "in time");
    assert_eq!(seen[1].body, r#"{"any":"object"}"#);
    assert_eq!(seen[2].body, twice);
    assert_eq!(seen[2].headers["traceparent"], "b");
}

#[tokio::test(start_paused = true)]
async fn an_event_may_expire_while_it_waits() {
    // The first one holds up the others for longer than one of them lives.
    let app = App::new(|_, before| match before {
        0 => Act::After(Duration::from_secs(30), 200),
        _ => OK,
    });
    let (began, now) = (Instant::now(), Timestamp::now());
    let clock = move || now + jiff::SignedDuration::try_from(began.elapsed()).unwrap();
    let broker = broker();
    let inbound = Arc::clone(&app) as Arc<dyn Inbound>;
    let sources = events(subscribed(&broker, "/e"));
    let deliveries = start_at(Arc::new(clock), inbound, sources, None).unwrap();
    for (data, ttl) in [("first", "60"), ("short", "20"), ("long", "60")] {
        publish(&broker, data, &[("ttlInSeconds", ttl)]).await.unwrap();
    }
    deliveries.finish(MINUTES).await;
    assert_eq!(app.data(), ["first", "long"]);
}
