//! Calls of this app and of others, over real sockets.

mod policies;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use trilby_dapr::stream::whole;

use super::*;

/// An app that writes down what it gets.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

#[async_trait]
impl Inbound for Recorder {
    async fn deliver(&self, _: Request<Bytes>) -> Response<Bytes> {
        Response::default()
    }

    async fn invoke(&self, request: Request<ByteStream>) -> ServiceReply {
        let (head, body) = request.into_parts();
        let body = body.try_fold(String::new(), |all, piece| async move {
            Ok(all + std::str::from_utf8(&piece).unwrap())
        });
        let body = body.await.unwrap();
        let caller = head.headers.get("dapr-caller-app-id");
        let line = format!("{} {} {body:?} {caller:?}", head.method, head.uri);
        self.0.lock().unwrap().push(line);
        let mut headers = HeaderMap::new();
        headers.insert("keep-alive", "1".parse().unwrap());
        headers.insert("x-kept", "1".parse().unwrap());
        ServiceReply { status: StatusCode::ACCEPTED, headers, body: whole("done".into()) }
    }
}

fn apps(peers: &[(&str, String)]) -> Result<Apps, Error> {
    let apps = peers.iter().map(|(id, address)| ((*id).to_owned(), address.clone())).collect();
    Apps::open(&Options {
        app_id: "me".to_owned(),
        components: Vec::new(),
        configuration: None,
        defaults: Vec::new(),
        data_dir: "data".into(),
        env: BTreeMap::new(),
        apps,
    })
}

fn cx() -> CallContext {
    CallContext::within(Duration::from_secs(30))
}

fn post(app: &str, path: &str) -> InvokeService {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "text/plain".parse().unwrap());
    InvokeService {
        app: app.to_owned(),
        path: path.to_owned(),
        method: Method::POST,
        query: Some("q=1&r=%20".to_owned()),
        headers,
    }
}

async fn text(reply: ServiceReply) -> String {
    let pieces: Vec<Bytes> = reply.body.try_collect().await.unwrap();
    String::from_utf8(pieces.concat()).unwrap()
}

#[tokio::test]
async fn the_own_app_is_asked_directly() {
    let apps = apps(&[]).unwrap();
    let inbound = Arc::new(Recorder::default());
    let error = apps
        .invoke(&cx(), &Policies::default(), post("me", "x"), whole("".into()))
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.message,
        "failed to invoke, id: me, err: cannot invoke local endpoint: app channel not initialized"
    );
    let weak: Weak<dyn Inbound> = Arc::downgrade(&(Arc::clone(&inbound) as Arc<dyn Inbound>));
    apps.attach(weak);
    let mut request = post("me.default", "a/../b");
    request.headers.insert("dapr-caller-app-id", "forged".parse().unwrap());
    let reply =
        apps.invoke(&cx(), &Policies::default(), request, whole("body".into())).await.unwrap();
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.headers.keys().collect::<Vec<_>>(), ["x-kept"]);
    assert_eq!(text(reply).await, "done");
    assert_eq!(*inbound.0.lock().unwrap(), [r#"POST /b?q=1&r=%20 "body" None"#]);
    drop(inbound);
    let error = apps
        .invoke(&cx(), &Policies::default(), post("me", "x"), whole("".into()))
        .await
        .err()
        .unwrap();
    assert_eq!((error.code, &*error.reason), (Code::Internal, "ERR_DIRECT_INVOKE"));
}

#[tokio::test]
async fn apps_that_are_not_there_have_daprds_words() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let apps = apps(&[("down", format!("http://{address}"))]).unwrap();
    let down = format!("no answer from http://{address}: client error (Connect): ");
    for (app, path, why) in [
        ("nobody", "x", "couldn't find service: nobody"),
        ("me.elsewhere", "x", "couldn't find service: me.elsewhere"),
        ("", "x", "app id is empty"),
        ("a.b.c", "x", "invalid app id a.b.c"),
        ("down", "x", down.as_str()),
        ("down", "a#b", "rpc error: code = InvalidArgument desc = invalid method: "),
    ] {
        let error = apps
            .invoke(&cx(), &Policies::default(), post(app, path), whole("".into()))
            .await
            .err()
            .unwrap();
        let expected = format!("failed to invoke, id: {app}, err: {why}");
        assert!(error.message.starts_with(&expected), "{error}");
        assert_eq!((error.code, &*error.reason), (Code::Internal, "ERR_DIRECT_INVOKE"));
    }
}

#[test]
fn an_address_that_is_none_is_told() {
    for address in ["", "127.0.0.1:1", "https://a:1", "http://a:1/b", "http://u@a:1", "http://"] {
        let error = apps(&[("a", address.to_owned())]).err().unwrap().to_string();
        let expected = "the app `a` has the address";
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(apps(&[("a", "http://localhost:3000/".to_owned())]).is_ok());
}

/// A server that answers one connection with what it got.
async fn echo() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let answer = service_fn(|request: Request<hyper::body::Incoming>| async move {
            let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
            let line = format!(
                "{} {} {:?} {:?} {:?}",
                request.method(),
                request.uri(),
                header("dapr-caller-app-id"),
                header("content-length"),
                header("transfer-encoding"),
            );
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let text = format!("{line} {}", String::from_utf8_lossy(&body));
            let mut response = Response::new(Full::new(Bytes::from(text)));
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
            Ok::<_, Infallible>(response)
        });
        let connection = hyper::server::conn::http1::Builder::new();
        let _ = connection.serve_connection(TokioIo::new(socket), answer).await;
    });
    (address, task)
}

#[tokio::test]
async fn other_apps_are_asked_over_http() {
    let (address, server) = echo().await;
    let apps = apps(&[("other", format!("http://{address}"))]).unwrap();
    let cx = cx();
    let none = Policies::default();
    let ask = |request, body| apps.invoke(&cx, &none, request, body);
    let reply = ask(post("other", "a b"), whole("body".into())).await;
    // A space is none of a URL, so it is encoded.
    let reply = reply.unwrap();
    assert_eq!(reply.status, StatusCode::IM_A_TEAPOT);
    let line = r#"POST /a%20b?q=1&r=%20 Some("me") Some("4") None body"#;
    assert_eq!(text(reply).await, line);

    let pieces = stream::iter(["x", "y", "z"]).map(|piece| Ok(Bytes::from(piece))).boxed();
    let reply = ask(post("other", "s"), pieces).await.unwrap();
    let line = r#"POST /s?q=1&r=%20 Some("me") None Some("chunked") xyz"#;
    assert_eq!(text(reply).await, line);

    let get = InvokeService { method: Method::GET, query: None, ..post("other", "") };
    let reply = ask(get, whole(Bytes::new())).await.unwrap();
    assert_eq!(text(reply).await, r#"GET / Some("me") None None "#);

    let broken = stream::iter([Ok(Bytes::from("x")), Err(DaprError::invalid("no more"))]).boxed();
    let error = ask(post("other", "s"), broken).await.err().unwrap();
    assert!(error.message.ends_with("no more"), "{error}");
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn the_head_is_waited_for_until_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let apps = apps(&[("slow", format!("http://{}", silent.local_addr().unwrap()))]).unwrap();
    let error = apps
        .invoke(&cx(), &Policies::default(), post("slow", "x"), whole("".into()))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code, Code::DeadlineExceeded);
    assert_eq!(error.message, "the call of the app `slow` did not finish within the deadline");
}
