//! `dapr_invoke_v1`: paths, headers and verbs that would mean more than they say never leave the
//! host.

use anyhow::Result;
use trilby_testkit::Backend;

use super::invoke::call;
use super::neighbour::Neighbour;

/// Each leads somewhere else for somebody on the way.
const TRICKS: [&str; 31] = [
    "show/a/../b",
    "show/a/..",
    "..",
    "../show/a",
    "show/./a",
    "show/a/.",
    "show//a",
    "show/a/",
    "//show/a",
    "show/a/%2e%2e/b",
    "show/a/%2E%2e/b",
    "show/a/.%2e/b",
    "show/a/%252e%252e/b",
    "show/a%2f..%2fb",
    "show/a%2Fb",
    "show/a%5c..%5cb",
    "show/a\\..\\b",
    "show/a/..;x/b",
    "show/a?b=c",
    "show/a%3fb",
    "show/a#b",
    "show/a%23b",
    "show/a\r\nHost: b",
    "show/a%0d%0a",
    "show/a\0",
    "show/a%00",
    "show/a b",
    "show/a%",
    "show/a%zz",
    "show/%61",
    "show/ä",
];

matrix!(a_path_that_means_another_is_refused);

async fn a_path_that_means_another_is_refused(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    for method in TRICKS {
        for function in ["call", "open"] {
            let path = format!("/invoke/raw/{function}");
            let told = app.ask(&path, &[("a", &*neighbour.id), ("b", method)], "").await?;
            assert_eq!(told.code, "INVALID_ARGUMENT", "{function} {method:?}: {told:?}");
            assert_eq!(told.reason, "TRILBY_INVALID_ARGUMENT", "{function} {method:?}: {told:?}");
        }
    }
    assert_eq!(neighbour.requests(), 0);
    // What only looks odd goes through as it is.
    for (method, path_info) in
        [("show/a...b", "/a...b"), ("show/%C3%A4", "/ä"), ("show/a;b", "/a;b")]
    {
        let told = call(&app, &neighbour.id, method, &[], "").await?.done();
        let shown = crate::shown::Shown::parse(&told.text())?;
        shown.has(&[("PATH_INFO", Some(path_info))]);
    }
    Ok(())
}

matrix!(a_grant_is_not_widened_by_a_path);

async fn a_grant_is_not_widened_by_a_path(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("/show/a/*").serve_plain(backend).await?;
    call(&app, &neighbour.id, "show/a/b", &[], "").await?.done();
    for method in ["show/a/../b", "show/a/%2e%2e/b", "show/a/..%2fb", "SHOW/a/b", "show/%61/b"] {
        let told = call(&app, &neighbour.id, method, &[], "").await?;
        let is_refused = matches!(&*told.code, "INVALID_ARGUMENT" | "PERMISSION_DENIED");
        assert!(is_refused && told.reason.starts_with("TRILBY_"), "{method}: {told:?}");
    }
    Ok(())
}

matrix!(headers_of_others_are_refused);

async fn headers_of_others_are_refused(backend: Backend) -> Result<()> {
    let neighbour = Neighbour::start(backend).await?;
    let app = neighbour.probe("").serve_plain(backend).await?;
    let lines = [
        "header.Host: other",
        "header.content-length: 5",
        "header.Connection: close",
        "header.keep-alive: 1",
        "header.transfer-encoding: chunked",
        "header.upgrade: h2c",
        "header.te: trailers",
        "header.trailer: x",
        "header.proxy-authorization: x",
        "header.dapr-app-id: other",
        "header.Dapr-Api-Token: x",
        "header.dapr-caller-app-id: admin",
        "header.traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "header.a b: x",
        "header.: x",
        "header.x: a\u{1}b",
        "verb: GE T",
        "verb: ",
        "verb: GET / HTTP/1.1",
        "query: a b",
        "query: a#b",
        "metadata.x: y",
        "etag: 1",
        "timeout: 1s",
        "header.x: 1\nheader.X: 2",
    ];
    for line in lines {
        for function in ["call", "open"] {
            let path = format!("/invoke/raw/{function}");
            let target = [("a", &*neighbour.id), ("b", "show"), ("options", line)];
            let told = app.ask(&path, &target, "").await?;
            assert_eq!(told.code, "INVALID_ARGUMENT", "{function} {line:?}: {told:?}");
            assert_eq!(told.reason, "TRILBY_INVALID_ARGUMENT", "{function} {line:?}: {told:?}");
        }
    }
    assert_eq!(neighbour.requests(), 0);
    Ok(())
}
