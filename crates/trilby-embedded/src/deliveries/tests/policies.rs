//! Deliveries under a policy for their component.

use trilby_testkit::until;

use super::*;
use crate::redis::tests::Server;
use crate::resiliency::Policy;
use crate::resiliency::for_tests::policy;

fn under(app: &Arc<App>, all: Vec<Subscription>, policy: Arc<Policy>) -> (Arc<Broker>, Deliveries) {
    let broker = broker();
    let deliveries = started_under(app, &broker, all, policy);
    (broker, deliveries)
}

fn started_under(
    app: &Arc<App>,
    broker: &Arc<Broker>,
    all: Vec<Subscription>,
    policy: Arc<Policy>,
) -> Deliveries {
    let subscriptions = all.into_iter().map(|s| (Arc::clone(broker), s)).collect();
    let policies = Arc::new([("bus".to_owned(), policy)].into());
    let inbound = Arc::clone(app) as Arc<dyn Inbound>;
    let sources = Sources { policies, ..events(subscriptions) };
    start(inbound, sources, None).unwrap()
}

fn dead_letters() -> Vec<Subscription> {
    let dead = Subscription { topic: "dead".into(), ..subscription("/dead") };
    vec![Subscription { dead_letter_topic: Some("dead".into()), ..subscription("/e") }, dead]
}

fn paths(app: &App) -> Vec<(u128, String)> {
    app.seen.lock().unwrap().iter().map(|seen| (seen.ms, seen.path.clone())).collect()
}

/// What the paths are that an app, which answers so, sees of one event.
async fn seen(act: Act, policy: Arc<Policy>) -> Vec<(u128, String)> {
    let app = App::new(move |seen, _| if seen.path == "/dead" { OK } else { act });
    let (broker, deliveries) = under(&app, dead_letters(), policy);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    paths(&app)
}

fn expected(all: &[(u128, &str)]) -> Vec<(u128, String)> {
    all.iter().map(|(ms, path)| (*ms, (*path).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn retries_come_before_the_dead_letter() {
    let twice = || policy(None, Some(2), "");
    let all = expected(&[(0, "/e"), (1000, "/e"), (2000, "/e"), (2000, "/dead")]);
    assert_eq!(seen(FAIL, twice()).await, all);
    assert_eq!(seen(Act::Answer(200, r#"{"status":"RETRY"}"#), twice()).await, all);
    // The policy's statuses are those from 500.
    let none = expected(&[(0, "/e"), (0, "/dead")]);
    assert_eq!(seen(Act::Answer(429, ""), twice()).await, none);
    let policy = Policy { retry: None, ..(*twice()).clone() };
    assert_eq!(seen(FAIL, Arc::new(policy)).await, none);
}

#[tokio::test(start_paused = true)]
async fn each_try_has_the_policys_time() {
    let all = expected(&[(0, "/e"), (1300, "/e"), (1600, "/dead")]);
    assert_eq!(seen(Act::Hang, policy(Some(300), Some(1), "")).await, all);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_makes_dead_letters() {
    // The dead letter meets the same breaker, and waits.
    let all = expected(&[(0, "/e"), (1000, "/e"), (11_001, "/dead")]);
    assert_eq!(seen(FAIL, policy(None, None, "totalFailures >= 2")).await, all);
}

#[tokio::test(start_paused = true)]
async fn without_a_place_for_dead_letters_an_event_waits_for_the_breaker() {
    let app = App::new(|_, before| if before < 2 { FAIL } else { OK });
    let tries = policy(None, None, "totalFailures >= 2");
    let (broker, deliveries) = under(&app, vec![subscription("/e")], tries);
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    assert_eq!(paths(&app), expected(&[(0, "/e"), (1000, "/e"), (11_001, "/e")]));
}

#[tokio::test]
async fn what_a_broker_brings_again_does_not_hold_up_the_end() {
    let Some(server) = Server::start() else { return };
    let host = server.host();
    let component = Component::for_test("bus", "pubsub.redis", &[("redisHost", &host)], 7);
    let broker = Arc::new(Broker::open(&component, "app", "unused".as_ref()).unwrap());
    let app = App::new(|_, _| FAIL);
    let tries = policy(None, None, "totalFailures >= 1");
    let all = vec![subscription("/e")];
    let deliveries = started_under(&app, &broker, all, Arc::clone(&tries));
    let published = async || publish(&broker, "x", &[]).await.ok();
    until("a server that takes an event", published).await.unwrap();
    let breaker = tries.breaker.as_ref().unwrap();
    let is_open = async || (!breaker.shut_for(Instant::now()).is_zero()).then_some(());
    until("an open circuit breaker", is_open).await.unwrap();
    deliveries.begin_drain();
    assert_eq!(deliveries.finish(MINUTES).await, 0);
    // Waiting for the breaker to close would have brought a second try.
    assert_eq!(paths(&app).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn several_at_once_are_under_it_too() {
    let app = App::new(|seen, _| if seen.path == "/dead" { OK } else { FAIL });
    let mut all = dead_letters();
    all[0].bulk = Some(trilby_dapr::subscription::Bulk::default());
    let (broker, deliveries) = under(&app, all, policy(None, None, "totalFailures >= 2"));
    publish(&broker, "x", &[]).await.unwrap();
    deliveries.backlog.settled().await;
    let seen = paths(&app);
    let tries = seen.iter().filter(|(_, path)| path == "/e").count();
    assert_eq!((tries, seen.len()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn triggers_are_repeated_by_a_policy_until_draining() {
    let app = App::new(|_, before| if before < 2 { FAIL } else { OK });
    let tries = Tries::new(Some(&policy(None, Some(5), "")));
    let inbound = Arc::clone(&app) as Arc<dyn Inbound>;
    let target = post::Target::new(&inbound, "tick", &target("/tick")).unwrap();
    let post = || target.post("text/plain", HeaderMap::new(), Bytes::new());
    let draining = CancellationToken::new();
    assert_eq!(tries.all(&draining, post).await.unwrap().status(), 200);
    assert_eq!(app.times(), [0, 1000, 2000]);
    draining.cancel();
    let app = App::new(|_, _| FAIL);
    let inbound = Arc::clone(&app) as Arc<dyn Inbound>;
    let target = post::Target::new(&inbound, "tick", &super::target("/tick")).unwrap();
    let post = || target.post("text/plain", HeaderMap::new(), Bytes::new());
    assert_eq!(tries.all(&draining, post).await.unwrap().status(), 500);
    assert_eq!(app.times(), [0]);
}
