//! A daprd that is absent, slow, restarting, too old, or says no.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use prost::Message as _;
use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::Status;
use tonic::transport::Server;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::proto::runtime::v1::dapr_server::DaprServer;
use trilby_dapr::runtime::{Call, RuntimeApi};
use trilby_dapr::state::{SaveState, State, StateItem};
use trilby_dapr::{CallContext, Code, Metadata};

use super::fake::{Fake, listen, pair, serve};
use super::{read, sidecar, within};

#[tokio::test]
async fn a_call_carries_token_trace_and_message() {
    let (fake, sidecar, _daemon) = pair(&[("DAPR_API_TOKEN", "t0")]).await;
    let cx = CallContext { traceparent: Some("00-1-2-01".into()), ..within(10) };
    sidecar.get_state(&cx, read("k")).await.expect("served");
    let (message, metadata) = fake.asked::<runtime::GetStateRequest>();
    assert_eq!((message.store_name.as_str(), message.key.as_str()), ("s", "k"));
    let header = |name: &str| metadata.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("dapr-api-token"), Some("t0"));
    assert_eq!(header("traceparent"), Some("00-1-2-01"));
    assert!(header("grpc-timeout").is_some());
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let folder = tempfile::tempdir().expect("can write");
    let path = folder.path().join("dapr.socket");
    let listener = UnixListener::bind(&path).expect("can bind");
    let server = Server::builder().add_service(DaprServer::new(Fake::default()));
    let _server = tokio::spawn(server.serve_with_incoming(UnixListenerStream::new(listener)));
    let sidecar = sidecar(&[("DAPR_GRPC_ENDPOINT", &format!("unix://{}", path.display()))]);
    assert!(sidecar.address().starts_with("unix:/"), "{}", sidecar.address());
    sidecar.get_state(&within(10), read("k")).await.expect("served");
}

#[tokio::test]
async fn a_sidecar_that_is_late_or_restarts_heals_by_itself() {
    let (listener, address) = listen().await;
    drop(listener);
    let sidecar = sidecar(&[("DAPR_GRPC_PORT", &address.port().to_string())]);
    for _round in 0..2 {
        let error = sidecar.get_state(&within(10), read("k")).await.expect_err("nobody there");
        assert_eq!(error.code, Code::Unavailable, "{error}");
        assert_eq!(error.reason, "TRILBY_SIDECAR_UNREACHABLE");
        assert!(!sidecar.is_ready());
        let listener = TcpListener::bind(address).await.expect("still free");
        let server = serve(listener, Arc::default());
        // Calls within the back-off fail at once.
        while sidecar.get_state(&within(10), read("k")).await.is_err() {
            tokio::task::yield_now().await;
        }
        assert!(sidecar.is_ready());
        drop(server);
        // A call may still be answered until the old runtime's threads are gone.
        while sidecar.get_state(&within(10), read("k")).await.is_ok() {}
        while sidecar.is_ready() {
            let _ = sidecar.get_state(&within(10), read("k")).await;
        }
    }
    let metrics = sidecar.metrics();
    assert_eq!((metrics.connects, metrics.reconnects), (2, 1));
    assert!(metrics.connect_failures >= 2, "{metrics:?}");
}

