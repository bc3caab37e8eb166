//! The gRPC app channel as a whole: who may use it, and what it has.

use std::sync::Arc;

use http::Response;
use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};
use trilby_dapr::Condition;
use trilby_dapr::proto::common::v1::InvokeRequest;
use trilby_dapr::proto::runtime::v1::BindingEventRequest;
use trilby_dapr::proto::runtime::v1::app_callback_client::AppCallbackClient;
use trilby_dapr::proto::runtime::v1::app_callback_health_check_client::AppCallbackHealthCheckClient;
use trilby_dapr::subscription::{Bulk, Rule, Subscription, Target};
use trilby_manifest::TopicOptions;

use super::client::{Here, client, event, job, several, with_token};
use crate::Service;
use crate::body::ResponseBody;
use crate::testing::{App, PEER, Says, TOKEN, request, send};

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
