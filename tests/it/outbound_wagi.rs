//! Outbound HTTP as `modules.toml` and WAGI's `_routes` have it.

use anyhow::Result;

use crate::outbound::{FETCH, RAW, module, query, serve_file};
use crate::outbound_server::Server;

fn entry(path: &str, guest: &str, keys: &str) -> String {
    let module = module(guest);
    format!("[[module]]\nroute = '{path}'\nmodule = '{module}'\n{keys}\n")
}

#[tokio::test]
async fn wagis_keys_do_what_they_say() -> Result<()> {
    let (server, other) = (Server::start().await?, Server::start().await?);
    // A path in a rule is without effect.
    let hosts = format!("allowed_hosts = ['{}']", server.url("/api/v1"));
    let manifest = [
        entry("/fetch", FETCH, &hosts),
        entry("/raw/...", RAW, &hosts),
        entry("/one/...", RAW, &format!("{hosts}\nhttp_max_concurrency = 1")),
        entry("/none/...", RAW, ""),
    ];
    let app = serve_file("modules.toml", &manifest.concat(), |launch| launch).await?;
    let url = server.url("/sized/4");
    assert_eq!(app.says("/fetch", &url).await?, "status: 200\ncontent-length: 4\n\nxxxx");
    assert_eq!(app.gets("/raw/req", &other.url("/sized/4")).await?, "req: 7");
    assert_eq!(app.gets("/none/req", &url).await?, "req: 7");
    for (path, opened) in [("/one/many", 1), ("/raw/many", 8)] {
        let many = query(path, &[("url", &url), ("count", "20")]);
        let lines = format!("opened: {opened}\nthen: code 13\nclose: 0\none more: ok\n");
        assert_eq!(app.answers(&many, "").await?, lines);
    }
    Ok(())
}

/// The word means the public hosts. What is private is named beside it.
#[tokio::test]
async fn allow_all_leaves_private_addresses_out() -> Result<()> {
    let server = Server::start().await?;
    let all = "'insecure:allow-all'";
    let manifest = [
        entry("/all/...", RAW, &format!("allowed_hosts = [{all}]")),
        entry("/named/...", RAW, &format!("allowed_hosts = [{all}, '{}']", server.url("/"))),
    ];
    let mut app = serve_file("modules.toml", &manifest.concat(), |launch| launch).await?;
    app.trilby.logged("`insecure:allow-all` lets the guest call every public host").await?;
    for host in ["127.0.0.1", "localhost", "127.1", "[::1]", "10.0.0.1", "169.254.169.254"] {
        let url = format!("http://{host}:{}/sized/4", server.port);
        assert_eq!(app.gets("/all/req", &url).await?, "req: 7", "{url}");
        // The rule was for it, and the address was not.
        app.trilby.logged(&format!("`http://{host}:{}` is at the private", server.port)).await?;
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(app.gets("/named/req", &server.url("/sized/4")).await?, "status: 200");
    assert_eq!(app.gets("/named/req", "http://127.0.0.2/").await?, "req: 7");
    Ok(())
}

/// When it is asked for its routes, the guest may call nobody: it says `/denied` if it was refused,
/// and `/done` if not. `_start` answers the code.
const ASKS: &str = r#"(module
    (import "wasi_experimental_http" "req"
        (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "content-type: text/plain\n\n0")
    (data (i32.const 128) "GET")
    (data (i32.const 192) "/denied _start\n")
    (data (i32.const 256) "/done _start\n\n\n")
    (data (i32.const 320) "URL")
    (func $call (result i32)
        (call $req (i32.const 320) (i32.const SIZE) (i32.const 128) (i32.const 3) (i32.const 0)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 20)))
    (func $say (param $at i32) (param $bytes i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $bytes))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_routes")
        (call $say
            (select (i32.const 192) (i32.const 256) (i32.eq (call $call) (i32.const 7)))
            (i32.const 15)))
    (func (export "_start")
        (i32.store8 (i32.const 90) (i32.add (i32.const 48) (call $call)))
        (call $say (i32.const 64) (i32.const 27))))"#;

#[tokio::test]
async fn a_module_that_is_asked_for_its_routes_calls_nobody() -> Result<()> {
    let server = Server::start().await?;
    let url = server.url("/sized/4");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("asks.wat");
    std::fs::write(&path, ASKS.replace("URL", &url).replace("SIZE", &url.len().to_string()))?;
    let hosts = format!("allowed_hosts = ['{}']", server.url(""));
    let path = path.display();
    let manifest = format!("[[module]]\nroute = '/...'\nmodule = '{path}'\n{hosts}\n");
    let app = serve_file("modules.toml", &manifest, |launch| launch).await?;
    assert_eq!(server.connections(), 0);
    assert!(app.trilby.output().contains("/denied"), "{}", app.trilby.output());
    // By then it may.
    assert_eq!(app.answers("/denied", "").await?, "0");
    assert_eq!(server.requests().len(), 1);
    Ok(())
}
