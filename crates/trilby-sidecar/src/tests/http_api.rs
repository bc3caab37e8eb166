//! What goes over daprd's HTTP API.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;
use trilby_dapr::conversation::{Conversation, Converse};
use trilby_dapr::invoke::{INVOCATION_HEADER, Invocation, InvokeService, ServiceReply};
use trilby_dapr::runtime::RuntimeApi;
use trilby_dapr::stream::{ByteStream, whole};
use trilby_dapr::{CallContext, Code, Error, Result};

use super::fake::listen;
use super::{sidecar, within};
use crate::Sidecar;

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// What the fake was asked.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    target: String,
    headers: HeaderMap,
}

#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<Asked>>,
    answer: Mutex<(u16, &'static str)>,
    healthy: AtomicUsize,
    unread: Notify,
}

fn full(text: &'static str) -> Body {
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
}

impl Fake {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let target = head.uri.to_string();
        let asked = Asked { method: head.method, target: target.clone(), headers: head.headers };
        self.asked.lock().unwrap().push(asked);
        let path = head.uri.path();
        let mut response = Response::new(full(""));
        if path == "/v1.0/healthz/outbound" {
            let healthy = self.healthy.load(Ordering::SeqCst) > 0;
            *response.status_mut() =
                if healthy { StatusCode::NO_CONTENT } else { StatusCode::INTERNAL_SERVER_ERROR };
        } else if path.ends_with("/echo") {
            response.headers_mut().insert("x-app", "1".parse().unwrap());
            response.headers_mut().insert("connection", "x-hop".parse().unwrap());
            response.headers_mut().insert("x-hop", "1".parse().unwrap());
            *response.body_mut() = body.boxed_unsync();
        } else if path.ends_with("/never") {
            std::future::pending::<()>().await;
        } else if path.ends_with("/unread") {
            self.unread.notify_one();
            drop(body.collect().await);
        } else {
            let (status, text) = *self.answer.lock().unwrap();
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let json = "application/json".parse().unwrap();
            response.headers_mut().insert("content-type", json);
            if path.ends_with("/app") {
                response.headers_mut().insert("server", "app".parse().unwrap());
            }
            *response.body_mut() = full(text);
        }
        response
    }
}

async fn pair() -> (Arc<Fake>, Sidecar) {
    let fake = Arc::new(Fake::default());
    let (listener, address) = listen().await;
    let served = Arc::clone(&fake);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let fake = Arc::clone(&served);
            let service = service_fn(move |request| {
                let fake = Arc::clone(&fake);
                async move { Ok::<_, Infallible>(fake.answer(request).await) }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(socket), service));
        }
    });
    let port = address.port().to_string();
    let env = [("DAPR_GRPC_PORT", "1"), ("DAPR_HTTP_PORT", &port), ("DAPR_API_TOKEN", "t0")];
    (fake, sidecar(&env))
}

fn get(path: &str) -> InvokeService {
    InvokeService { app: "shop".into(), path: path.into(), ..InvokeService::default() }
}

async fn all(body: ByteStream) -> Result<Bytes> {
    let pieces: Vec<Result<Bytes>> = body.collect().await;
    Ok(pieces.into_iter().collect::<Result<Vec<_>>>()?.concat().into())
}

async fn invoked(sidecar: &Sidecar, path: &str) -> Result<ServiceReply> {
    sidecar.invoke_service(&within(10), get(path), whole(Bytes::new())).await
}

#[tokio::test]
async fn a_request_goes_through_as_it_is() {
    let (fake, sidecar) = pair().await;
    let mut request =
        InvokeService { method: Method::PATCH, query: Some("q=%201".into()), ..get("a%20b/echo") };
    request.headers.insert("x-mine", "1".parse().unwrap());
    request.headers.insert("traceparent", "mine".parse().unwrap());
    let cx = CallContext { traceparent: Some("00-1-2-01".into()), ..within(10) };
    let reply = sidecar.invoke_service(&cx, request, whole("body".into())).await.expect("served");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers.get("x-app").unwrap(), "1");
    for name in ["connection", "x-hop", "transfer-encoding"] {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
    assert_eq!(all(reply.body).await, Ok("body".into()));
    let asked = fake.asked.lock().unwrap()[0].clone();
    assert_eq!(
        (asked.method, asked.target.as_str()),
        (Method::PATCH, "/v1.0/invoke/shop/method/a%20b/echo?q=%201")
    );
    let header = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!((header("x-mine"), header("dapr-api-token")), (Some("1"), Some("t0")));
    assert_eq!((header("traceparent"), header("content-length")), (Some("00-1-2-01"), Some("4")));
    // Without it, an app that calls itself could pass for daprd.
    assert_eq!(header(INVOCATION_HEADER), Some("1"));
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let (_fake, sidecar) = pair().await;
    let (body, mut pieces) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let body_stream = stream::poll_fn(move |cx| pieces.poll_recv(cx)).boxed();
    let reply = sidecar.invoke_service(&within(10), get("echo"), body_stream).await;
    let mut reply = reply.expect("the head comes before the body's end").body;
    for piece in ["a", "bc"] {
        body.send(Ok(piece.into())).await.expect("is read");
        assert_eq!(reply.next().await, Some(Ok(piece.into())));
    }
    drop(body);
    assert_eq!(reply.next().await, None);
}

