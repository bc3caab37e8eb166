//! The gRPC API.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use trilby_dapr::proto::common::v1 as common;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::wire::raw::Raw;

use super::world::{Given, World};

fn item(key: &str, value: &'static [u8]) -> common::StateItem {
    common::StateItem {
        key: key.to_owned(),
        value: Bytes::from_static(value),
        ..common::StateItem::default()
    }
}

fn get(store: &str, key: &str) -> runtime::GetStateRequest {
    runtime::GetStateRequest {
        store_name: store.to_owned(),
        key: key.to_owned(),
        ..runtime::GetStateRequest::default()
    }
}

#[tokio::test]
async fn state_is_written_and_read() {
    let world = World::start(Given::default()).await;
    let mut rpc = world.rpc().await;
    let states = vec![item("k", b"\xff1"), item("l", b"2")];
    let save = runtime::SaveStateRequest { store_name: "statestore".into(), states };
    rpc.save_state(save).await.unwrap();
    let found = rpc.get_state(get("statestore", "k")).await.unwrap().into_inner();
    assert_eq!(found.data, b"\xff1".as_slice());
    assert!(!found.etag.is_empty());
    let stale = runtime::DeleteStateRequest {
        store_name: "statestore".into(),
        key: "k".into(),
        etag: Some(common::Etag { value: "stale".into() }),
        ..runtime::DeleteStateRequest::default()
    };
    let lost = rpc.delete_state(stale).await.unwrap_err();
    let info = lost.get_details_error_info().expect("a reason");
    assert_eq!((lost.code(), &*info.reason), (Code::Aborted, "ERR_STATE_DELETE"));
    let missing = rpc.get_state(get("nope", "k")).await.unwrap_err();
    assert_eq!(missing.code(), Code::InvalidArgument);
    let info = missing.get_details_error_info().expect("a reason");
    // The app's id is there over HTTP only.
    assert_eq!((&*info.reason, info.metadata.len()), ("DAPR_STATE_NOT_FOUND", 0));
    let illegal = rpc.get_state(get("statestore", "a||b")).await.unwrap_err();
    let violation = illegal.get_details_bad_request().expect("a violation");
    assert_eq!(violation.field_violations[0].field, "a||b");
}

async fn call(world: &World, path: &'static str, request: Bytes) -> Result<Bytes, Status> {
    let address = world.api.addresses().grpc.unwrap();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(path);
    let answer = client.unary(Request::new(request), path, Raw).await?;
    Ok(answer.into_inner())
}

