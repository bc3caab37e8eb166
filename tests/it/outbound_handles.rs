//! The responses that a guest holds, and what it may do to the imports.

use anyhow::Result;
use insta::assert_snapshot;

use crate::outbound::{App, RAW, query, route, serve};
use crate::outbound_server::Server;

async fn case(app: &App, name: &str, url: &str, other: &str) -> Result<String> {
    app.answers(&query(&format!("/raw/{name}"), &[("url", url), ("other", other)]), "").await
}

async fn app() -> Result<(App, Server)> {
    let app = serve(&[route("/raw/...", RAW, "allowed-hosts = ['http://127.0.0.1:*']")]).await?;
    Ok((app, Server::start().await?))
}

#[tokio::test]
async fn responses_are_apart_from_each_other() -> Result<()> {
    let (app, server) = app().await?;
    let lines = case(&app, "two", &server.url("/sized/5"), &server.url("/status/404")).await?;
    assert_snapshot!(lines, @r#"
    status: 200
    status: 404
    same handle: false
    a: "xxx"
    b: "bod"
    close b: 0
    rest of a: "xx"
    b after its close: code 1
    close a: 0
    "#);
    Ok(())
}

#[tokio::test]
async fn buffers_may_be_of_any_size() -> Result<()> {
    let (app, server) = app().await?;
    assert_snapshot!(case(&app, "pieces", &server.url("/chunked/8"), "").await?, @r#"
    status: 200
    into nothing: ""
    longest piece: 3
    body: "xxxxxxxx"
    at the end: ""
    close: 0
    "#);
    assert_snapshot!(case(&app, "small", &server.url("/head"), "").await?, @r#"
    status: 200
    length: 7
    x-test into 0: code 4
    x-test into 6: code 4
    x-test into 7: "a value"
    in capitals: "a value"
    x-absent: code 5
    not a name: code 5
    all into 1: code 4
    close: 0
    "#);
    Ok(())
}

#[tokio::test]
async fn a_handle_that_is_not_open_is_an_error() -> Result<()> {
    let (app, server) = app().await?;
    let lines = "body_read: code 1\nheader_get: code 1\nheaders_get_all: code 1\nclose: 0\n";
    for name in ["unknown", "negative"] {
        assert_eq!(case(&app, name, "", "").await?, lines, "{name}");
    }
    let closed = case(&app, "closed", &server.url("/head"), "").await?;
    assert_eq!(closed, format!("status: 200\nclose: 0\n{lines}"));
    Ok(())
}

/// Nothing is sent for such a request, and the guest goes on.
#[tokio::test]
async fn pointers_may_be_anything() -> Result<()> {
    let (app, server) = app().await?;
    assert_snapshot!(case(&app, "outside", &server.url("/head"), "").await?, @"
    url: 3
    end of the url: 3
    status: 3
    handle: 3
    status: 200
    body_read: 3
    headers_get_all: 3
    header_get: 3
    name: 3
    count: 3
    close: 0
    ");
    // The only request is the one with nothing wrong.
    assert_eq!(server.requests().len(), 1);
    Ok(())
}

/// Reads from each of the first handles, and answers `none` or traps.
const THIEF: &str = r#"(module
    (import "wasi_experimental_http" "body_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_experimental_http" "headers_get_all"
        (func $headers (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 64) "content-type: text/plain\n\nnone")
    (func (export "_start") (local $handle i32)
        (loop $more
            (if (i32.ne (i32.const 1)
                    (call $read (local.get $handle) (i32.const 1024) (i32.const 4096)
                        (i32.const 0)))
                (then unreachable))
            (if (i32.ne (i32.const 1)
                    (call $headers (local.get $handle) (i32.const 1024) (i32.const 65536)
                        (i32.const 0)))
                (then unreachable))
            (local.set $handle (i32.add (local.get $handle) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $handle) (i32.const 256))))
        (i32.store (i32.const 0) (i32.const 64))
        (i32.store (i32.const 4) (i32.const 30))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// Neither those that another request holds at this moment, nor those that it left open.
#[tokio::test]
async fn responses_of_other_requests_are_out_of_reach() -> Result<()> {
    let keys = "allowed-hosts = ['http://127.0.0.1:*']\nlimits = { deadline = '10m', \
                http-timeout = '10m' }";
    let folder = tempfile::tempdir()?;
    let thief = folder.path().join("thief.wat");
    std::fs::write(&thief, THIEF)?;
    let thief = thief.display();
    let thief = format!("[[route]]\npath = '/thief'\nmodule = '{thief}'\n{keys}\n");
    let app = serve(&[route("/raw/...", RAW, keys), thief]).await?;
    let server = Server::start().await?;

    let many = query("/raw/many", &[("url", &server.url("/head")), ("count", "3")]);
    assert_eq!(app.answers(&many, "").await?, "opened: 3\nthen: all\nclose: 0\none more: ok\n");
    assert_eq!(app.answers("/thief", "").await?, "none");

    let before = server.requests().len();
    let (head, gate) = (server.url("/head"), server.url("/gate"));
    let holder = case(&app, "two", &head, &gate);
    let thieves = async {
        server.has_requests(before + 2).await?;
        for _ in 0..4 {
            assert_eq!(app.answers("/thief", "").await?, "none");
        }
        server.open_gate();
        Ok(())
    };
    let (lines, _) = tokio::try_join!(holder, thieves)?;
    assert!(lines.contains("a: \"bod\"\n") && lines.contains("b: \"thr\"\n"), "{lines}");
    Ok(())
}

/// Without a memory that the host could find. It traps unless `req` says so, and answers nothing.
const SHAPELESS: &str = r#"(module
    (import "wasi_experimental_http" "req"
        (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (memory 1)
    (func (export "_start")
        (if (i32.ne (i32.const 2)
                (call $req (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
            (then unreachable))))"#;

#[tokio::test]
async fn a_guest_may_have_no_memory_to_show() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shapeless.wat");
    std::fs::write(&path, SHAPELESS)?;
    let route = format!("[[route]]\npath = '/'\nmodule = '{}'\n", path.display());
    let mut app = serve(&[route + "allowed-hosts = ['http://*']\n"]).await?;
    assert_eq!(app.trilby.http.get("/").await?.status, 502);
    app.trilby.logged("outcome=\"bad_output\"").await?;
    Ok(())
}
