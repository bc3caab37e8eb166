//! Another app that serves HTTP, as one of a Dapr SDK does.

use std::convert::Infallible;

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::world::{Given, World};

/// Serves an app that subscribes to a topic, and gives what is posted to it.
async fn serve(listener: TcpListener, events: mpsc::Sender<(String, String)>) {
    let (stream, _) = listener.accept().await.unwrap();
    let service = service_fn(move |request: Request<Incoming>| {
        let events = events.clone();
        async move {
            let path = request.uri().path().to_owned();
            let answer = match (request.method(), &*path) {
                (&Method::GET, "/dapr/subscribe") => {
                    r#"[{"pubsubname":"pubsub","topic":"t","route":"orders"}]"#
                }
                _ => {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let body = String::from_utf8(body.into()).unwrap();
                    events.send((path, body)).await.unwrap();
                    r#"{"status":"SUCCESS"}"#
                }
            };
            Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from(answer)))
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    http.serve_connection(TokioIo::new(stream), service).await.unwrap();
}

#[tokio::test]
async fn an_app_gets_what_it_subscribes_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (events, mut posted) = mpsc::channel(8);
    tokio::spawn(serve(listener, events));
    let world = World::start(Given { app: Some(address), ..Given::default() }).await;
    // It is not told when the subscription begins.
    let (path, body) = loop {
        world.http("POST", "/v1.0/publish/pubsub/t", "hi").await;
        if let Ok(event) = posted.try_recv() {
            break event;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(path, "/orders");
    assert!(body.contains(r#""data":"hi""#), "{body}");
}
