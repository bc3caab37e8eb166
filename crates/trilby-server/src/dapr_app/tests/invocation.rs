//! Service invocation within the process.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Request;
use trilby_dapr::invoke::ServiceReply;
use trilby_dapr::stream::{ByteStream, whole};
use trilby_dapr::{Code, Error, Inbound};
use trilby_manifest::TopicOptions;

use crate::testing::{App, Says, Told};
use crate::{Service, ServiceHandle};

async fn invoke(
    service: &Arc<Service>,
    (method, path): (&str, &str),
    headers: &[(&'static str, &str)],
    body: ByteStream,
) -> ServiceReply {
    let mut request = Request::builder().method(method).uri(path);
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(body).expect("a request");
    ServiceHandle(Arc::clone(service)).invoke(request).await
}

async fn read(body: ByteStream) -> Vec<u8> {
    let chunks: Vec<_> = body.collect().await;
    chunks.into_iter().flat_map(|chunk| chunk.expect("a chunk")).collect()
}

#[tokio::test]
async fn a_request_reaches_the_apps_own_route() {
    let service = App::new().path("/a/...", Says::All).serve();
    let headers = [
        ("content-type", "text/x"),
        ("x-own", "1"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
    ];
    let body = || whole(Bytes::from_static(b"abc"));
    let reply = invoke(&service, ("PUT", "/a/b%20c?q=1"), &headers, body()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "text/plain");
    let told = Told::read(&read(reply.body).await);
    let expected = [
        ("TRILBY_TRIGGER", "http"),
        ("REQUEST_METHOD", "PUT"),
        ("PATH_INFO", "/b c"),
        ("QUERY_STRING", "q=1"),
        ("CONTENT_TYPE", "text/x"),
        ("CONTENT_LENGTH", "3"),
        ("SERVER_NAME", "here"),
        ("HTTP_X_OWN", "1"),
        ("HTTP_X_HOP", ""),
        ("HTTP_TE", ""),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name), value, "{name}");
    }
    assert_eq!(told.stdin, "abc");
}

#[tokio::test]
async fn a_body_streams_in() {
    let service = App::new().path("/", Says::All).serve();
    let late = stream::once(async {
        tokio::task::yield_now().await;
        Ok(Bytes::from_static(b"late"))
    });
    let reply = invoke(&service, ("POST", "/"), &[], late.boxed()).await;
    assert_eq!(Told::read(&read(reply.body).await).stdin, "late");
    let broken =
        stream::iter([Ok(Bytes::from_static(b"x")), Err(Error::new(Code::Unavailable, "gone"))]);
    let mut reply = invoke(&service, ("POST", "/"), &[], broken.boxed()).await;
    let mut failed = reply.status != 200;
    while let Some(chunk) = reply.body.next().await {
        failed |= chunk.is_err();
    }
    assert!(failed, "a body that broke off looks whole");
}

#[tokio::test]
async fn it_reaches_nothing_else() {
    let service = App::new()
        .topic("t", TopicOptions::default(), Says::All)
        .binding("b", Says::All)
        .job("j", Says::All)
        .configuration("k", Says::All)
        .serve();
    for path in ["/dapr/events/bus/t", "/b", "/job/j", "/configuration/config/k"] {
        let body = whole(Bytes::from_static(br#"{"items":{"k":{}}}"#));
        assert_eq!(invoke(&service, ("POST", path), &[], body).await.status, 404, "{path}");
    }
    for path in ["/dapr/subscribe", "/dapr/config", "/../job/j"] {
        assert_eq!(invoke(&service, ("GET", path), &[], whole(Bytes::new())).await.status, 404);
    }
    assert_eq!(invoke(&service, ("GET", "/healthz"), &[], whole(Bytes::new())).await.status, 200);
}

#[tokio::test]
async fn the_routes_limits_apply() {
    let service = App::new().path("/", Says::All).serve();
    let large = vec![b'x'; 11 << 20];
    let reply = invoke(&service, ("POST", "/"), &[], whole(large.into())).await;
    assert_eq!(reply.status, 413);
}
