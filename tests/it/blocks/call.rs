//! `dapr_v1.call`: rpcs that have no function of their own.

use anyhow::Result;
use trilby_testkit::Backend;

use super::probe::Probe;

/// A field of a message in protobuf: bytes or a text of less than 128 bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(0);
    [&[number << 3 | 2, length], value].concat()
}

matrix!(an_rpc_without_a_function_is_called);

/// Ending a subscription that never was: a unary rpc that needs no component.
async fn an_rpc_without_a_function_is_called(backend: Backend) -> Result<()> {
    let app = Probe::granting("call", r#"call = ["UnsubscribeConfiguration"]"#);
    let app = app.serve_plain(backend).await?;
    let target = [("method", "UnsubscribeConfiguration"), ("metadata.x-test", "1")];
    let told = app.ask("/call/call", &target, field(2, b"never-was")).await?;
    if !backend.is_sidecar() {
        told.refused("UNIMPLEMENTED", "", "UnsubscribeConfiguration");
        return Ok(());
    }
    // `ok` is false, and so left out; the message is field 2.
    let told = told.done();
    assert_eq!(told.body.first(), Some(&18), "{told:?}");
    assert!(told.text().contains("never-was: subscription does not exist"), "{told:?}");
    Ok(())
}

matrix!(errors_of_an_rpc_are_daprs);

async fn errors_of_an_rpc_are_daprs(backend: Backend) -> Result<()> {
    let grants = r#"call = ["ListActorReminders", "NoSuchRpc"]"#;
    let app = Probe::granting("call", grants).serve_plain(backend).await?;
    let cases = [
        ("ListActorReminders", field(1, b"Probe"), "UNAVAILABLE", "placement service"),
        // What a daprd says that is too old for an rpc.
        ("NoSuchRpc", Vec::new(), "UNIMPLEMENTED", "does not know this operation"),
    ];
    for (rpc, request, code, part) in cases {
        let told = app.ask("/call/call", &[("method", rpc)], request).await?;
        // The embedded runtime knows none.
        let (code, part) = if backend.is_sidecar() { (code, part) } else { ("UNIMPLEMENTED", rpc) };
        assert_eq!(told.code, code, "{rpc}: {told:?}");
        assert!(told.text().contains(part), "{rpc}: {told:?}");
    }
    Ok(())
}

matrix!(rpcs_are_granted_by_name);

async fn rpcs_are_granted_by_name(backend: Backend) -> Result<()> {
    let app = Probe::granting("call", r#"call = ["ListActorReminders"]"#);
    let app = app.serve_plain(backend).await?;
    for rpc in ["UnsubscribeConfiguration", "listactorreminders", "ListActorRemindersX"] {
        let line = format!("call = [\"{rpc}\"]");
        app.ask("/call/call", &[("method", rpc)], "").await?.not_granted(&line);
    }
    // Whatever is granted: these have functions, by which grants are exact.
    for rpc in
        ["GetState", "SaveState", "InvokeService", "PublishEvent", "GetSecret", "SetMetadata"]
    {
        let told = app.ask("/call/call", &[("method", rpc)], "").await?;
        told.refused("PERMISSION_DENIED", "TRILBY_NOT_GRANTED", rpc);
    }
    for rpc in ["SubscribeTopicEventsAlpha1", "SubscribeConfiguration"] {
        let told = app.ask("/call/call", &[("method", rpc)], "").await?;
        assert!(matches!(&*told.code, "UNIMPLEMENTED" | "PERMISSION_DENIED"), "{rpc}: {told:?}");
        assert!(told.reason.starts_with("TRILBY_"), "{rpc}: {told:?}");
    }
    for rpc in ["", "../Health/Check", "Get State", "a/b", "\u{e4}", "A?b"] {
        let told = app.ask("/call/raw/call", &[("a", rpc)], "").await?;
        assert!(told.reason.starts_with("TRILBY_"), "{rpc:?}: {told:?}");
    }
    Ok(())
}
