//! Against a server that answers with what it was asked.

use std::convert::Infallible;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use trilby_dapr::{Code, Metadata};

use super::*;

/// A server that is there for as long as the test's runtime. It answers with the method, path,
/// headers that matter, and the body; `/large` with 64 bytes, `/STATUS` with that status.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(connection);
        }
    });
    format!("http://{address}")
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| head.headers.get(name).map_or("-", |value| value.to_str().unwrap());
    let shown = ["content-type", "accept", "x-token", "x-own", "traceparent"].map(header).join("|");
    let path = head.uri.path_and_query().unwrap().as_str();
    let text = match path {
        "/large" => "x".repeat(64),
        "/never" => std::future::pending().await,
        _ => format!("{} {path} {shown} {}", head.method, String::from_utf8_lossy(&body)),
    };
    let status = path.trim_start_matches('/').parse().unwrap_or(StatusCode::OK);
    Ok(Response::builder()
        .status(status)
        .header("x-several", "1")
        .header("x-several", "2")
        .header("location", "http://127.0.0.1:1/elsewhere")
        .body(text.into())
        .unwrap())
}

fn open(metadata: &[(&str, &str)]) -> Result<Http, String> {
    let component = Component::for_test("api", "bindings.http", metadata, 3);
    Http::open(&component).map_err(|error| error.to_string())
}

async fn invoke(
    http: &Http,
    operation: &str,
    metadata: &[(&str, &str)],
) -> Result<BindingReply, String> {
    let metadata: Metadata =
        metadata.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let request = InvokeBinding {
        binding: "api".to_owned(),
        operation: operation.to_owned(),
        data: Bytes::from_static(b"data"),
        metadata,
    };
    http.invoke(&CallContext::within(Duration::from_secs(30)), request).await.map_err(|error| {
        assert_eq!((error.code, &*error.reason), (Code::Internal, "ERR_INVOKE_OUTPUT_BINDING"));
        let begin = "error invoking output binding api: ";
        error.message.strip_prefix(begin).expect("daprd's words").to_owned()
    })
}

#[tokio::test]
async fn each_operation_is_a_method() {
    let http = open(&[("url", &server().await)]).unwrap();
    let json = "application/json; charset=utf-8";
    for (operation, method, has_body) in [
        ("create", "POST", true),
        ("post", "POST", true),
        ("put", "PUT", true),
        ("patch", "PATCH", true),
        ("get", "GET", false),
        ("delete", "DELETE", false),
        ("options", "OPTIONS", false),
        ("trace", "TRACE", false),
    ] {
        let reply = invoke(&http, operation, &[]).await.unwrap();
        let (kind, body) = if has_body { (json, "data") } else { ("-", "") };
        assert_eq!(reply.data, format!("{method} / {kind}|{json}|-|-|- {body}"));
    }
    assert_eq!(invoke(&http, "head", &[]).await.unwrap().data, "");
    assert_eq!(
        invoke(&http, "list", &[]).await.unwrap_err(),
        "binding api does not support operation list. supported operations:create get head post \
         put patch delete options trace"
    );
}

