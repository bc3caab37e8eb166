//! Deliveries over HTTP, and those of the embedded runtime.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use trilby_dapr::configuration::ConfigurationItem;
use trilby_dapr::delivery::{self, CLOUD_EVENT};
use trilby_dapr::invoke::INVOCATION_HEADER;
use trilby_dapr::jobs::JobData;
use trilby_dapr::{Inbound, Metadata};
use trilby_manifest::{BulkOptions, TopicOptions};

use crate::events::{binding_path, topic_path};
use crate::testing::{App, Says, TOKEN, Told, post, request, send, told};
use crate::{Service, ServiceHandle};

const EVENT: &str = r#"{"specversion":"1.0","id":"1","source":"shop","type":"placed","topic":"t",
    "pubsubname":"bus","datacontenttype":"application/json","data":{"n":1.50},"tenant":"x",
    "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}"#;

fn posted(path: &str, body: Bytes) -> Request<Bytes> {
    delivery::post(delivery::path(path), HeaderMap::new(), "application/json", body)
}

fn plain() -> TopicOptions {
    TopicOptions::default()
}

fn bulk() -> TopicOptions {
    let bulk = BulkOptions { messages_max: 10, await_max: std::time::Duration::from_secs(1) };
    TopicOptions { bulk: Some(bulk), ..plain() }
}

async fn deliver(service: &Arc<Service>, request: Request<Bytes>) -> http::Response<Bytes> {
    ServiceHandle(Arc::clone(service)).deliver(request).await
}

#[tokio::test]
async fn a_topic_event_is_its_data_and_its_attributes() {
    let service = App::new().topic("t", plain(), Says::All).serve();
    let told = told(&post(&service, &topic_path("bus", "t", None), EVENT).await);
    assert_eq!(told.stdin, r#"{"n":1.50}"#);
    let expected = [
        ("TRILBY_TRIGGER", "topic"),
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_TYPE", "application/json"),
        ("CONTENT_LENGTH", "10"),
        ("CE_ID", "1"),
        ("CE_SOURCE", "shop"),
        ("CE_TYPE", "placed"),
        ("CE_SPECVERSION", "1.0"),
        ("CE_TOPIC", "t"),
        ("CE_PUBSUBNAME", "bus"),
        ("CE_TENANT", "x"),
        ("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("HTTP_DAPR_API_TOKEN", ""),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name), value, "{name}");
    }
}

#[tokio::test]
async fn an_envelope_stays_if_the_route_wants_it() {
    let options = TopicOptions { envelope: true, ..plain() };
    let service = App::new().topic("t", options, Says::All).serve();
    let told = told(&post(&service, &topic_path("bus", "t", None), EVENT).await);
    assert_eq!((told.stdin.as_str(), told.get("CONTENT_TYPE")), (EVENT, CLOUD_EVENT));
    assert_eq!(told.get("CE_ID"), "1");
}

#[tokio::test]
async fn what_is_no_envelope_stays() {
    for options in [plain(), bulk(), TopicOptions { envelope: true, ..plain() }] {
        let service = App::new().topic("t", options, Says::All).serve();
        let told = told(&post(&service, &topic_path("bus", "t", None), "no envelope").await);
        assert_eq!((told.stdin.as_str(), told.get("TRILBY_TRIGGER")), ("no envelope", "topic"));
        assert_eq!(told.get("TRILBY_BULK_COUNT"), "");
    }
}

#[tokio::test]
async fn rules_lead_to_routes_of_their_own() {
    let condition = "event.type == 'a'";
    let rule = TopicOptions { condition: Some(condition.to_owned()), ..plain() };
    let service = App::new()
        .topic("t", plain(), Says::This("content-type: a/b\n\ndefault"))
        .topic("t", rule, Says::This("content-type: a/b\n\nrule"))
        .serve();
    for (condition, expected) in [(None, "default"), (Some(condition), "rule")] {
        let answer = post(&service, &topic_path("bus", "t", condition), EVENT).await;
        assert_eq!(answer.body(), expected);
    }
    assert_eq!(post(&service, &topic_path("bus", "t", Some("other")), EVENT).await.status(), 404);
}

const SEVERAL: &str = r#"{"id":"b","topic":"t","pubsubname":"bus","entries":[
    {"entryId":"1","event":{}},{"entryId":"2","event":{}}]}"#;

