//! The rpcs of the gRPC app channel.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use prost::Message as _;
use prost_types::{Any, Value, value::Kind};
use tonic::{Code, Status};
use trilby_dapr::Condition;
use trilby_dapr::proto::common::v1::{HttpExtension, InvokeRequest, http_extension::Verb};
use trilby_dapr::proto::runtime::v1::app_callback_alpha_client::AppCallbackAlphaClient;
use trilby_dapr::proto::runtime::v1::app_callback_client::AppCallbackClient;
use trilby_dapr::proto::runtime::v1::app_callback_health_check_client::AppCallbackHealthCheckClient;
use trilby_dapr::proto::runtime::v1::topic_event_bulk_request_entry::Event;
use trilby_dapr::proto::runtime::v1::{
    BindingEventRequest, JobEventRequest, TopicEventBulkRequest, TopicEventBulkRequestEntry,
    TopicEventCeRequest, TopicEventRequest,
};
use trilby_dapr::subscription::{Bulk, Rule, Subscription, Target};
use trilby_manifest::{BulkOptions, TopicOptions};

use crate::Service;
use crate::body::{BrokenOff, ResponseBody};
use crate::events::topic_path;
use crate::testing::{App, PEER, Says, TOKEN, Told, request, send};

/// A channel to a service in this process.
#[derive(Clone)]
struct Here(Arc<Service>);

impl tonic::codegen::Service<Request<tonic::body::Body>> for Here {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let service = Arc::clone(&self.0);
        let request = request.map(|body| body.map_err(BrokenOff::new).boxed_unsync());
        Box::pin(async move { Ok(service.handle(request, PEER).await) })
    }
}

fn client(service: &Arc<Service>) -> AppCallbackClient<Here> {
    AppCallbackClient::new(Here(Arc::clone(service)))
}

fn with_token<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("dapr-api-token", TOKEN.parse().expect("ASCII"));
    request
}

fn event(path: &str) -> TopicEventRequest {
    TopicEventRequest {
        id: "1".into(),
        source: "shop".into(),
        r#type: "placed".into(),
        spec_version: "1.0".into(),
        data_content_type: "text/plain".into(),
        data: Bytes::from_static(b"data"),
        topic: "t".into(),
        pubsub_name: "bus".into(),
        path: path.into(),
        extensions: None,
    }
}

fn says(status: u16, body: &str) -> String {
    format!("status: {status}\ncontent-type: application/json\n\n{body}")
}

