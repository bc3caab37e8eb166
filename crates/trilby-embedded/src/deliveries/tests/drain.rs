//! The end of deliveries: nothing accepted is lost within the bound.

use super::*;

#[tokio::test(start_paused = true)]
async fn draining_tries_again_soon_and_loses_nothing() {
    // Every event fails until its third try.
    let tries: Mutex<BTreeMap<Bytes, u32>> = Mutex::default();
    let script = move |seen: &Seen, _| {
        let mut tries = tries.lock().unwrap();
        let tries = tries.entry(seen.body.clone()).or_default();
        *tries += 1;
        if *tries < 3 { FAIL } else { OK }
    };
    let (app, broker) = (App::new(script), broker());
    let deliveries = started(&app, &broker);
    deliveries.begin_drain();
    for n in 0..100 {
        publish(&broker, &n.to_string(), &[]).await.unwrap();
    }
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    let expected: Vec<u128> = [[0; 100], [100; 100], [200; 100]].concat();
    assert_eq!(app.times(), expected);
    let error = publish(&broker, "late", &[]).await.unwrap_err();
    assert_eq!(&*error.reason, "DAPR_PUBSUB_PUBLISH_MESSAGE");
}

#[tokio::test(start_paused = true)]
async fn draining_does_not_use_up_the_tries() {
    // Before draining begins, all tries but the last fail.
    let app = App::new(|_, before| if before < 20 { FAIL } else { OK });
    let broker = broker();
    let deliveries = started(&app, &broker);
    publish(&broker, "x", &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1510)).await;
    let before = vec![0, 100, 300, 700, 1500];
    assert_eq!(app.times(), before);
    deliveries.begin_drain();
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    // The one that waited until 3100 comes sooner, and then one every 200 ms.
    let rest: Vec<u128> = (0..16).map(|n| 1710 + 200 * n).collect();
    assert_eq!(app.times(), [before, rest].concat());
}

#[tokio::test(start_paused = true)]
async fn draining_counts_what_never_succeeds() {
    let (app, broker) = (App::new(|_, _| FAIL), broker());
    let deliveries = started(&app, &broker);
    for n in 0..3 {
        publish(&broker, &n.to_string(), &[]).await.unwrap();
    }
    deliveries.begin_drain();
    assert_eq!(deliveries.finish(Duration::from_secs(20)).await, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_published_between_the_beginning_and_the_end_is_delivered() {
    let app = App::new(|_, _| OK);
    let broker = broker();
    let (deliveries, cron) = (started(&app, &broker), ticking(&app, "@every 1s"));
    deliveries.begin_drain();
    cron.begin_drain();
    // Nothing to do for a while, as when requests in flight hold up the end.
    pass(10).await;
    publish(&broker, "x", &[]).await.unwrap();
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    assert_eq!(app.times(), [10_000]);
}

/// Publishes a chain of events, each while the one before it is being delivered.
struct Chain {
    broker: Arc<Broker>,
    delivered: AtomicUsize,
}

#[async_trait]
impl Inbound for Chain {
    async fn deliver(&self, _: Request<Bytes>) -> Response<Bytes> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if self.delivered.fetch_add(1, Ordering::SeqCst) < 4 {
            publish(&self.broker, "next", &[]).await.unwrap();
        }
        Response::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_guests_publish_while_draining_is_delivered() {
    let broker = broker();
    let chain = Arc::new(Chain { broker: Arc::clone(&broker), delivered: AtomicUsize::new(0) });
    let inbound = Arc::clone(&chain) as Arc<dyn Inbound>;
    let deliveries = start(inbound, events(subscribed(&broker, "/e")), None).unwrap();
    publish(&broker, "first", &[]).await.unwrap();
    deliveries.finish(MINUTES).await;
    assert_eq!(chain.delivered.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn draining_ends_within_its_bound() {
    let (app, broker) = (App::new(|_, _| Act::Hang), broker());
    let deliveries = started(&app, &broker);
    let backlog = Arc::clone(&deliveries.backlog);
    for n in 0..3 {
        publish(&broker, &n.to_string(), &[]).await.unwrap();
    }
    let started = Instant::now();
    assert_eq!(deliveries.finish(Duration::from_secs(7)).await, 3);
    assert_eq!(started.elapsed().as_secs(), 7);
    // The tasks end, and with them their events.
    backlog.settled().await;
    assert_eq!(app.times(), [0]);
}

#[tokio::test(start_paused = true)]
async fn dropped_deliveries_break_off() {
    let (app, broker) = (App::new(|_, _| FAIL), broker());
    let deliveries = started(&app, &broker);
    let cron = ticking(&app, "@every 1s");
    publish(&broker, "x", &[]).await.unwrap();
    let backlog = Arc::clone(&deliveries.backlog);
    drop((deliveries, cron));
    backlog.settled().await;
    pass(60).await;
    assert_eq!(app.times(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn retired_subscriptions_get_what_came_before_and_the_broker_goes_on() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started(&app, &broker);
    publish(&broker, "1", &[]).await.unwrap();
    assert_eq!(deliveries.retire(MINUTES).await, 0);
    publish(&broker, "2", &[]).await.unwrap();
    let deliveries = started(&app, &broker);
    publish(&broker, "3", &[]).await.unwrap();
    deliveries.finish(MINUTES).await;
    assert_eq!(app.data(), ["1", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_takes_over_without_a_gap_or_a_double() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let old = started(&app, &broker);
    publish(&broker, "1", &[]).await.unwrap();
    let new = started_instead(&app, &broker, Some(&old));
    publish(&broker, "2", &[]).await.unwrap();
    assert_eq!(old.retire(MINUTES).await, 0);
    publish(&broker, "3", &[]).await.unwrap();
    new.finish(MINUTES).await;
    let mut data = app.data();
    data.sort();
    assert_eq!(data, ["1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn abandoned_deliveries_leave_their_topics_free() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    started(&app, &broker).abandon();
    publish(&broker, "1", &[]).await.unwrap();
    assert_eq!(app.data(), [""; 0]);
}
