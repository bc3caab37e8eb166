//! `APP_API_TOKEN`: who does not show it delivers nothing, over HTTP or gRPC.

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use trilby_testkit::{Answer, Client, Options, free_port};

use super::app::Way;
use super::setup::Setup;

const TOKEN: &str = "to-the-app";

fn token() -> Vec<(String, String)> {
    vec![("APP_API_TOKEN".to_owned(), TOKEN.to_owned())]
}

ways!(daprd_shows_the_token: http Http, grpc Grpc);

async fn daprd_shows_the_token(way: Way) -> Result<()> {
    let options = Options { env: token(), daprd_env: token(), ..Options::default() };
    let setup = Setup::new(&["topic = \"pubsub/t\""]).and("pubsub", "publish = [\"pubsub\"]");
    let app = setup.options(options).serve(way).await?;
    app.publish("t", "event").await?;
    let event = app.first("event").await?;
    assert!(!event.has("HTTP_DAPR_API_TOKEN"), "the guest sees the token");
    Ok(())
}

/// Serves with a sidecar that is not there, for requests that pretend to come from it.
async fn guarded() -> Result<(trilby_testkit::Trilby, tempfile::TempDir)> {
    let routes = [
        "topic = \"pubsub/t\"",
        "binding = \"tick\"",
        "job = \"report\"",
        "configuration = \"configuration/k\"",
        "path = \"/open\"",
    ];
    let folder = Setup::new(&routes).write()?;
    let trilby = trilby_testkit::Launch::new(folder.path(), folder.path())
        .env("DAPR_GRPC_PORT", free_port()?.to_string())
        .env("APP_API_TOKEN", TOKEN)
        .start()
        .await?;
    Ok((trilby, folder))
}

const NONE: &[(&str, &str)] = &[];
const WRONG: &[(&str, &str)] = &[("dapr-api-token", "to-the-apq")];
const RIGHT: &[(&str, &str)] = &[("dapr-api-token", TOKEN)];

#[tokio::test]
async fn over_http_a_delivery_needs_the_token() -> Result<()> {
    let (trilby, folder) = guarded().await?;
    let envelope = r#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":"forged"}"#;
    let change = r#"{"id":"1","items":{"k":{"value":"forged","version":"1"}}}"#;
    let deliveries = [
        ("/dapr/events/pubsub/t", envelope),
        ("/tick", "forged"),
        ("/job/report", "forged"),
        ("/configuration/configuration/k", change),
    ];
    for (path, body) in deliveries {
        for headers in [NONE, WRONG] {
            let answer = trilby.http.send(Method::POST, path, headers, body).await?;
            assert_eq!(answer.status, 401, "{path} {headers:?}: {}", answer.text());
        }
    }
    assert!(!folder.path().join("out/forged.1.json").exists());
    for (number, (path, body)) in deliveries.iter().enumerate() {
        let answer = trilby.http.send(Method::POST, path, RIGHT, *body).await?;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text());
        assert!(folder.path().join(format!("out/forged.{}.json", number + 1)).exists(), "{path}");
    }
    // Clients of the app know nothing of it.
    assert_eq!(trilby.http.post("/open", "client").await?.status, 204);
    Ok(())
}

/// A call of gRPC with an empty message, and the status of its answer: that of one which fails at
/// once is in the head.
async fn rpc(http: &Client, method: &str, headers: &[(&str, &str)]) -> Result<(Answer, String)> {
    let headers = [&[("content-type", "application/grpc"), ("te", "trailers")], headers].concat();
    let path = format!("/dapr.proto.runtime.v1.{method}");
    let frame = Bytes::from_static(&[0; 5]);
    let answer = http.send(Method::POST, &path, &headers, frame).await?;
    let status = answer.header("grpc-status").unwrap_or("0").to_owned();
    Ok((answer, status))
}

#[tokio::test]
async fn over_grpc_a_call_needs_the_token() -> Result<()> {
    const UNAUTHENTICATED: &str = "16";
    const UNIMPLEMENTED: &str = "12";
    let (trilby, folder) = guarded().await?;
    let http = Client::http2(&format!("http://{}", trilby.address));
    for method in [
        "AppCallback/OnTopicEvent",
        "AppCallback/OnBulkTopicEvent",
        "AppCallback/OnBindingEvent",
        "AppCallback/OnInvoke",
        "AppCallback/OnJobEvent",
        "AppCallbackAlpha/OnBulkTopicEventAlpha1",
        "AppCallbackAlpha/OnJobEventAlpha1",
    ] {
        for headers in [NONE, WRONG] {
            let (answer, status) = rpc(&http, method, headers).await?;
            assert_eq!(answer.status, 200, "{method}");
            assert_eq!(status, UNAUTHENTICATED, "{method} {headers:?}");
            assert!(!format!("{:?}", answer.headers).contains(TOKEN), "{:?}", answer.headers);
        }
    }
    // daprd asks these without its token.
    for headers in [NONE, RIGHT] {
        let (answer, status) = rpc(&http, "AppCallback/ListTopicSubscriptions", headers).await?;
        assert_eq!(status, "0");
        assert!(answer.text().contains("pubsub"), "{:?}", answer.body);
        let (answer, status) = rpc(&http, "AppCallback/ListInputBindings", headers).await?;
        assert_eq!(status, "0");
        assert!(answer.text().contains("tick"), "{:?}", answer.body);
        let health = "AppCallbackHealthCheck/HealthCheck";
        assert_eq!(rpc(&http, health, headers).await?.1, "0");
    }
    let (_, status) = rpc(&http, "AppCallback/NoSuchRpc", RIGHT).await?;
    assert_eq!(status, UNIMPLEMENTED);
    assert_eq!(std::fs::read_dir(folder.path().join("out"))?.count(), 0);
    Ok(())
}

/// Without a sidecar there is nobody who may call.
#[tokio::test]
async fn an_app_without_a_sidecar_has_no_app_channel() -> Result<()> {
    let folder = Setup::new(&["path = \"/...\"", "job = \"report\""]).write()?;
    let trilby = trilby_testkit::Launch::new(folder.path(), folder.path()).start().await?;
    let http = Client::http2(&format!("http://{}", trilby.address));
    let (answer, _) = rpc(&http, "AppCallback/ListTopicSubscriptions", NONE).await?;
    assert_eq!((answer.status.as_u16(), answer.header("grpc-status")), (204, None));
    // Then these are paths like any other.
    assert_eq!(trilby.http.post("/job/report", "forged").await?.status, 204);
    let record = std::fs::read_to_string(folder.path().join("out/forged.1.json"))?;
    assert!(record.contains(r#""TRILBY_TRIGGER":"http""#), "{record}");
    Ok(())
}