#[tokio::test]
async fn a_call_under_way_when_the_sidecar_ends_is_unavailable() {
    let (fake, sidecar, daemon) = pair(&[]).await;
    let sidecar = Arc::new(sidecar);
    let silent = tokio::spawn({
        let sidecar = Arc::clone(&sidecar);
        async move { sidecar.get_state(&within(60), read("never")).await }
    });
    fake.is_silent.notified().await;
    drop(daemon);
    let error = silent.await.expect("no panic").expect_err("broken off");
    assert_eq!(error.code, Code::Unavailable, "{error:?}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_leaves_other_calls_alone() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let sidecar = Arc::new(sidecar);
    let answered = Arc::new(AtomicUsize::new(0));
    let silent = tokio::spawn({
        let sidecar = Arc::clone(&sidecar);
        async move { sidecar.get_state(&within(1), read("never")).await }
    });
    fake.is_silent.notified().await;
    for _ in 0..10 {
        sidecar.get_state(&within(10), read("k")).await.expect("served");
        answered.fetch_add(1, Ordering::Relaxed);
    }
    let error = silent.await.expect("no panic").expect_err("never answered");
    assert_eq!((error.code, &*error.reason), (Code::DeadlineExceeded, "TRILBY_DEADLINE"));
    assert_eq!(answered.load(Ordering::Relaxed), 10);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_counted_as_cancelled() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    let cx = within(60);
    tokio::select! {
        _ = sidecar.get_state(&cx, read("never")) => panic!("never answers"),
        () = fake.is_silent.notified() => {}
    }
    let metrics = sidecar.metrics();
    assert_eq!(metrics.in_flight, 0);
    assert_eq!((metrics.calls[0].block, metrics.calls[0].code), ("state", "CANCELLED"));
}

#[tokio::test]
async fn messages_over_a_limit_are_told_with_the_setting() {
    let (fake, small, _daemon) = pair(&[("TRILBY_DAPR_MAX_MESSAGE", "64Ki")]).await;
    let save = |bytes: usize| SaveState {
        store: "s".into(),
        items: vec![StateItem { value: vec![0; bytes].into(), ..StateItem::default() }],
    };
    let error = small.save_state(&within(10), save(65 << 10)).await.expect_err("too large");
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_MESSAGE_TOO_LARGE"));
    assert!(error.message.contains("--max-body-size"), "{error}");
    assert_eq!(small.save_state(&within(10), save(60 << 10)).await, Ok(()));
    fake.will_fail(Status::resource_exhausted("grpc: received message larger than max (5 vs. 4)"));
    let error = small.save_state(&within(10), save(1)).await.expect_err("refused");
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_MESSAGE_TOO_LARGE"));
    let data = Bytes::from(vec![0; 65 << 20]);
    fake.will(runtime::GetStateResponse { data, ..runtime::GetStateResponse::default() });
    let error = small.get_state(&within(60), read("k")).await.expect_err("too large");
    assert_eq!((error.code, &*error.reason), (Code::ResourceExhausted, "TRILBY_MESSAGE_TOO_LARGE"));
}

#[tokio::test]
async fn any_rpc_can_be_called_with_its_bytes() {
    let (fake, sidecar, _daemon) = pair(&[("DAPR_API_TOKEN", "t0")]).await;
    let call = |rpc: &str, request: Bytes| Call {
        rpc: rpc.into(),
        request,
        metadata: Metadata::from([("x-tenant".into(), "a".into())]),
    };
    let answer = runtime::GetSecretResponse { data: [("k".into(), "v".into())].into() };
    fake.will(answer.clone());
    let asked =
        runtime::GetSecretRequest { key: "k".into(), ..runtime::GetSecretRequest::default() };
    let reply = sidecar.call(&within(10), call("GetSecret", asked.encode_to_vec().into())).await;
    assert_eq!(reply.expect("served"), answer.encode_to_vec());
    let (message, metadata) = fake.asked::<runtime::GetSecretRequest>();
    assert_eq!(message, asked);
    assert_eq!(metadata.get("x-tenant").map(|value| value.as_bytes()), Some(&b"a"[..]));
    assert!(metadata.get("dapr-api-token").is_some());
    let error = sidecar.call(&within(10), call("Nope", Bytes::new())).await;
    assert_eq!(error.expect_err("unknown").code, Code::Unimplemented);
    let error = sidecar.call(&within(10), call("../x", Bytes::new())).await;
    assert_eq!(error.expect_err("no name").code, Code::InvalidArgument);
    let error = sidecar.call(&within(10), call("GetSecret", vec![0; 5 << 20].into())).await;
    assert_eq!(error.expect_err("too large").code, Code::ResourceExhausted);
}

#[tokio::test]
async fn the_app_channels_port_is_read() {
    let (fake, sidecar, _daemon) = pair(&[]).await;
    assert_eq!(sidecar.app_channel_port().await, Ok(0));
    let app_connection_properties =
        Some(runtime::AppConnectionProperties { port: 8080, ..<_>::default() });
    fake.will(runtime::GetMetadataResponse { app_connection_properties, ..<_>::default() });
    assert_eq!(sidecar.app_channel_port().await, Ok(8080));
}
