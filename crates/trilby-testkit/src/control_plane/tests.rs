use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use super::ControlPlane;
use crate::{Backend, Components, Daprd, DaprdOptions, until};

type Calls = Arc<Mutex<Vec<String>>>;

/// Keeps every request as `METHOD path body`. It hosts the actor type `thing`.
async fn app() -> (u16, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Calls::default();
    let kept = Arc::clone(&calls);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let kept = Arc::clone(&kept);
            let answer = service_fn(move |request| answer(request, Arc::clone(&kept)));
            tokio::spawn(async move {
                // daprd closes the connection when it ends.
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
            });
        }
    });
    (port, calls)
}

async fn answer(
    request: Request<Incoming>,
    calls: Calls,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = head.uri.path().to_owned();
    let call = format!("{} {path} {}", head.method, String::from_utf8_lossy(&body));
    calls.lock().unwrap().push(call);
    let config = r#"{"entities":["thing"]}"#;
    Ok(Response::new(Full::from(if path == "/dapr/config" { config } else { "" })))
}

async fn received(calls: &Calls, wanted: &str) {
    let found = || calls.lock().unwrap().iter().any(|call| call == wanted).then_some(());
    let outcome = until(wanted, || std::future::ready(found())).await;
    outcome.unwrap_or_else(|error| panic!("{error}: {:?}", calls.lock().unwrap()));
}

#[tokio::test]
async fn jobs_and_reminders_come_to_the_app() {
    if ControlPlane::is_left_out() || Backend::DaprdMemory.is_left_out() {
        return;
    }
    let plane = ControlPlane::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let resources = folder.path().join("components");
    Components::default().with_actor_state().write(&resources).unwrap();
    let (port, calls) = app().await;
    let mut options = DaprdOptions::new("plane", resources, folder.path()).unwrap();
    options.app_port = Some(port);
    options.control_plane = Some(plane.address.clone());
    let daprd = Daprd::start(&options).await.unwrap();

    let json = [("content-type", "application/json")];
    let post = async |path: &str, body: &'static str| {
        let answer = daprd.http.send(Method::POST, path, &json, body).await.unwrap();
        assert_eq!(answer.status, 204, "{path}: {}\n{}", answer.text(), daprd.output());
    };
    post("/v1.0/jobs/soon", r#"{"data":{"a":1},"dueTime":"100ms"}"#).await;
    received(&calls, r#"POST /job/soon {"a":1}"#).await;
    post("/v1.0/actors/thing/7/reminders/wake", r#"{"data":"up","dueTime":"100ms"}"#).await;
    let reminder = r#"{"data":"up","dueTime":"","period":""}"#;
    received(&calls, &format!("PUT /actors/thing/7/method/remind/wake {reminder}")).await;
}

#[tokio::test]
async fn a_daprd_with_every_component_is_healthy() {
    if crate::Redis::is_left_out() || Backend::DaprdRedis.is_left_out() {
        return;
    }
    let redis = crate::Redis::start(&std::env::var("TRILBY_TEST_REDIS").unwrap()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let resources = folder.path().join("components");
    Components::of(Backend::DaprdRedis, Some(redis.port), folder.path())
        .with_configuration()
        .with_lock()
        .with_crypto(folder.path())
        .with_conversation()
        .write(&resources)
        .unwrap();
    let mut options = DaprdOptions::new("all", resources, folder.path()).unwrap();
    options.api_token = Some("token".to_owned());
    options.max_body_size = Some("64Ki".to_owned());
    let daprd = Daprd::start(&options).await.unwrap();
    let send = async |path: &str, headers: &[(&str, &str)], body: Bytes| {
        let method = if path.contains("/crypto/") { Method::PUT } else { Method::GET };
        let headers: Vec<_> =
            headers.iter().copied().chain([("dapr-api-token", "token")]).collect();
        daprd.http.send(method, path, &headers, body).await.unwrap()
    };
    assert_eq!(daprd.http.get("/v1.0/metadata").await.unwrap().status, 401);

    redis.set("colour", "blue||2").await.unwrap();
    let items = send("/v1.0/configuration/configuration?key=colour", &[], Bytes::new()).await;
    assert_eq!(items.text().trim(), r#"{"colour":{"value":"blue","version":"2"}}"#);

    let key = [("dapr-key-name", "aes"), ("dapr-key-wrap-algorithm", "A256KW")];
    let crypto = "/v1.0-alpha1/crypto/crypto";
    let sealed = send(&format!("{crypto}/encrypt"), &key, Bytes::from_static(b"plain")).await;
    assert_eq!(sealed.status, 200, "{}", sealed.text());
    let opened = send(&format!("{crypto}/decrypt"), &[], sealed.body).await;
    assert_eq!(opened.text(), "plain");
}
