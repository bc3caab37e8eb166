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

/// Wrapping a key with `crypto`: a unary rpc that needs no control plane.
async fn an_rpc_without_a_function_is_called(backend: Backend) -> Result<()> {
    let app = Probe::granting("call", r#"call = ["SubtleWrapKeyAlpha1", "SubtleUnwrapKeyAlpha1"]"#);
    let app = app.serve(backend, |components, folder| components.with_crypto(folder)).await?;
    let request =
        [field(1, b"crypto"), field(2, b"0123456789abcdef"), field(3, b"A256KW"), field(4, b"aes")]
            .concat();
    let target = [("method", "SubtleWrapKeyAlpha1"), ("metadata.x-test", "1")];
    let told = app.ask("/call/call", &target, request).await?;
    if !backend.is_sidecar() {
        told.refused("UNIMPLEMENTED", "", "SubtleWrapKeyAlpha1");
        return Ok(());
    }
    // RFC 3394 makes 24 bytes of 16; they are field 1.
    let told = told.done();
    assert_eq!((told.body.len(), &told.body[..2]), (26, &[10, 24][..]), "{told:?}");
    let request =
        [field(1, b"crypto"), field(2, &told.body[2..]), field(3, b"A256KW"), field(4, b"aes")]
            .concat();
    let told = app.ask("/call/call", &[("method", "SubtleUnwrapKeyAlpha1")], request).await?.done();
    assert_eq!(told.body, field(1, b"0123456789abcdef"));
    Ok(())
}

matrix!(errors_of_an_rpc_are_daprs);

async fn errors_of_an_rpc_are_daprs(backend: Backend) -> Result<()> {
    let grants = r#"call = ["ListActorReminders", "NoSuchRpc", "SubtleWrapKeyAlpha1"]"#;
    let app = Probe::granting("call", grants).serve_plain(backend).await?;
    let cases = [
        ("ListActorReminders", field(1, b"Probe"), "UNAVAILABLE", "placement service"),
        ("SubtleWrapKeyAlpha1", field(1, b"none"), "INVALID_ARGUMENT", "none"),
        // What a daprd says that is too old for an rpc.
        ("NoSuchRpc", Vec::new(), "UNIMPLEMENTED", "NoSuchRpc"),
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
    for rpc in ["SubtleWrapKeyAlpha1", "listactorreminders", "ListActorRemindersX"] {
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