/// Messages as they are on the wire.
#[tokio::test]
async fn older_names_and_unknown_ones_are_answered_as_by_daprd() {
    let world = World::start(Given::default()).await;
    let listed = call(&world, "/dapr.proto.runtime.v1.Dapr/ListJobsAlpha1", Bytes::new()).await;
    assert_eq!(listed.unwrap(), Bytes::new());
    for (path, code) in [
        ("/dapr.proto.runtime.v1.Dapr/NoSuchRpc", Code::Unknown),
        ("/some.Service/Rpc", Code::Unknown),
        ("/dapr.proto.runtime.v1.Dapr/StartWorkflowBeta1", Code::Unimplemented),
        ("/dapr.proto.runtime.v1.Dapr/SubtleSignAlpha1", Code::Unimplemented),
    ] {
        let refused = call(&world, path, Bytes::new()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{path}: {refused}");
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_as_by_daprd() {
    let world = World::start(Given::default()).await;
    let mut rpc = world.rpc().await;
    let publish = runtime::PublishEventRequest {
        pubsub_name: "pubsub".into(),
        topic: "t".into(),
        data: vec![0; 100 << 10].into(),
        ..runtime::PublishEventRequest::default()
    };
    let refused = rpc.publish_event(publish).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let text = refused.message();
    assert!(text.starts_with("grpc: received message larger than max (102"), "{text}");
}

#[tokio::test]
async fn only_who_has_the_token_is_served() {
    let world = World::start(Given { token: Some("t0ken"), ..Given::default() }).await;
    let mut rpc = world.rpc().await;
    for (token, expected) in [
        (None, Some(Code::Unauthenticated)),
        (Some("other"), Some(Code::Unauthenticated)),
        (Some("t0ken"), None),
    ] {
        let mut request = Request::new(runtime::GetMetadataRequest {});
        if let Some(token) = token {
            request.metadata_mut().insert("dapr-api-token", token.parse().unwrap());
        }
        let answer = rpc.get_metadata(request).await;
        assert_eq!(answer.err().map(|status| status.code()), expected, "{token:?}");
    }
}

#[tokio::test]
async fn what_the_configuration_denies_is_not_there() {
    let world = World::start(Given { denied: "state", ..Given::default() }).await;
    let denied = world.rpc().await.get_state(get("statestore", "k")).await.unwrap_err();
    assert_eq!((denied.code(), denied.message()), (Code::Unimplemented, "Not Implemented"));
    let (status, body) = world.http("GET", "/v1.0/state/statestore/k", "").await;
    assert_eq!(status, 404, "{body}");
    assert_eq!(world.http("GET", "/v1.0/healthz", "").await.0, 204);
}

#[tokio::test]
async fn a_shutdown_is_passed_on() {
    let world = World::start(Given::default()).await;
    assert!(!world.was_shut_down.load(Ordering::SeqCst));
    world.rpc().await.shutdown(runtime::ShutdownRequest {}).await.unwrap();
    assert!(world.was_shut_down.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_app_is_invoked() {
    let world = World::start(Given::default()).await;
    let mut rpc = world.rpc().await;
    let request = |method: &str| runtime::InvokeServiceRequest {
        id: "a1".into(),
        message: Some(common::InvokeRequest {
            method: method.into(),
            http_extension: Some(common::HttpExtension {
                verb: common::http_extension::Verb::Put.into(),
                querystring: "q=1".into(),
            }),
            ..common::InvokeRequest::default()
        }),
    };
    let answer = rpc.invoke_service(request("some/path")).await.unwrap();
    assert_eq!(answer.metadata().get("dapr-http-status").unwrap(), "200");
    assert_eq!(answer.into_inner().data.unwrap().value, b"PUT /some/path?q=1");
    let missing = rpc.invoke_service(request("missing")).await.unwrap_err();
    assert_eq!((missing.code(), missing.message()), (Code::NotFound, "Not Found"));
}

#[tokio::test]
async fn all_blocks_answer() {
    let world = World::start(Given::default()).await;
    let mut rpc = world.rpc().await;
    let secret = runtime::GetSecretRequest {
        store_name: "env".into(),
        key: "SECRET".into(),
        ..runtime::GetSecretRequest::default()
    };
    let secret = rpc.get_secret(secret).await.unwrap().into_inner();
    assert_eq!(secret.data["SECRET"], "s3cret");
    let lock = runtime::TryLockRequest {
        store_name: "lockstore".into(),
        resource_id: "r".into(),
        lock_owner: "o".into(),
        expiry_in_seconds: 10,
    };
    assert!(rpc.try_lock_alpha1(lock.clone()).await.unwrap().into_inner().success);
    let bad = runtime::TryLockRequest { expiry_in_seconds: -1, ..lock };
    let bad = rpc.try_lock_alpha1(bad).await.unwrap_err();
    assert_eq!((bad.code(), bad.details()), (Code::InvalidArgument, &b""[..]));
    let job = runtime::Job {
        name: "j".into(),
        schedule: Some("@every 1h".into()),
        ..runtime::Job::default()
    };
    let schedule = runtime::ScheduleJobRequest { job: Some(job), overwrite: false };
    rpc.schedule_job(schedule.clone()).await.unwrap();
    assert_eq!(rpc.schedule_job(schedule).await.unwrap_err().code(), Code::AlreadyExists);
    let jobs = rpc.list_jobs(runtime::ListJobsRequest {}).await.unwrap().into_inner().jobs;
    assert_eq!(jobs[0].schedule.as_deref(), Some("@every 1h"));
    let prefix = runtime::DeleteJobsByPrefixRequest { name_prefix: Some("j".into()) };
    rpc.delete_jobs_by_prefix(prefix).await.unwrap();
    let gone = rpc.get_job(runtime::GetJobRequest { name: "j".into() }).await.unwrap_err();
    assert_eq!(gone.code(), Code::Internal);
    let actor = rpc.list_actor_reminders(runtime::ListActorRemindersRequest::default()).await;
    assert_eq!(actor.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_conversation_is_answered() {
    use runtime::conversation_message::MessageTypes;

    let world = World::start(Given::default()).await;
    let content = vec![runtime::ConversationMessageContent { text: "hi there".into() }];
    let said = runtime::ConversationMessageOfUser { name: None, content };
    let message = runtime::ConversationMessage { message_types: Some(MessageTypes::OfUser(said)) };
    let request = runtime::ConversationRequestAlpha2 {
        name: "echo".into(),
        inputs: vec![runtime::ConversationInputAlpha2 { messages: vec![message], scrub_pii: None }],
        ..runtime::ConversationRequestAlpha2::default()
    };
    let answer = world.rpc().await.converse_alpha2(request).await.unwrap().into_inner();
    let output = &answer.outputs[0];
    assert_eq!(output.choices[0].finish_reason, "stop");
    assert_eq!(output.choices[0].message.as_ref().unwrap().content, "hi there");
    assert_eq!(output.usage.as_ref().unwrap().total_tokens, 4);
}
