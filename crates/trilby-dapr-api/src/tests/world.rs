//! The embedded runtime with its API open.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::transport::{Channel, Endpoint};
use trilby_dapr::Inbound;
use trilby_dapr::invoke::ServiceReply;
use trilby_dapr::proto::runtime::v1::dapr_client::DaprClient;
use trilby_dapr::stream::{self, ByteStream};
use trilby_embedded::{Options, Runtime};

use crate::{Api, ApiAccess, Backend, EmbeddedFeeds, Listen, Protocol};

const COMPONENTS: &str = r"
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: statestore}
spec: {type: state.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec: {type: pubsub.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: echo}
spec: {type: conversation.echo, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: lockstore}
spec: {type: lock.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: env}
spec: {type: secretstores.local.env, version: v1}
";

/// What a test changes.
#[derive(Default)]
pub(super) struct Given {
    pub(super) token: Option<&'static str>,
    /// A group that callers may not use.
    pub(super) denied: &'static str,
    /// Another app, by its address.
    pub(super) app: Option<String>,
}

pub(super) struct World {
    pub(super) api: Api,
    pub(super) was_shut_down: Arc<AtomicBool>,
    _app: Arc<dyn Inbound>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn start(given: Given) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("all.yaml"), COMPONENTS).unwrap();
        let apps: BTreeMap<String, String> =
            given.app.map(|address| ("other".to_owned(), address)).into_iter().collect();
        let options = Options {
            app_id: "a1".to_owned(),
            components: vec![folder.path().to_owned()],
            defaults: Vec::new(),
            data_dir: folder.path().join("data"),
            env: BTreeMap::from([("SECRET".to_owned(), "s3cret".to_owned())]),
            apps: apps.clone(),
        };
        let runtime = Arc::new(Runtime::open(options).unwrap());
        let app: Arc<dyn Inbound> = Arc::new(App);
        runtime.attach(Arc::downgrade(&app));
        let was_shut_down = Arc::new(AtomicBool::new(false));
        let shut_down = Arc::clone(&was_shut_down);
        let backend = Backend {
            app_id: "a1".to_owned(),
            namespace: "default".to_owned(),
            blocks: Arc::clone(&runtime) as _,
            feeds: Arc::new(EmbeddedFeeds::new(Arc::clone(&runtime))),
            app: Arc::downgrade(&app) as Weak<dyn Inbound>,
            apps: apps.into_keys().collect(),
            access: Arc::new(Denied(given.denied)),
            token: given.token.map(str::to_owned),
            shutdown: Arc::new(move || shut_down.store(true, Ordering::SeqCst)),
            message_bytes_max: 64 << 10,
        };
        let any = "127.0.0.1:0".parse().unwrap();
        let listen = Listen { grpc: Some(any), http: Some(any), socket_dir: None };
        let api = Api::open(backend, &listen).await.unwrap();
        Self { api, was_shut_down, _app: app, _folder: folder }
    }

    pub(super) async fn rpc(&self) -> DaprClient<Channel> {
        let address = self.api.addresses().grpc.unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        DaprClient::new(endpoint.connect().await.unwrap())
    }

    /// A request of the HTTP API: the status, and the body as text.
    pub(super) async fn http(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = Request::builder().method(method).body(Full::new(body.to_owned().into()));
        let (status, body) = self.send(path, request.unwrap()).await;
        (status, body)
    }

    pub(super) async fn send(
        &self,
        path: &str,
        mut request: Request<Full<Bytes>>,
    ) -> (u16, String) {
        let address = self.api.addresses().http.unwrap();
        *request.uri_mut() = format!("http://{address}{path}").parse().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.into()).unwrap())
    }
}

/// The app: it says what it was asked.
struct App;

#[async_trait]
impl Inbound for App {
    async fn deliver(&self, _: Request<Bytes>) -> Response<Bytes> {
        Response::new(Bytes::new())
    }

    async fn invoke(&self, request: Request<ByteStream>) -> ServiceReply {
        let text = format!("{} {}", request.method(), request.uri());
        let status = if request.uri().path() == "/missing" { 404 } else { 200 };
        ServiceReply {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: stream::whole(text.into()),
        }
    }
}

struct Denied(&'static str);

impl ApiAccess for Denied {
    fn allow(&self, group: &str, _: &str, _: Protocol) -> bool {
        group != self.0
    }
}
