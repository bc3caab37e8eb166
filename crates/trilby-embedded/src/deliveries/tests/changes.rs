//! Changes of configuration.

use tokio::sync::mpsc;
use trilby_dapr::configuration::ConfigurationItem;

use super::*;

type Sender = mpsc::Sender<(String, ConfigurationItem)>;

fn watched(app: &Arc<App>) -> (Sender, Deliveries) {
    let (sender, changes) = mpsc::channel(10);
    let watch = ConfigurationWatch { store: "conf".into(), key: None, deadline: DEADLINE };
    let sources = Sources { watches: vec![(watch, changes)], ..Sources::default() };
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    (sender, start(inbound, sources, None).unwrap())
}

async fn change(sender: &Sender, key: &str, value: &str) {
    let item = ConfigurationItem { value: value.into(), ..ConfigurationItem::default() };
    sender.send((key.to_owned(), item)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn changes_come_in_order_and_failures_are_not_repeated() {
    let app = App::new(|_, before| match before {
        0 => FAIL,
        1 => Act::Panic,
        _ => Act::After(Duration::from_secs(1), 200),
    });
    let (sender, deliveries) = watched(&app);
    for (key, value) in [("a", "1"), ("b/c", "1"), ("a", "2"), ("a", "3")] {
        change(&sender, key, value).await;
    }
    pass(10).await;
    deliveries.finish(MINUTES).await;
    let seen = app.seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    let a = "/configuration/conf/a";
    assert_eq!(paths, [a, "/configuration/conf/b%2Fc", a, a]);
    assert!(String::from_utf8_lossy(&seen[3].body).contains(r#""value":"3""#));
    drop(seen);
    assert_eq!(app.times(), [0, 0, 0, 1_000]);
}

#[tokio::test(start_paused = true)]
async fn draining_delivers_what_there_is_and_no_more() {
    let app = App::new(|_, _| Act::After(Duration::from_secs(1), 200));
    let (sender, deliveries) = watched(&app);
    for value in ["1", "2", "3"] {
        change(&sender, "a", value).await;
    }
    deliveries.begin_drain();
    sender.closed().await;
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    assert_eq!(app.times(), [0, 1_000, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_passes_counts_what_is_left() {
    let app = App::new(|_, _| Act::Hang);
    let (sender, deliveries) = watched(&app);
    for value in ["1", "2", "3"] {
        change(&sender, "a", value).await;
    }
    deliveries.begin_drain();
    assert_eq!(deliveries.finish(Duration::from_secs(5)).await, 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_store_there_is_nothing_to_wait_for() {
    let app = App::new(|_, _| OK);
    let (sender, deliveries) = watched(&app);
    drop(sender);
    assert_eq!(deliveries.finish(MINUTES).await, 0);
}