#[tokio::test]
async fn path_and_headers_are_the_guests_and_the_server_and_the_token_are_not() {
    let url = format!("{}/base/", server().await);
    let token = [("securityToken", "hunter2"), ("securityTokenHeader", "X-Token")];
    let http = open(&[[("url", url.as_str())].as_slice(), &token].concat()).unwrap();
    let metadata = [
        ("path", "//a?b=c"),
        ("Content-Type", "text/plain"),
        ("Accept", "*/*"),
        ("X-Own", "1"),
        ("x-own", "no header"),
        ("Host", "elsewhere"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
    ];
    let reply = invoke(&http, "post", &metadata).await.unwrap();
    assert_eq!(reply.data, "POST /base/a?b=c text/plain|*/*|hunter2|1|- data");
    let traced = invoke(&http, "get", &[("traceparent", "00-1"), ("Accept", "*/*")]).await.unwrap();
    assert_eq!(traced.data, "GET /base/ -|*/*|hunter2|-|00-1 ");
    let echoed = invoke(&http, "trace", &[("Accept", "*/*")]).await.unwrap();
    assert_eq!(echoed.data, "TRACE /base/ -|*/*|-|-|- ");
    for bad in [("X y", "1"), ("X-Own", "a\r\nb: c")] {
        let error = invoke(&http, "get", &[bad]).await.unwrap_err();
        assert!(error.ends_with("cannot be a header"), "{error}");
    }
    let error = invoke(&http, "get", &[("path", "a b")]).await.unwrap_err();
    assert_eq!(error, "`path` cannot be the path of a URL; percent-encode it");
}

#[tokio::test]
async fn a_status_is_an_error_unless_it_is_wanted() {
    let url = server().await;
    let strict = open(&[("url", &url)]).unwrap();
    let lenient = open(&[("url", &url), ("errorIfNot2XX", "false")]).unwrap();
    for path in ["404", "302"] {
        let error = invoke(&strict, "get", &[("path", path)]).await.unwrap_err();
        assert_eq!(error, format!("received status code {path}"));
    }
    let wanted = [("path", "404"), ("errorIfNot2XX", "false")];
    let replies =
        [invoke(&strict, "get", &wanted).await, invoke(&lenient, "get", &wanted[..1]).await];
    for reply in replies {
        let metadata = reply.unwrap().metadata;
        assert_eq!((&*metadata["statusCode"], &*metadata["status"]), ("404", "404 Not Found"));
        assert_eq!(metadata["X-Several"], "1, 2");
        assert!(metadata.contains_key("Content-Length") && metadata.contains_key("Date"));
    }
    let unwanted = [("path", "404"), ("errorIfNot2XX", "true")];
    invoke(&lenient, "get", &unwanted).await.unwrap_err();
}

#[tokio::test]
async fn an_answer_has_bounds() {
    let url = server().await;
    let large = [("path", "large")];
    let enough = open(&[("url", &url), ("maxResponseBodySize", "64")]).unwrap();
    assert_eq!(invoke(&enough, "get", &large).await.unwrap().data.len(), 64);
    let little = open(&[("url", &url), ("maxResponseBodySize", "63")]).unwrap();
    let error = invoke(&little, "get", &large).await.unwrap_err();
    assert_eq!(error, format!("the answer from {url} is larger than 63 bytes"));
    let hasty = open(&[("url", &url), ("responseTimeout", "50ms")]).unwrap();
    let error = invoke(&hasty, "get", &[("path", "never")]).await.unwrap_err();
    assert_eq!(error, format!("no answer from {url} within 50ms"));
    let nobody = open(&[("url", "http://127.0.0.1:1")]).unwrap();
    let error = invoke(&nobody, "get", &[]).await.unwrap_err();
    assert!(error.starts_with("no answer from http://127.0.0.1:1: "), "{error}");
}

#[test]
fn mistakes_are_pointed_at() {
    let with = |name: &str, value: &str| open(&[("url", "http://h"), (name, value)]).err().unwrap();
    let only = |url: &str| open(&[("url", url)]).err().unwrap();
    for (found, expected) in [
        (only(""), "a bindings.http needs the metadata `url`"),
        (only("ftp://h"), "`url` is `ftp://h`, which is none; write `https://host/path`"),
        (only("/path"), "`url` is `/path`, which is none; write `https://host/path`"),
        (
            only("http://a:hunter2@h"),
            "`url` has a name or a password in it; use `securityToken` and `securityTokenHeader`",
        ),
        (
            with("responseTimeout", "0"),
            "`responseTimeout` is `0`, which is no duration above zero; write 500ms or 10s",
        ),
        (
            with("maxResponseBodySize", "big"),
            "`maxResponseBodySize` is `big`; write a size such as 10Mi",
        ),
        (
            with("MTLSRootCA", "x"),
            "the embedded runtime trusts the certificates that this system trusts and has none of \
             its own; remove `MTLSRootCA`, or run the app with a daprd sidecar",
        ),
    ] {
        assert_eq!(found, format!("c.yaml:3: {expected}"));
    }
    let sizes = [("10Mi", 10 << 20), ("1k", 1000), ("-1", ANSWER_DEFAULT), ("0", ANSWER_DEFAULT)];
    for (text, bytes) in sizes {
        let http = open(&[("url", "http://h"), ("maxResponseBodySize", text)]).unwrap();
        assert_eq!(http.options.answer_bytes_max, bytes, "{text}");
    }
}

const ANSWER_DEFAULT: usize = 100 << 20;