#[tokio::test]
async fn a_topic_events_verdict_is_the_guests() {
    // SUCCESS, RETRY and DROP are 0, 1 and 2.
    let table = [
        (200, "", 0),
        (200, r#"{"status":"RETRY"}"#, 1),
        (200, r#"{"status":"DROP"}"#, 2),
        (404, "", 2),
        (500, "", 1),
        (503, "", 1),
    ];
    for (status, body, expected) in table {
        let says = says(status, body);
        let service = App::new().topic("t", TopicOptions::default(), Says::This(&says)).serve();
        for path in [topic_path("bus", "t", None).as_str(), ""] {
            let answer = client(&service).on_topic_event(event(path)).await.expect("a verdict");
            assert_eq!(answer.into_inner().status, expected, "{status} {body}");
        }
    }
}

#[tokio::test]
async fn an_event_for_nobody_is_dropped() {
    let service = App::new().path("/orders", Says::AllAndFails).serve();
    let long = "x".repeat(70_000);
    for (path, expected) in [
        ("/dapr/events/bus/other", 2),
        ("/dapr/events/", 2),
        ("/job/x", 2),
        ("/nothing", 2),
        ("..", 2),
        ("", 2),
        (long.as_str(), 2),
        // A subscription that somebody else wrote may name any path of the app.
        ("/orders", 1),
        ("orders", 1),
    ] {
        let answer = client(&service).on_topic_event(event(path)).await.expect("a verdict");
        assert_eq!(answer.into_inner().status, expected, "{}", path.len());
    }
}

/// An event comes as it does over HTTP: what its guest makes of it shows in what the guest writes.
#[tokio::test]
async fn an_event_comes_as_over_http() {
    let service = App::new().path("/all", Says::All).serve();
    let message = InvokeRequest { method: "all".into(), ..InvokeRequest::default() };
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("x-own", "1".parse().expect("ASCII"));
    let answer = client(&service).on_invoke(request).await.expect("an answer").into_inner();
    let told = Told::read(&answer.data.expect("data").value);
    assert_eq!((told.get("HTTP_X_OWN"), told.get("REQUEST_METHOD")), ("1", "POST"));
    assert_eq!(told.get("HTTP_CONTENT_TYPE"), "");
}

fn several() -> TopicEventBulkRequest {
    let entry = |id: &str, event| TopicEventBulkRequestEntry {
        entry_id: id.into(),
        content_type: "text/plain".into(),
        metadata: HashMap::new(),
        event,
    };
    let cloud_event = TopicEventCeRequest {
        id: "x".into(),
        source: "shop".into(),
        r#type: "placed".into(),
        spec_version: "1.0".into(),
        data_content_type: "application/json".into(),
        data: Bytes::from_static(b"[1.0]"),
        extensions: None,
    };
    TopicEventBulkRequest {
        id: "b".into(),
        entries: vec![
            entry("1", Some(Event::CloudEvent(cloud_event))),
            entry("2", Some(Event::Bytes(Bytes::from_static(b"\xff")))),
            entry("3", None),
        ],
        topic: "t".into(),
        pubsub_name: "bus".into(),
        ..TopicEventBulkRequest::default()
    }
}

#[tokio::test]
async fn each_of_several_events_has_its_verdict() {
    let bulk = BulkOptions { messages_max: 10, await_max: std::time::Duration::from_secs(1) };
    let table = [
        (says(200, ""), [0, 0, 0]),
        (says(200, r#"{"statuses":[{"entryId":"2","status":"DROP"}]}"#), [1, 2, 1]),
        (says(404, ""), [2, 2, 2]),
        (says(500, ""), [1, 1, 1]),
    ];
    for (says, expected) in table {
        let options = TopicOptions { bulk: Some(bulk), ..TopicOptions::default() };
        let service = App::new().topic("t", options, Says::This(&says)).serve();
        let here = Here(Arc::clone(&service));
        let stable = client(&service).on_bulk_topic_event(several()).await;
        let alpha = AppCallbackAlphaClient::new(here).on_bulk_topic_event_alpha1(several()).await;
        for answer in [stable, alpha] {
            let statuses = answer.expect("verdicts").into_inner().statuses;
            let ids: Vec<_> = statuses.iter().map(|status| status.entry_id.as_str()).collect();
            assert_eq!(ids, ["1", "2", "3"]);
            let verdicts: Vec<_> = statuses.iter().map(|status| status.status).collect();
            assert_eq!(verdicts, expected, "{says}");
        }
    }
    let service = App::new().serve();
    let answer = client(&service).on_bulk_topic_event(several()).await.expect("verdicts");
    assert!(answer.into_inner().statuses.iter().all(|status| status.status == 2));
}

fn job(name: &str, data: Option<Any>) -> JobEventRequest {
    JobEventRequest { name: name.into(), data, ..JobEventRequest::default() }
}

#[tokio::test]
async fn a_jobs_answer_is_a_status() {
    let table = [
        (says(200, ""), None),
        (says(204, ""), None),
        (says(404, ""), Some(Code::NotFound)),
        (says(200, r#"{"status":"DROP"}"#), Some(Code::NotFound)),
        (says(200, r#"{"status":"RETRY"}"#), Some(Code::Aborted)),
        (says(500, ""), Some(Code::Aborted)),
        // daprd takes UNIMPLEMENTED for a wish to be asked by another rpc.
        (says(501, ""), Some(Code::Aborted)),
    ];
    for (says, expected) in table {
        let service = App::new().job("j", Says::This(&says)).serve();
        let here = Here(Arc::clone(&service));
        let stable = client(&service).on_job_event(job("j", None)).await;
        let alpha = AppCallbackAlphaClient::new(here).on_job_event_alpha1(job("j", None)).await;
        for answer in [stable, alpha] {
            assert_eq!(answer.err().map(|status| status.code()), expected, "{says}");
        }
        let long = "x".repeat(70_000);
        for name in ["", "other", "..", "a\0b", long.as_str()] {
            let answer = client(&service).on_job_event(job(name, None)).await;
            assert_eq!(answer.expect_err("no such job").code(), Code::NotFound);
        }
    }
}

#[tokio::test]
async fn a_binding_answers_with_its_data() {
    let service = App::new()
        .binding("a b", Says::All)
        .binding("failing", Says::This(&says(409, "taken")))
        .serve();
    let message = |name: &str| BindingEventRequest {
        name: name.into(),
        data: Bytes::from_static(b"data"),
        metadata: HashMap::from([("ReadTime".into(), "now".into())]),
    };
    let answer = client(&service).on_binding_event(message("a b")).await.expect("an answer");
    let told = Told::read(&answer.into_inner().data);
    assert_eq!((told.get("BINDING_NAME"), told.get("HTTP_READTIME")), ("a b", "now"));
    assert_eq!((told.stdin.as_str(), told.get("CONTENT_TYPE")), ("data", "application/json"));
    let failed = client(&service).on_binding_event(message("failing")).await.expect_err("409");
    assert_eq!((failed.code(), failed.message()), (Code::AlreadyExists, "taken"));
    let other = client(&service).on_binding_event(message("job/x")).await.expect_err("404");
    assert_eq!(other.code(), Code::NotFound);
}

#[tokio::test]
async fn an_invocation_is_a_request() {
    let created = "status: 201\ncontent-type: text/x\nx-own: 1\n\nmade";
    let service = App::new()
        .path("/a/...", Says::All)
        .path("/made", Says::This(created))
        .path("/failing", Says::This(&says(403, "not you")))
        .job("j", Says::All)
        .serve();
    let extension = HttpExtension { verb: Verb::Put.into(), querystring: "q=1".into() };
    let message = |method: &str| InvokeRequest {
        method: method.into(),
        data: Some(Any { type_url: "x".into(), value: b"abc".to_vec() }),
        content_type: "text/x".into(),
        http_extension: Some(extension.clone()),
    };
    let mut request = tonic::Request::new(message("a/b c"));
    request.metadata_mut().insert("dapr-accept", "text/y".parse().expect("ASCII"));
    let answer = client(&service).on_invoke(request).await.expect("an answer").into_inner();
    assert_eq!(answer.content_type, "text/plain");
    let told = Told::read(&answer.data.expect("data").value);
    let expected = [
        ("TRILBY_TRIGGER", "http"),
        ("REQUEST_METHOD", "PUT"),
        ("PATH_INFO", "/b c"),
        ("QUERY_STRING", "q=1"),
        ("CONTENT_TYPE", "text/x"),
        ("HTTP_ACCEPT", "text/y"),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name), value, "{name}");
    }
    assert_eq!(told.stdin, "abc");
    let answer = client(&service).on_invoke(message("/made")).await.expect("an answer");
    let own = |name: &str| answer.metadata().get(name).map(|value| value.as_bytes());
    assert_eq!((own("dapr-http-status"), own("x-own")), (Some(&b"201"[..]), Some(&b"1"[..])));
    let failed = client(&service).on_invoke(message("failing")).await.expect_err("403");
    assert_eq!((failed.code(), failed.message()), (Code::PermissionDenied, "not you"));
    assert_eq!(failed.metadata().get("dapr-http-status").expect("there"), "403");
    for method in ["job/j", "/job/j", "dapr/subscribe", "nothing", ""] {
        let failed = client(&service).on_invoke(message(method)).await.expect_err("404");
        assert_eq!(failed.code(), Code::NotFound, "{method}");
    }
}

fn listening() -> App {
    let target = |path: &str| Target { path: path.into(), deadline: <_>::default() };
    App::new().binding("b", Says::All).binding("a", Says::All).with(|app| {
        app.table.subscriptions.push(Subscription {
            pubsub: "bus".into(),
            topic: "t".into(),
            rules: vec![Rule {
                condition: Condition::parse("true").expect("CEL"),
                target: target("/r"),
            }],
            default: Some(target("/d")),
            dead_letter_topic: Some("dead".into()),
            bulk: Some(Bulk::default()),
            metadata: [("rawPayload".into(), "true".into())].into(),
        });
    })
}

#[tokio::test]
async fn daprd_is_told_what_the_app_listens_to() {
    let service = listening().serve();
    let mut client = client(&service);
    let topics = client.list_topic_subscriptions(()).await.expect("a list").into_inner();
    let topic = topics.subscriptions.into_iter().next().expect("one");
    assert_eq!((topic.pubsub_name.as_str(), topic.topic.as_str()), ("bus", "t"));
    let routes = topic.routes.expect("routes");
    assert_eq!((routes.rules[0].r#match.as_str(), routes.rules[0].path.as_str()), ("true", "/r"));
    assert_eq!((routes.default.as_str(), topic.dead_letter_topic.as_str()), ("/d", "dead"));
    let bulk = topic.bulk_subscribe.expect("bulk");
    let numbers = (bulk.max_messages_count, bulk.max_await_duration_ms);
    assert_eq!((bulk.enabled, numbers), (true, (100, 1000)));
    assert_eq!(topic.metadata["rawPayload"], "true");
    let bindings = client.list_input_bindings(()).await.expect("a list").into_inner();
    assert_eq!(bindings.bindings, ["a", "b"]);
}

#[tokio::test]
async fn whoever_delivers_shows_the_apps_token() {
    let service = listening()
        .topic("t", TopicOptions::default(), Says::All)
        .path("/", Says::All)
        .job("j", Says::All)
        .with(|app| app.token = Some(TOKEN.to_owned()))
        .serve();
    let mut client = client(&service);
    let code = |status: Status| status.code();
    let refused = client.on_topic_event(event("")).await.map(drop).map_err(code);
    assert_eq!(refused, Err(Code::Unauthenticated));
    let mut wrong = tonic::Request::new(job("j", None));
    wrong.metadata_mut().insert("dapr-api-token", "app-tokem".parse().expect("ASCII"));
    let refused = client.on_job_event(wrong).await.map(drop).map_err(code);
    assert_eq!(refused, Err(Code::Unauthenticated));
    let refused = client.on_invoke(InvokeRequest::default()).await.map(drop).map_err(code);
    assert_eq!(refused, Err(Code::Unauthenticated));
    let refused = client.on_binding_event(BindingEventRequest::default()).await;
    assert_eq!(refused.map(drop).map_err(code), Err(Code::Unauthenticated));
    let refused = client.on_bulk_topic_event(several()).await.map(drop).map_err(code);
    assert_eq!(refused, Err(Code::Unauthenticated));
    let taken = client.on_topic_event(with_token(event(""))).await.map(drop).map_err(code);
    assert_eq!(taken, Ok(()));
    let taken = client.on_job_event(with_token(job("j", None))).await.map(drop).map_err(code);
    assert_eq!(taken, Ok(()));
    // daprd sends no token with these.
    assert!(client.list_topic_subscriptions(()).await.is_ok());
    assert!(client.list_input_bindings(()).await.is_ok());
    let mut health = AppCallbackHealthCheckClient::new(Here(Arc::clone(&service)));
    assert!(health.health_check(()).await.is_ok());
    service.start_draining();
    assert!(health.health_check(()).await.is_ok());
}

async fn raw(service: &Arc<Service>, path: &str, message: Vec<u8>) -> Response<ResponseBody> {
    let bytes = u32::try_from(message.len()).expect("short");
    let framed = [&[0][..], &bytes.to_be_bytes(), &message].concat();
    let headers = [("content-type", "application/grpc")];
    let mut request = request("POST", path, &headers, "");
    *request.body_mut() = crate::body::request_body(framed.into());
    *request.version_mut() = http::Version::HTTP_2;
    service.handle(request, PEER).await
}

#[tokio::test]
async fn unknown_rpcs_are_unimplemented() {
    let service = App::new().serve();
    for rpc in ["AppCallback/Other", "AppCallback/", "AppCallbackOther/OnJobEvent", "AppCallback"] {
        let answer = raw(&service, &format!("/dapr.proto.runtime.v1.{rpc}"), Vec::new()).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], "12", "{rpc}");
    }
    let other = raw(&service, "/other.Service/Rpc", Vec::new()).await;
    assert_eq!(other.status(), 404);
}

#[tokio::test]
async fn without_a_sidecar_there_are_no_rpcs() {
    let service = App::new().job("j", Says::All).with(|app| app.sidecar = false).serve();
    let path = "/dapr.proto.runtime.v1.AppCallback/OnJobEvent";
    let answer = raw(&service, path, job("j", None).encode_to_vec()).await;
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_message_is_no_larger_than_a_body() {
    let app = App::new().job("j", Says::All).with(|app| app.table.body_in_bytes_max = 1000);
    let service = app.serve();
    let data = |bytes| Some(Any { type_url: String::new(), value: vec![b'x'; bytes] });
    let mut client = client(&service);
    assert!(client.on_job_event(job("j", data(60_000))).await.is_ok());
    let refused = client.on_job_event(job("j", data(70_000))).await.expect_err("too large");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    // HTTP/1.1 has the same path for requests of its own.
    let headers = [("content-type", "application/grpc")];
    let path = "/dapr.proto.runtime.v1.AppCallback/OnJobEvent";
    assert_eq!(send(&service, request("POST", path, &headers, "")).await.status(), 404);
}

#[tokio::test]
async fn a_jobs_data_is_what_was_scheduled() {
    let json = Value { kind: Some(Kind::StringValue("a\"b".into())) };
    let any = |type_url: &str, value: Vec<u8>| Some(Any { type_url: type_url.into(), value });
    let url = "type.googleapis.com/google.protobuf.Value";
    let table = [
        (any(url, json.encode_to_vec()), "application/json", "\"a\\\"b\""),
        (any(url, Vec::new()), "application/json", ""),
        (any(url, b"\xff".to_vec()), "application/octet-stream", "\u{fffd}"),
        (any("", b"raw ".to_vec()), "application/octet-stream", "raw "),
        (any("x/y", b"{}".to_vec()), "application/octet-stream", "{}"),
        (any("", Vec::new()), "application/json", ""),
        (None, "application/json", ""),
    ];
    for (data, content_type, expected) in table {
        let request = crate::dapr_app::messages::job(job("j", data), http::HeaderMap::new());
        let request = request.expect("a job");
        assert_eq!(request.headers()["content-type"], content_type);
        assert_eq!(String::from_utf8_lossy(request.body()), expected);
    }
}

#[tokio::test]
async fn several_events_have_the_form_of_http() {
    let request = crate::dapr_app::messages::bulk(several(), http::HeaderMap::new());
    let request = request.expect("a request");
    assert_eq!(request.uri().path(), topic_path("bus", "t", None));
    let body: serde_json::Value = serde_json::from_slice(request.body()).expect("JSON");
    let entries = &body["entries"];
    assert_eq!(entries[0]["contentType"], "application/cloudevents+json");
    let event = serde_json::json!({
        "id": "x", "source": "shop", "type": "placed", "specversion": "1.0", "topic": "t",
        "pubsubname": "bus", "datacontenttype": "application/json", "data": [1.0]
    });
    assert_eq!(entries[0]["event"], event);
    assert_eq!(
        (&entries[1]["event"], &entries[1]["contentType"]),
        (&"/w==".into(), &"text/plain".into())
    );
    assert_eq!(entries[2]["event"], "");
}

#[tokio::test]
async fn rpcs_and_requests_share_the_listener() {
    let service = App::new().job("j", Says::All).path("/", Says::All).serve();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let seconds = std::time::Duration::from_secs;
    let limits = trilby_manifest::ProcessLimits {
        instances_max: 4,
        queue_depth_max: 4,
        connections_max: 4,
        head_timeout: seconds(30),
        write_timeout: seconds(30),
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let settings = crate::ListenSettings { limits, tls: None };
    let drain = crate::Drain { settle: seconds(0), within: seconds(30) };
    let server = tokio::spawn(crate::serve(listener, service, (settings, drain), async {
        let _ = stopped.await;
    }));
    let endpoint = tonic::transport::Endpoint::from_shared(address).expect("an address");
    let channel = endpoint.connect().await.expect("connected");
    let mut client = AppCallbackClient::new(channel);
    assert!(client.on_job_event(job("j", None)).await.is_ok());
    let refused = client.on_job_event(job("other", None)).await.expect_err("no such job");
    assert_eq!(refused.code(), Code::NotFound);
    let message = InvokeRequest { method: "/".into(), ..InvokeRequest::default() };
    assert!(client.on_invoke(message).await.is_ok());
    drop(client);
    stop.send(()).expect("the server runs");
    assert_eq!(server.await.expect("no panic"), 0);
}
