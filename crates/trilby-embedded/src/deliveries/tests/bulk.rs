//! Several events in one delivery.

use serde_json::{Value, json};
use trilby_dapr::subscription::Bulk;

use super::routes::rule;
use super::*;

fn bulk(max_messages: u32) -> Subscription {
    let bulk = Bulk { max_messages, max_await: Duration::from_secs(1) };
    Subscription { bulk: Some(bulk), ..subscription("/bulk") }
}

/// The data of the events of each delivery, and when it was.
fn batches(app: &App) -> Vec<(u128, String, Vec<String>)> {
    let data = |entry: &Value| entry["event"]["data"].as_str().unwrap_or("?").to_owned();
    let batch = |seen: &Seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        let data = body["entries"].as_array().unwrap().iter().map(data).collect();
        (seen.ms, seen.path.clone(), data)
    };
    app.seen.lock().unwrap().iter().map(batch).collect()
}

fn batch(ms: u128, data: &[&str]) -> (u128, String, Vec<String>) {
    (ms, "/bulk".to_owned(), data.iter().map(|data| (*data).to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn events_come_when_there_are_enough_or_after_a_while() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started_all(&app, &broker, [bulk(3)]);
    for data in ["1", "2", "3", "4"] {
        publish(&broker, data, &[]).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    publish(&broker, "5", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!(batches(&app), [batch(0, &["1", "2", "3"]), batch(1_000, &["4", "5"])]);
    let seen = app.seen.lock().unwrap();
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].headers["pubsubname"], "bus");
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(body["type"], "com.dapr.event.sent.bulk");
    assert_eq!(body["metadata"], json!({"pubsubName": "bus"}));
    assert_eq!(body["entries"][0]["contentType"], "application/cloudevents+json");
}

#[tokio::test(start_paused = true)]
async fn while_draining_nobody_waits_for_more() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started_all(&app, &broker, [bulk(100)]);
    publish(&broker, "1", &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    deliveries.begin_drain();
    publish(&broker, "2", &[]).await.unwrap();
    publish(&broker, "3", &[]).await.unwrap();
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    let data: Vec<_> = batches(&app).into_iter().flat_map(|(_, _, data)| data).collect();
    assert_eq!(data, ["1", "2", "3"]);
    assert!(app.times().iter().all(|ms| *ms == 300), "{:?}", app.times());
}

/// Answers with a status for each event: its data.
struct Statuses(Mutex<Vec<Vec<String>>>);

#[async_trait]
impl Inbound for Statuses {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        if request.uri().path() == "/dead" {
            let data = Event::parse(request.body()).unwrap().data;
            self.0.lock().unwrap().push(vec![format!("dead {}", String::from_utf8_lossy(&data))]);
            return Response::default();
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let entries = body["entries"].as_array().unwrap();
        let data = |entry: &Value| entry["event"]["data"].as_str().unwrap().to_owned();
        self.0.lock().unwrap().push(entries.iter().map(data).collect());
        let statuses = entries.iter().filter(|entry| entry["event"]["data"] != "MISSING");
        let status = |entry: &Value| json!({"entryId": entry["entryId"], "status": data(entry)});
        let statuses: Vec<_> = statuses.map(status).collect();
        Response::new(json!({ "statuses": statuses }).to_string().into())
    }
}

#[tokio::test(start_paused = true)]
async fn each_event_has_its_own_verdict() {
    let app = Arc::new(Statuses(Mutex::default()));
    let broker = broker();
    let dead_letter_topic = Some("dead".to_owned());
    let subscription = Subscription { dead_letter_topic, ..bulk(4) };
    let dead = Subscription { topic: "dead".into(), ..super::subscription("/dead") };
    let sources = [subscription, dead].map(|subscription| (Arc::clone(&broker), subscription));
    let inbound = Arc::clone(&app) as Arc<dyn Inbound>;
    let deliveries = start(inbound, events(sources.into()), None).unwrap();
    for data in ["SUCCESS", "DROP", "MISSING", "RETRY"] {
        publish(&broker, data, &[]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    let seen = app.0.lock().unwrap();
    let mut expected = vec![vec!["SUCCESS", "DROP", "MISSING", "RETRY"], vec!["dead DROP"]];
    expected.extend(vec![vec!["MISSING", "RETRY"]; 5]);
    expected.extend([vec!["dead MISSING"], vec!["dead RETRY"]]);
    assert_eq!(*seen, expected);
}

#[tokio::test(start_paused = true)]
async fn a_failure_as_a_whole_is_that_of_each() {
    let (app, broker) = (App::new(|_, before| if before == 0 { FAIL } else { OK }), broker());
    let deliveries = started_all(&app, &broker, [bulk(2)]);
    for data in ["1", "2"] {
        publish(&broker, data, &[]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    assert_eq!(batches(&app), [batch(0, &["1", "2"]), batch(100, &["1", "2"])]);
}

#[tokio::test(start_paused = true)]
async fn each_target_gets_what_is_for_it_in_order() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let rules = vec![rule(r#"event.type == "odd""#, "/odd")];
    let deliveries = started_all(&app, &broker, [Subscription { rules, ..bulk(5) }]);
    for n in 1..=5 {
        let event_type = if n % 2 == 1 { "odd" } else { "even" };
        publish(&broker, &n.to_string(), &[("cloudevent.type", event_type)]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    let odd = (0, "/odd".to_owned(), vec!["1".to_owned(), "3".into(), "5".into()]);
    assert_eq!(batches(&app), [odd, batch(0, &["2", "4"])]);
}

#[tokio::test(start_paused = true)]
async fn what_is_expired_is_left_out_and_what_is_large_comes_alone() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let deliveries = started_all(&app, &broker, [bulk(10)]);
    publish(&broker, "late", &[("ttlInSeconds", "0")]).await.unwrap();
    publish(&broker, "1", &[]).await.unwrap();
    let large = "x".repeat(5 << 20);
    publish(&broker, &large, &[]).await.unwrap();
    publish(&broker, "2", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    let expected = [batch(0, &["1"]), batch(0, &[&large]), batch(1_000, &["2"])];
    let found = batches(&app);
    let lengths = |all: &[(u128, String, Vec<String>)]| -> Vec<_> {
        all.iter()
            .map(|(ms, _, data)| (*ms, data.iter().map(String::len).collect::<Vec<_>>()))
            .collect()
    };
    assert_eq!(lengths(&found), lengths(&expected));
}

#[tokio::test(start_paused = true)]
async fn raw_payloads_come_in_base64() {
    let (app, broker) = (App::new(|_, _| OK), broker());
    let metadata = [("rawPayload".to_owned(), "true".to_owned())].into();
    let deliveries = started_all(&app, &broker, [Subscription { metadata, ..bulk(1) }]);
    publish(&broker, "raw", &[("rawPayload", "true"), ("k", "v")]).await.unwrap();
    deliveries.backlog.settled().await;
    let body: Value = serde_json::from_slice(&app.seen.lock().unwrap()[0].body).unwrap();
    let entry = &body["entries"][0];
    assert_eq!(
        (&entry["event"], &entry["contentType"]),
        (&json!("cmF3"), &json!("application/octet-stream"))
    );
    assert_eq!(entry["metadata"]["k"], "v");
}

/// An app that takes so many events at once, and no event whose data is `never`.
fn taking(count_max: usize) -> Arc<App> {
    App::new(move |seen, _| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        let entries = body["entries"].as_array().unwrap();
        let never = entries.iter().any(|entry| entry["event"]["data"] == "never");
        if never || entries.len() > count_max { Act::Answer(413, "") } else { OK }
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_for_the_app_comes_in_parts_from_then_on() {
    let (app, broker) = (taking(2), broker());
    let deliveries = started_all(&app, &broker, [bulk(7)]);
    for n in 1..=9 {
        publish(&broker, &n.to_string(), &[]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    let expected: [&[&str]; 8] = [
        &["1", "2", "3", "4", "5", "6", "7"],
        &["1", "2", "3", "4"],
        &["1", "2"],
        &["3", "4"],
        &["5", "6", "7"],
        &["5", "6"],
        &["7"],
        &["8", "9"],
    ];
    assert_eq!(batches(&app), expected.map(|data| batch(0, data)));
}

#[tokio::test(start_paused = true)]
async fn one_event_that_is_too_large_does_not_keep_the_others_apart() {
    let (app, broker) = (taking(100), broker());
    let deliveries = started_all(&app, &broker, [bulk(4)]);
    for data in ["never", "1", "2", "3"] {
        publish(&broker, data, &[]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    for _ in 0..100 {
        publish(&broker, "x", &[]).await.unwrap();
    }
    deliveries.backlog.settled().await;
    let mut counts: Vec<_> = batches(&app).iter().map(|(_, _, data)| data.len()).collect();
    assert_eq!(counts[..5], [4, 2, 1, 1, 2]);
    counts.dedup();
    assert!(counts.windows(3).any(|counts| counts == [1, 2, 4]), "{counts:?}");
}
