//! Errors as daprd 1.18.3 tells them.

use http_body_util::BodyExt as _;

use super::*;

const TELLER: Teller<'_> = Teller { app_id: "a1", namespace: "default" };

fn error(code: Code, reason: &'static str, message: &str) -> Error {
    Error::new(code, message).with_reason(reason)
}

async fn told(error: &Error, about: &About) -> (u16, Value) {
    let response = TELLER.response(error, about);
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn each_error_has_its_status_and_code() {
    use Code::*;
    #[rustfmt::skip]
    let table = [
        (Block::State, InvalidArgument, "DAPR_STATE_NOT_FOUND", 400, "ERR_STATE_STORE_NOT_FOUND"),
        (Block::State, FailedPrecondition, "DAPR_STATE_NOT_CONFIGURED", 500, "ERR_STATE_STORE_NOT_CONFIGURED"),
        (Block::State, Aborted, "ERR_STATE_SAVE", 409, "ERR_STATE_SAVE"),
        (Block::State, Aborted, "ERR_STATE_DELETE", 409, "ERR_STATE_DELETE"),
        (Block::State, InvalidArgument, "ERR_STATE_SAVE", 400, "ERR_STATE_SAVE"),
        (Block::State, Internal, "ERR_STATE_GET", 500, "ERR_STATE_GET"),
        (Block::State, Aborted, "ERR_STATE_TRANSACTION", 500, "ERR_STATE_TRANSACTION"),
        (Block::State, Internal, "DAPR_STATE_QUERYING_NOT_SUPPORTED", 500, "ERR_STATE_STORE_NOT_SUPPORTED"),
        (Block::Pubsub, InvalidArgument, "DAPR_PUBSUB_NOT_FOUND", 404, "ERR_PUBSUB_NOT_FOUND"),
        (Block::Pubsub, FailedPrecondition, "DAPR_PUBSUB_NOT_CONFIGURED", 400, "ERR_PUBSUB_NOT_CONFIGURED"),
        (Block::Pubsub, PermissionDenied, "DAPR_PUBSUB_FORBIDDEN", 403, "ERR_PUBSUB_FORBIDDEN"),
        (Block::Pubsub, Internal, "DAPR_PUBSUB_PUBLISH_MESSAGE", 500, "ERR_PUBSUB_PUBLISH_MESSAGE"),
        (Block::Pubsub, InvalidArgument, "DAPR_PUBSUB_MARSHAL_EVENTS", 400, "ERR_PUBSUB_EVENTS_SER"),
        (Block::Bindings, Internal, "ERR_INVOKE_OUTPUT_BINDING", 500, "ERR_INVOKE_OUTPUT_BINDING"),
        (Block::Secrets, InvalidArgument, "", 401, "ERR_SECRET_STORE_NOT_FOUND"),
        (Block::Secrets, FailedPrecondition, "", 500, "ERR_SECRET_STORES_NOT_CONFIGURED"),
        (Block::Secrets, Internal, "", 500, "ERR_SECRET_GET"),
        (Block::Secrets, PermissionDenied, "", 403, "ERR_PERMISSION_DENIED"),
        (Block::Configuration, InvalidArgument, "ERR_CONFIGURATION_STORE_NOT_FOUND", 400, "ERR_CONFIGURATION_STORE_NOT_FOUND"),
        (Block::Lock, InvalidArgument, "ERR_MALFORMED_REQUEST", 400, "ERR_MALFORMED_REQUEST"),
        (Block::Lock, FailedPrecondition, "ERR_LOCK_STORE_NOT_CONFIGURED", 500, "ERR_LOCK_STORE_NOT_CONFIGURED"),
        (Block::Invoke, Internal, "ERR_DIRECT_INVOKE", 500, "ERR_DIRECT_INVOKE"),
        (Block::Jobs, AlreadyExists, "DAPR_SCHEDULER_SCHEDULE_JOB", 409, "DAPR_SCHEDULER_SCHEDULE_JOB"),
        (Block::Jobs, NotFound, "DAPR_SCHEDULER_GET_JOB", 500, "DAPR_SCHEDULER_GET_JOB"),
        (Block::Jobs, InvalidArgument, "DAPR_SCHEDULER_SCHEDULE_EMPTY", 400, "DAPR_SCHEDULER_SCHEDULE_EMPTY"),
        (Block::Crypto, Internal, "", 500, "ERR_CRYPTO"),
        (Block::Conversation, InvalidArgument, "ERR_CONVERSATION_NOT_FOUND", 400, "ERR_CONVERSATION_NOT_FOUND"),
        (Block::Actors, Unavailable, "", 400, "ERR_ACTOR_NO_PLACEMENT"),
        (Block::Pubsub, ResourceExhausted, "TRILBY_QUEUE_FULL", 429, "TRILBY_QUEUE_FULL"),
        (Block::State, DeadlineExceeded, "TRILBY_DEADLINE", 504, "TRILBY_DEADLINE"),
    ];
    for (block, code, reason, status, error_code) in table {
        let (found, json) = told(&error(code, reason, "m"), &About::new(block, "c")).await;
        assert_eq!((found, json["errorCode"].as_str()), (status, Some(error_code)), "{reason}");
        assert_eq!(json["message"], "m");
        assert_eq!(json.get("details").is_some(), !error_code_only(reason), "{reason}");
    }
}

fn error_code_only(reason: &str) -> bool {
    reason.is_empty() || reason.starts_with("ERR_")
}

#[tokio::test]
async fn what_is_wrong_with_crypto_is_told_apart() {
    let about = About::new(Block::Crypto, "c");
    for (code, message, status, error_code) in [
        (
            Code::InvalidArgument,
            "crypto provider x not found",
            400,
            "ERR_CRYPTO_PROVIDER_NOT_FOUND",
        ),
        (Code::InvalidArgument, "invalid request: missing component name", 400, "ERR_BAD_REQUEST"),
        (
            Code::Internal,
            "crypto providers not configured",
            500,
            "ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED",
        ),
        (Code::Internal, "failed to perform operation: x", 500, "ERR_CRYPTO"),
    ] {
        let (found, json) = told(&Error::new(code, message), &about).await;
        assert_eq!((found, json["errorCode"].as_str()), (status, Some(error_code)), "{message}");
    }
}

#[tokio::test]
async fn details_are_daprds() {
    let about = About::new(Block::State, "nope").named("k");
    let missing =
        error(Code::InvalidArgument, "DAPR_STATE_NOT_FOUND", "state store nope is not found");
    let (_, json) = told(&missing, &about).await;
    let expected = serde_json::json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "domain": "dapr.io",
        "metadata": { "appID": "a1" },
        "reason": "DAPR_STATE_NOT_FOUND",
    }]);
    assert_eq!(json["details"], expected);
    let about = About::new(Block::State, "s").named("a||b");
    let illegal = error(Code::InvalidArgument, "DAPR_STATE_ILLEGAL_KEY", "why");
    let (_, json) = told(&illegal, &about).await;
    let kinds: Vec<&str> = json["details"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|detail| detail["@type"].as_str()?.rsplit('.').next())
        .collect();
    assert_eq!(kinds, ["BadRequest", "ResourceInfo", "ErrorInfo"]);
    assert_eq!(json["details"][0]["field_violations"][0]["field"], "a||b");
    assert_eq!(json["details"][2]["metadata"], Value::Null);
}

