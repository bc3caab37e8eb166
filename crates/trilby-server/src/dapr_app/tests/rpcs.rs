//! Each rpc of the gRPC app channel, and what its guest makes of it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use prost_types::{Any, Value, value::Kind};
use tonic::Code;
use trilby_dapr::proto::common::v1::{HttpExtension, InvokeRequest, http_extension::Verb};
use trilby_dapr::proto::runtime::v1::BindingEventRequest;
use trilby_dapr::proto::runtime::v1::app_callback_alpha_client::AppCallbackAlphaClient;
use trilby_manifest::{BulkOptions, TopicOptions};

use super::client::{Here, client, event, job, says, several, with_token};
use crate::events::topic_path;
use crate::testing::{App, Says, TOKEN, Told};

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

/// daprd passes any rpc on that another app calls, and adds the app's own token.
#[tokio::test]
async fn another_app_delivers_nothing() {
    let service = App::new()
        .topic("t", TopicOptions::default(), Says::This(&says(200, "")))
        .with(|app| app.token = Some(TOKEN.to_owned()))
        .serve();
    let path = topic_path("bus", "t", None);
    let good = client(&service).on_topic_event(with_token(event(&path))).await;
    assert_eq!(good.expect("daprd's own").into_inner().status, 0);
    for mark in ["dapr-caller-app-id", "dapr-callee-app-id", "dapr-app-id"] {
        let mut forged = with_token(event(&path));
        forged.metadata_mut().insert(mark, "other".parse().expect("ASCII"));
        let refused = client(&service).on_topic_event(forged).await.expect_err(mark);
        assert_eq!(refused.code(), Code::PermissionDenied, "{mark}");
    }
}

/// A question needs no token, and so may not be large.
#[tokio::test]
async fn a_question_is_small() {
    use tonic::codegen::Service as _;

    let service = App::new().serve();
    for (bytes, code) in [(5, None), (1000, Some("8"))] {
        let path = "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions";
        let body = tonic::body::Body::new(http_body_util::Full::new(Bytes::from(vec![0; bytes])));
        let mut request = http::Request::post(path)
            .version(http::Version::HTTP_2)
            .header("content-type", "application/grpc")
            .body(body)
            .expect("valid");
        request.headers_mut().insert("te", "trailers".parse().expect("valid"));
        let response = Here(Arc::clone(&service)).call(request).await.expect("answers");
        let status = response.headers().get("grpc-status").and_then(|value| value.to_str().ok());
        assert_eq!(status, code, "{bytes}");
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

#[tokio::test]
async fn a_jobs_data_is_what_was_scheduled() {
    let json = Value { kind: Some(Kind::StringValue("a\"b".into())) };
    let any = |type_url: &str, value: Vec<u8>| Some(Any { type_url: type_url.into(), value });
    let url = "type.googleapis.com/google.protobuf.Value";
    let table = [
        (any(url, json.encode_to_vec()), "application/json", "\"a\\\"b\""),
        (any(url, Vec::new()), "application/json", ""),
        (any(url, b"\xff".to_vec()), "application/json", "\u{fffd}"),
        (any("", b"raw ".to_vec()), "application/json", "raw "),
        (any("x/y", b"{}".to_vec()), "application/json", "{}"),
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
