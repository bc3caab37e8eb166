//! The client against a server that answers as daprd does, over TCP and a Unix socket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::proto::runtime::v1::dapr_server::{Dapr, DaprServer};
use trilby_dapr::state::{GetState, SaveState, StateItem};
use trilby_dapr::{Blocks, CallContext, Code};

use crate::{Sidecar, SidecarConfig};

/// Answers a read with what the request said; never answers one of the key `never`.
#[derive(Default)]
struct Fake {
    waiting: Notify,
}

#[tonic::async_trait]
impl Dapr for Fake {
    async fn get_state(
        &self,
        request: Request<runtime::GetStateRequest>,
    ) -> Result<Response<runtime::GetStateResponse>, Status> {
        let header = |name| {
            let value = request.metadata().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("-").to_owned()
        };
        let (token, trace) = (header("dapr-api-token"), header("traceparent"));
        let asked = request.into_inner();
        if asked.key == "never" {
            self.waiting.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(Response::new(runtime::GetStateResponse {
            data: format!("{}/{} {token} {trace}", asked.store_name, asked.key).into(),
            etag: String::new(),
            metadata: asked.metadata,
        }))
    }

    async fn save_state(
        &self,
        request: Request<runtime::SaveStateRequest>,
    ) -> Result<Response<()>, Status> {
        let has_etag = request.get_ref().states.iter().any(|item| item.etag.is_some());
        if has_etag {
            Err(Status::aborted("possible etag mismatch"))
        } else {
            Ok(Response::new(()))
        }
    }
}

fn sidecar(pairs: &[(&str, &str)]) -> Sidecar {
    let env: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sidecar::new(SidecarConfig::from_env(&env).expect("valid").expect("named")).expect("valid")
}

fn at(address: SocketAddr) -> Sidecar {
    sidecar(&[("DAPR_GRPC_PORT", &address.port().to_string())])
}

fn read(key: &str) -> GetState {
    GetState { store: "s".into(), key: key.into(), ..GetState::default() }
}

fn within(seconds: u64) -> CallContext {
    CallContext::within(Duration::from_secs(seconds))
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// Serves on a runtime of its own, which takes all its connections with it when it is shut down.
fn serve(listener: TcpListener, fake: Arc<Fake>) -> Daemon {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("can start threads");
    let listener = listener.into_std().expect("a socket");
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        let server = Server::builder().add_service(DaprServer::from_arc(fake));
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("serves");
    });
    Daemon(Some(runtime))
}

struct Daemon(Option<tokio::runtime::Runtime>);

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[tokio::test]
async fn a_call_carries_token_trace_and_message() {
    let (listener, address) = listen().await;
    let _server = serve(listener, Arc::default());
    let port = address.port().to_string();
    let sidecar = sidecar(&[("DAPR_GRPC_PORT", &port), ("DAPR_API_TOKEN", "t0")]);
    let cx = CallContext { traceparent: Some("00-1-2-01".into()), ..within(10) };
    let value = sidecar.get_state(&cx, read("k")).await.expect("served");
    assert_eq!(value.data, "s/k t0 00-1-2-01");
    assert_eq!(value.etag, None);
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
    let value = sidecar.get_state(&within(10), read("k")).await.expect("served");
    assert_eq!(value.data, "s/k - -");
}

#[tokio::test]
async fn an_empty_etag_is_not_sent_and_a_refusal_keeps_its_code() {
    let (listener, address) = listen().await;
    let _server = serve(listener, Arc::default());
    let save = |etag: &str| SaveState {
        store: "s".into(),
        items: vec![StateItem { etag: Some(etag.into()), ..StateItem::default() }],
    };
    let sidecar = at(address);
    assert_eq!(sidecar.save_state(&within(10), save("")).await, Ok(()));
    let error = sidecar.save_state(&within(10), save("7")).await.expect_err("mismatch");
    assert!(error.is_conflict(), "{error:?}");
}

#[tokio::test]
async fn a_sidecar_that_is_late_or_restarts_heals_by_itself() {
    let (listener, address) = listen().await;
    drop(listener);
    let sidecar = at(address);
    for _round in 0..2 {
        let error = sidecar.get_state(&within(10), read("k")).await.expect_err("nobody there");
        assert_eq!(error.code, Code::Unavailable, "{error}");
        assert_eq!(error.reason, "TRILBY_SIDECAR_UNREACHABLE");
        let listener = TcpListener::bind(address).await.expect("still free");
        let server = serve(listener, Arc::default());
        let value = sidecar.get_state(&within(10), read("k")).await.expect("served");
        assert_eq!(value.data, "s/k - -");
        drop(server);
        // A call may still be answered until the old runtime's threads are gone.
        while sidecar.get_state(&within(10), read("k")).await.is_ok() {}
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_leaves_other_calls_alone() {
    let (listener, address) = listen().await;
    let fake = Arc::new(Fake::default());
    let _server = serve(listener, Arc::clone(&fake));
    let sidecar = Arc::new(at(address));
    let answered = Arc::new(AtomicUsize::new(0));
    let silent = tokio::spawn({
        let sidecar = Arc::clone(&sidecar);
        async move { sidecar.get_state(&within(1), read("never")).await }
    });
    fake.waiting.notified().await;
    for _ in 0..10 {
        sidecar.get_state(&within(10), read("k")).await.expect("served");
        answered.fetch_add(1, Ordering::Relaxed);
    }
    let error = silent.await.expect("no panic").expect_err("never answered");
    assert_eq!((error.code, &*error.reason), (Code::DeadlineExceeded, "TRILBY_DEADLINE"));
    assert_eq!(answered.load(Ordering::Relaxed), 10);
}
