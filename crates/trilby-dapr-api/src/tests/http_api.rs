//! The HTTP API.

use http::Request;
use http_body_util::Full;

use super::world::{Given, World};

#[tokio::test]
async fn calls_are_answered_as_by_daprd() {
    let world = World::start(Given::default()).await;
    for (method, path, body, status, expected) in [
        ("GET", "/v1.0/healthz", "", 204, ""),
        ("GET", "/v1.0/healthz?appid=a1", "", 204, ""),
        ("GET", "/v1.0/healthz?appid=a2", "", 500, "ERR_HEALTH_APPID_NOT_MATCH"),
        ("GET", "/v1.0/healthz/outbound", "", 204, ""),
        ("POST", "/v1.0/state/statestore", r#"[{"key":"k","value":"v"}]"#, 204, ""),
        ("GET", "/v1.0/state/statestore/k", "", 200, r#""v""#),
        ("GET", "/v1.0/state/statestore/none", "", 204, ""),
        ("POST", "/v1.0/state/statestore", "", 400, "ERR_MALFORMED_REQUEST"),
        ("POST", "/v1.0/state/statestore", "[{}]", 400, r#"\"key\" is a required field"#),
        ("POST", "/v1.0/state/statestore", "[]", 204, ""),
        ("GET", "/v1.0/state/statestore/a||b", "", 400, "ERR_MALFORMED_REQUEST"),
        ("GET", "/v1.0/state/statestore/%zz", "", 400, "failed to unescape"),
        ("POST", "/v1.0/state/statestore/bulk", r#"{"keys":["k"]}"#, 200, r#""data":"v""#),
        ("POST", "/v1.0-alpha1/state/statestore/query", "{}", 500, "ERR_STATE_STORE_NOT_SUPPORTED"),
        ("DELETE", "/v1.0/state/statestore/k", "", 204, ""),
        ("DELETE", "/v1.0/state/statestore/k?concurrency=odd", "", 500, "unrecognized"),
        ("POST", "/v1.0/publish/pubsub/t", "hi", 204, ""),
        ("POST", "/v1.0/publish/nope/t", "hi", 404, "ERR_PUBSUB_NOT_FOUND"),
        (
            "POST",
            "/v1.0/publish/pubsub/t?metadata.rawPayload=odd",
            "",
            400,
            "ERR_PUBSUB_REQUEST_METADATA",
        ),
        (
            "POST",
            "/v1.0/publish/bulk/pubsub/t",
            r#"[{"entryId":"1","event":"x","contentType":"text/plain"}]"#,
            204,
            "",
        ),
        (
            "POST",
            "/v1.0/publish/bulk/pubsub/t",
            r#"[{"event":"x","contentType":"text/plain"}]"#,
            400,
            "ERR_PUBSUB_EVENTS_SER",
        ),
        ("POST", "/v1.0/publish/bulk/pubsub/t", "{", 400, "DAPR_PUBSUB_UNMARSHAL_EVENTS"),
        (
            "POST",
            "/v1.0/bindings/nope",
            r#"{"operation":"create"}"#,
            500,
            "ERR_INVOKE_OUTPUT_BINDING",
        ),
        ("GET", "/v1.0/secrets/env/SECRET", "", 200, r#"{"SECRET":"s3cret"}"#),
        ("GET", "/v1.0/secrets/env/bulk", "", 200, r#""SECRET":{"SECRET":"s3cret"}"#),
        ("GET", "/v1.0/secrets/nope/x", "", 401, "ERR_SECRET_STORE_NOT_FOUND"),
        (
            "GET",
            "/v1.0/configuration/nope?key=k",
            "",
            500,
            "ERR_CONFIGURATION_STORE_NOT_CONFIGURED",
        ),
        (
            "POST",
            "/v1.0-alpha1/lock/lockstore",
            r#"{"resourceId":"r"}"#,
            400,
            "ERR_MALFORMED_REQUEST",
        ),
        (
            "POST",
            "/v1.0-alpha1/unlock/lockstore",
            r#"{"resource_id":"r","lockOwner":"o"}"#,
            200,
            r#"{"status":1}"#,
        ),
        ("POST", "/v1.0/jobs/j", "{}", 400, "DAPR_SCHEDULER_SCHEDULE_EMPTY"),
        ("POST", "/v1.0/jobs/j", r#"{"name":"x"}"#, 400, "DAPR_SCHEDULER_JOB_NAME"),
        ("GET", "/v1.0/jobs/j", "", 500, "DAPR_SCHEDULER_GET_JOB"),
        ("DELETE", "/v1.0-alpha1/jobs/j", "", 204, ""),
        ("PUT", "/v1.0-alpha1/crypto/c/encrypt", "", 400, "missing header 'dapr-key-name'"),
        ("PUT", "/v1.0-alpha1/crypto/c/decrypt", "", 500, "ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED"),
        (
            "POST",
            "/v1.0-alpha2/conversation/nope/converse",
            "{}",
            400,
            "ERR_CONVERSATION_NOT_FOUND",
        ),
        ("PUT", "/v1.0/actors/t/1/method/m", "", 400, "ERR_ACTOR_NO_PLACEMENT"),
        ("POST", "/v1.0/actors/t/1/reminders/r", "{}", 400, "ERR_ACTOR_NO_PLACEMENT"),
        ("PUT", "/v1.0/metadata/k", "v", 204, ""),
        ("GET", "/v1.0/metadata", "", 200, r#""k":"v""#),
        ("PATCH", "/v1.0/invoke/a1/method/x%2Fy?q=1", "", 200, "PATCH /x/y?q=1"),
        ("GET", "/v1.0/invoke/nobody/method/x", "", 500, "ERR_DIRECT_INVOKE"),
        ("GET", "/v1.0/invoke/a1/method/missing", "", 404, "GET /missing"),
        ("GET", "/other", "", 404, "ERR_DIRECT_INVOKE"),
        ("POST", "/v1.0/shutdown", "", 204, ""),
    ] {
        let (found, text) = world.http(method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {text}");
        assert!(text.contains(expected), "{method} {path}: {text}");
        assert!(status != 204 || text.is_empty(), "{method} {path}: {text}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let world = World::start(Given::default()).await;
    let body = "x".repeat(100 << 10);
    let (status, text) = world.http("POST", "/v1.0/publish/pubsub/t", &body).await;
    assert_eq!(status, 500, "{text}");
    assert!(text.contains("in pubsub pubsub: stream too large"), "{text}");
    let (status, text) = world.http("PUT", "/v1.0/metadata/k", &body).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("ERR_BODY_READ"), "{text}");
    // What is streamed has no limit here.
    let (status, text) = world.http("POST", "/v1.0/invoke/a1/method/x", &body).await;
    assert_eq!((status, &*text), (200, "POST /x"));
}

#[tokio::test]
async fn only_who_has_the_token_is_served() {
    let world = World::start(Given { token: Some("t0ken"), ..Given::default() }).await;
    assert_eq!(world.http("GET", "/v1.0/healthz", "").await.0, 204);
    let refused = world.http("GET", "/v1.0/metadata", "").await;
    assert_eq!(refused, (401, "invalid api token\n".to_owned()));
    let request = Request::builder().header("dapr-api-token", "t0ken");
    let request = request.body(Full::default()).unwrap();
    assert_eq!(world.send("/v1.0/metadata", request).await.0, 200);
}