#[test]
fn a_status_carries_the_same_details() {
    let about = About::new(Block::Pubsub, "bus").named("t");
    let text = "error when publishing to topic t in pubsub bus: it is full: indeed";
    let failed = error(Code::Internal, "DAPR_PUBSUB_PUBLISH_MESSAGE", text);
    let details = TELLER.status(&failed, &about).get_error_details();
    let info = details.error_info().expect("a reason");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (failed.reason.as_ref(), DOMAIN));
    assert_eq!(info.metadata["topic"], "t");
    assert_eq!(info.metadata["error"], "it is full: indeed");
    let resource = details.resource_info().expect("a resource");
    assert_eq!((&*resource.resource_type, &*resource.resource_name), ("pubsub", "bus"));
    assert_eq!(resource.description, text);
}

const DOMAIN: &str = "dapr.io";

#[test]
fn codes_are_daprds_where_the_runtime_has_better_ones() {
    let jobs = About::new(Block::Jobs, "");
    let missing = error(Code::NotFound, "DAPR_SCHEDULER_GET_JOB", "m");
    let status = TELLER.status(&missing, &jobs);
    assert_eq!(status.code(), GrpcCode::Internal);
    let info = status.get_details_error_info().expect("a reason");
    assert_eq!(info.metadata["namespace"], "default");
    let state = About::new(Block::State, "s");
    let lost = error(Code::Aborted, "ERR_STATE_TRANSACTION", "m");
    let status = TELLER.status(&lost, &state);
    let info = status.get_details_error_info().expect("a reason");
    assert_eq!((status.code(), &*info.reason), (GrpcCode::Internal, "ERR_STATE_TRANSACTION"));
    let lost = error(Code::Aborted, "ERR_STATE_SAVE", "m");
    assert_eq!(TELLER.status(&lost, &state).code(), GrpcCode::Aborted);
    let locks = About::new(Block::Lock, "l");
    let lost = error(Code::Internal, "ERR_TRY_LOCK", "m");
    assert_eq!(TELLER.status(&lost, &locks).details(), b"");
}