#[tokio::test]
async fn a_body_that_fails_is_no_whole_body() {
    let (fake, sidecar) = pair().await;
    let gone = Error::new(Code::DataLoss, "the guest is gone");
    let (body, mut pieces) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let body_stream = stream::poll_fn(move |cx| pieces.poll_recv(cx)).boxed();
    let cx = within(10);
    let call = sidecar.invoke_service(&cx, get("unread"), body_stream);
    let fail = async {
        fake.unread.notified().await;
        body.send(Ok("a".into())).await.expect("is read");
        body.send(Err(gone.clone())).await.expect("is read");
    };
    let (reply, ()) = tokio::join!(call, fail);
    assert_eq!(reply.err(), Some(gone));
}

#[tokio::test]
async fn daprds_failures_are_told_from_the_apps_answers() {
    let (fake, sidecar) = pair().await;
    let own =
        r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: shop, err: none"}"#;
    let other = r#"{"errorCode":"ERR_MINE","message":"of the app"}"#;
    for (status, code) in
        [(500, Code::Internal), (403, Code::PermissionDenied), (404, Code::NotFound)]
    {
        *fake.answer.lock().unwrap() = (status, own);
        let error = invoked(&sidecar, "x").await.err().expect("no answer of the app");
        assert_eq!((error.code, &*error.reason), (code, "ERR_DIRECT_INVOKE"));
    }
    for (status, text, path) in
        [(500, own, "app"), (200, own, "x"), (500, other, "x"), (500, "", "x"), (404, "no", "x")]
    {
        *fake.answer.lock().unwrap() = (status, text);
        let reply = invoked(&sidecar, path).await.expect("an answer of the app");
        assert_eq!(reply.status, status);
        assert_eq!(all(reply.body).await, Ok(text.into()));
    }
    *fake.answer.lock().unwrap() = (401, "invalid api token");
    let error = invoked(&sidecar, "x").await.err().expect("refused");
    assert_eq!((error.code, &*error.reason), (Code::Unauthenticated, "TRILBY_SIDECAR_TOKEN"));
}

#[tokio::test]
async fn nobody_and_silence_are_errors() {
    let (_fake, sidecar) = pair().await;
    let cx = CallContext::within(Duration::from_millis(50));
    let error = sidecar.invoke_service(&cx, get("never"), whole(Bytes::new())).await.err();
    assert_eq!(error.map(|error| error.code), Some(Code::DeadlineExceeded));
    let absent = super::sidecar(&[("DAPR_GRPC_PORT", "1"), ("DAPR_HTTP_PORT", "1")]);
    let error = invoked(&absent, "x").await.err().expect("nobody there");
    assert_eq!((error.code, &*error.reason), (Code::Unavailable, "TRILBY_SIDECAR_UNREACHABLE"));
    assert!(error.message.contains("127.0.0.1:1"), "{error}");
    assert!(!absent.is_outbound_ready(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn json_comes_whole_or_as_an_error() {
    let (fake, sidecar) = pair().await;
    let converse = || Converse { component: "a b".into(), request: "{}".into() };
    *fake.answer.lock().unwrap() = (200, r#"{"outputs":[]}"#);
    let reply = sidecar.converse(&within(10), converse()).await;
    assert_eq!(reply, Ok(r#"{"outputs":[]}"#.into()));
    let asked = fake.asked.lock().unwrap()[0].clone();
    assert_eq!(
        (asked.method, asked.target.as_str()),
        (Method::POST, "/v1.0-alpha2/conversation/a%20b/converse")
    );
    assert_eq!(asked.headers["content-type"], "application/json");
    *fake.answer.lock().unwrap() =
        (400, r#"{"errorCode":"ERR_CONVERSATION_NOT_FOUND","message":"m"}"#);
    let error = sidecar.converse(&within(10), converse()).await.expect_err("refused");
    assert_eq!((error.code, &*error.reason), (Code::InvalidArgument, "ERR_CONVERSATION_NOT_FOUND"));
    *fake.answer.lock().unwrap() = (200, r#"{"id":"a1"}"#);
    assert_eq!(sidecar.get_metadata(&within(10)).await, Ok(r#"{"id":"a1"}"#.into()));
    let metrics = sidecar.metrics();
    let blocks: Vec<_> =
        metrics.calls.iter().map(|call| (call.block, call.code, call.count)).collect();
    let expected =
        [("conversation", "OK", 1), ("conversation", "INVALID_ARGUMENT", 1), ("runtime", "OK", 1)];
    assert_eq!(blocks, expected);
}

#[tokio::test]
async fn health_is_asked_once_for_many() {
    let (fake, sidecar) = pair().await;
    let probes = || fake.asked.lock().unwrap().len();
    let long = Duration::from_secs(10);
    assert!(!sidecar.is_outbound_ready(long).await);
    assert!(!sidecar.is_ready());
    fake.healthy.store(1, Ordering::SeqCst);
    while !sidecar.is_outbound_ready(long).await {
        tokio::task::yield_now().await;
    }
    assert!(sidecar.is_ready());
    // It was asked when the answer was first wanted, and when that had grown old.
    assert_eq!(probes(), 2);
    let many: Vec<_> = (0..20).map(|_| sidecar.is_outbound_ready(long)).collect();
    assert!(futures_util::future::join_all(many).await.into_iter().all(|is_ready| is_ready));
    assert!(probes() <= 3, "{}", probes());
}