#[tokio::test]
async fn several_events_stay_together() {
    let service = App::new().topic("t", bulk(), Says::AllAndFails).topic("u", bulk(), Says::All);
    let service = service.serve();
    let answer = post(&service, &topic_path("bus", "t", None), SEVERAL).await;
    assert_eq!(answer.status(), 500);
    let told = Told::read(answer.body());
    assert_eq!(told.stdin, SEVERAL);
    let expected = [("TRILBY_BULK_COUNT", "2"), ("CE_TOPIC", "t"), ("CE_PUBSUBNAME", "bus")];
    for (name, value) in expected {
        assert_eq!(told.get(name), value, "{name}");
    }
    // An answer that has no statuses counts for all.
    let answer = post(&service, &topic_path("bus", "u", None), SEVERAL).await;
    let status = |id: u8| format!(r#"{{"entryId":"{id}","status":"SUCCESS"}}"#);
    let expected = format!(r#"{{"statuses":[{},{}]}}"#, status(1), status(2));
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, expected.as_bytes()));
    assert_eq!(answer.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn each_event_has_its_status_whoever_brings_it() {
    let body = r#"content-type: application/json

{"statuses":[{"entryId":"2","status":"DROP"}]}"#;
    let service = App::new().topic("t", bulk(), Says::This(body)).serve();
    let path = topic_path("bus", "t", None);
    let expected =
        r#"{"statuses":[{"entryId":"1","status":"RETRY"},{"entryId":"2","status":"DROP"}]}"#;
    assert_eq!(post(&service, &path, SEVERAL).await.body(), expected);
    let embedded = posted(&path, Bytes::from_static(SEVERAL.as_bytes()));
    assert_eq!(deliver(&service, embedded).await.body(), expected);
}

#[tokio::test]
async fn jobs_have_their_names_and_their_data() {
    let service = App::new().job("*", Says::All).serve();
    for name in ["nightly", "a b/ü%2F#?", "..", "a||b"] {
        let data = JobData::Bytes(Bytes::from_static(b"data"));
        let told = Told::read(deliver(&service, delivery::job(name, Some(&data))).await.body());
        assert_eq!((told.get("TRILBY_TRIGGER"), told.get("JOB_NAME")), ("job", name));
        assert_eq!(told.stdin, "data");
    }
    let told = told(&post(&service, "/job/a%20b", r#"{"a":1}"#).await);
    assert_eq!((told.get("JOB_NAME"), told.stdin.as_str()), ("a b", r#"{"a":1}"#));
    assert_eq!(post(&service, "/job/a%00b", "").await.status(), 404);
}

#[tokio::test]
async fn a_jobs_verdict_is_in_the_status() {
    let retry = "content-type: application/json\n\n{\"status\":\"RETRY\"}";
    let drop = "content-type: application/json\n\n{\"status\":\"DROP\"}";
    let service = App::new().job("r", Says::This(retry)).job("d", Says::This(drop)).serve();
    assert_eq!(post(&service, "/job/r", "").await.status(), 500);
    assert_eq!(post(&service, "/job/d", "").await.status(), 404);
}

#[tokio::test]
async fn the_exact_name_goes_first() {
    let says = |text| format!("content-type: a/b\n\n{text}");
    let service = App::new()
        .job("*", Says::This(&says("any")))
        .job("a", Says::This(&says("exact")))
        .job("ab*", Says::This(&says("prefix")))
        .serve();
    for (name, expected) in [("a", "exact"), ("ab", "prefix"), ("abc", "prefix"), ("x", "any")] {
        assert_eq!(post(&service, &format!("/job/{name}"), "").await.body(), expected);
    }
}

#[tokio::test]
async fn a_change_of_configuration_is_its_value() {
    let service = App::new().configuration("a*", Says::All).serve();
    for key in ["a", "a b/ü", "a.."] {
        let item = ConfigurationItem {
            value: "new".into(),
            version: "7".into(),
            metadata: Metadata::new(),
        };
        let answer = deliver(&service, delivery::configuration("config", key, &item)).await;
        let told = told(&answer);
        assert_eq!(told.stdin, "new");
        let expected = [
            ("TRILBY_TRIGGER", "configuration"),
            ("CONFIGURATION_STORE", "config"),
            ("CONFIGURATION_KEY", key),
            ("CONFIGURATION_VERSION", "7"),
            ("CONTENT_LENGTH", "3"),
        ];
        for (name, value) in expected {
            assert_eq!(told.get(name), value, "{name}");
        }
    }
    let deleted = r#"{"id":"u","items":{"a":{}}}"#;
    let told = told(&post(&service, "/configuration/config/a", deleted).await);
    assert_eq!((told.stdin.as_str(), told.get("CONFIGURATION_VERSION")), ("", ""));
    assert_eq!(post(&service, "/configuration/config/a", "nonsense").await.status(), 400);
}

#[tokio::test]
async fn a_binding_has_its_name_and_its_metadata() {
    for name in ["tick", "a b/ü", ".."] {
        let service = App::new().binding(name, Says::All).serve();
        let path = binding_path(name);
        let headers = [("readtimeutc", "now")];
        let told = told(&send(&service, request("POST", &path, &headers, "data")).await);
        assert_eq!((told.get("TRILBY_TRIGGER"), told.get("BINDING_NAME")), ("binding", name));
        assert_eq!((told.get("HTTP_READTIMEUTC"), told.stdin.as_str()), ("now", "data"));
        assert_eq!(send(&service, request("OPTIONS", &path, &[], "")).await.status(), 200);
        assert_eq!(send(&service, request("OPTIONS", "/other", &[], "")).await.status(), 404);
    }
}

/// Who is told what, by the door and by whether there is a route.
#[tokio::test]
async fn without_a_route_of_its_own_a_delivery_may_be_a_request() {
    let path = "/...";
    let service = App::new().path(path, Says::All).serve();
    for (path, is_request) in [
        ("/job/a", true),
        ("/configuration/config/a", true),
        ("/binding", true),
        ("/dapr/events/bus/t", false),
        ("/dapr/events/", false),
    ] {
        let answer = post(&service, path, "{}").await;
        assert_eq!(answer.status() == 200, is_request, "{path}");
        let embedded = posted(path, Bytes::from_static(b"{}"));
        let answer = deliver(&service, embedded).await;
        assert_eq!(answer.status() == 200, path == "/binding", "{path}");
    }
    let get = send(&service, request("GET", "/job/a", &[], "")).await;
    assert_eq!(told(&get).get("TRILBY_TRIGGER"), "http");
}

fn of_every_kind() -> App {
    App::new()
        .path("/...", Says::This("content-type: a/b\n\nrequest"))
        .topic("t", plain(), Says::All)
        .binding("b", Says::All)
        .job("j", Says::All)
        .configuration("k", Says::All)
}

const PATHS: [&str; 4] = ["/dapr/events/bus/t", "/b", "/job/j", "/configuration/config/k"];

const CHANGE: &str = r#"{"items":{"k":{"value":"v"}}}"#;

#[tokio::test]
async fn without_a_sidecar_nobody_delivers_over_the_listener() {
    let service = of_every_kind().with(|app| app.sidecar = false).serve();
    for path in PATHS {
        assert_eq!(post(&service, path, CHANGE).await.body(), "request", "{path}");
        let embedded = posted(path, Bytes::from_static(CHANGE.as_bytes()));
        assert_ne!(told(&deliver(&service, embedded).await).get("TRILBY_TRIGGER"), "http");
    }
    for path in ["/dapr/subscribe", "/dapr/config"] {
        assert_eq!(send(&service, request("GET", path, &[], "")).await.body(), "request");
    }
}

#[tokio::test]
async fn a_delivery_shows_the_apps_token() {
    let service = of_every_kind().with(|app| app.token = Some(TOKEN.to_owned())).serve();
    for token in ["", "wrong", "app-toke", "app-tokenx"] {
        for path in PATHS {
            let headers = [("dapr-api-token", token)];
            let answer = send(&service, request("POST", path, &headers, CHANGE)).await;
            assert_eq!(answer.status(), 401, "{path}");
        }
        let headers = [("dapr-api-token", token)];
        let answer = send(&service, request("GET", "/dapr/subscribe", &headers, "")).await;
        assert_eq!(answer.status(), 401);
    }
    for path in PATHS {
        assert_ne!(told(&post(&service, path, CHANGE).await).get("TRILBY_TRIGGER"), "http");
    }
}

#[tokio::test]
async fn another_app_delivers_nothing() {
    let service = of_every_kind().with(|app| app.token = Some(TOKEN.to_owned())).serve();
    for mark in [("dapr-caller-app-id", "other"), (INVOCATION_HEADER, "1")] {
        let headers = [("dapr-api-token", TOKEN), mark];
        for path in PATHS {
            let answer = send(&service, request("POST", path, &headers, CHANGE)).await;
            assert_eq!(answer.body(), "request", "{path}");
        }
    }
}

#[tokio::test]
async fn events_of_a_topic_that_is_gone_still_come() {
    let says = |text| format!("content-type: a/b\n\n{text}");
    let service = App::new()
        .topic("gone", plain(), Says::This(&says("old")))
        .topic("kept", plain(), Says::This(&says("old")))
        .serve();
    let new = App::new().topic("kept", plain(), Says::This(&says("new")));
    service.replace(new.served());
    for (topic, expected) in [("gone", "old"), ("kept", "new")] {
        let answer = post(&service, &topic_path("bus", topic, None), EVENT).await;
        assert_eq!(answer.body(), expected, "{topic}");
    }
}
