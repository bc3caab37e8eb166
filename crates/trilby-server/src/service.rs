//! The service: one request in, one response out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tokio::sync::Semaphore;
use trilby_dapr::invoke::INVOCATION_HEADER;

use crate::body::{RequestBody, ResponseBody};
use crate::dapr_app::{DaprApp, Question, is_grpc, message_room};
use crate::generation::{Before, Generation, Served};
use crate::outcome::Outcome;
use crate::ready::{Ready, is_ready};
use crate::record::{Record, asked};
use crate::redirect::LOCAL_REDIRECTS_MAX;
use crate::request_id::RequestIds;
use crate::respond::refusal;
use crate::run::{Done, Via};

/// What the service is made of.
pub struct ServiceSettings {
    /// What it serves first.
    pub served: Served,
    /// Whether deliveries may come over the listener: only daprd brings them that way.
    pub deliveries_over_http: bool,
    /// What daprd must send as `dapr-api-token` (`APP_API_TOKEN`).
    pub app_token: Option<String>,
    /// The name of the host in `SERVER_NAME` for a request that does not say.
    pub server_name: String,
    /// Whether clients are told why a module failed: for development only.
    pub show_reasons: bool,
    /// Whom `/readyz` asks, if some route uses Dapr; nobody if `None`.
    pub ready: Option<Arc<dyn Ready>>,
}

/// Answers requests.
pub struct Service {
    generation: ArcSwap<Generation>,
    deliveries_over_http: bool,
    app_token: Option<String>,
    server_name: String,
    show_reasons: bool,
    ready: Option<Arc<dyn Ready>>,
    /// What stands for the route in the record of a request that has none.
    no_route: Arc<str>,
    draining: AtomicBool,
    app_channel_closed: AtomicBool,
    message_room: Arc<Semaphore>,
    ids: RequestIds,
}

/// The two ends of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client.
    pub remote: SocketAddr,
    /// The listener.
    pub local: SocketAddr,
    /// Whether the connection has TLS.
    pub tls: bool,
}

/// Which door a request came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A connection: anybody, daprd's HTTP app channel among them.
    Listener,
    /// Deliveries of the embedded runtime, and of streams.
    Embedded,
    /// Deliveries of daprd's gRPC app channel, which has shown its token.
    Sidecar,
    /// Service invocation, which reaches the app's own routes and never those of deliveries.
    Invocation,
}

impl Service {
    /// A service that is ready.
    #[must_use]
    pub fn new(settings: ServiceSettings) -> Self {
        let ServiceSettings { served, deliveries_over_http, app_token, .. } = settings;
        let dapr_app = DaprApp::new(&served.table, deliveries_over_http, app_token.clone());
        Self {
            generation: ArcSwap::from_pointee(Generation::new(served, dapr_app)),
            deliveries_over_http,
            app_token,
            server_name: settings.server_name,
            show_reasons: settings.show_reasons,
            ready: settings.ready,
            no_route: Arc::from("-"),
            draining: AtomicBool::new(false),
            app_channel_closed: AtomicBool::new(false),
            message_room: message_room(),
            ids: RequestIds::new(),
        }
    }

    /// From now on nothing is delivered over the listener: daprd has no app port, and so whoever calls
    /// there is somebody else.
    pub fn close_app_channel(&self) {
        self.app_channel_closed.store(true, Ordering::Release);
    }

    fn takes_deliveries(&self) -> bool {
        self.deliveries_over_http && !self.app_channel_closed.load(Ordering::Acquire)
    }

    /// Room for the messages of rpcs.
    pub(crate) fn message_bytes(&self) -> &Arc<Semaphore> {
        &self.message_room
    }

    /// Serves other routes from now on, and gives those of before. Requests in flight end with those
    /// that they began with.
    pub fn replace(&self, served: Served) -> Before {
        let dapr_app =
            DaprApp::new(&served.table, self.deliveries_over_http, self.app_token.clone());
        let next = self.generation.load().next(served, dapr_app);
        Before(self.generation.swap(Arc::new(next)))
    }

    /// Takes a replacement back.
    pub fn restore(&self, before: Before) {
        self.generation.store(before.0);
    }

    /// From now on `/readyz` says no, and connections are asked to close.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether [`Self::start_draining`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Answers a request that came over a connection.
    pub async fn handle(
        self: &Arc<Self>,
        mut request: Request<RequestBody>,
        peer: Peer,
    ) -> Response<ResponseBody> {
        if self.takes_deliveries() && is_grpc(&request) {
            return self.rpc(request, peer).await;
        }
        let version = request.version();
        let mut response = match one_host(&mut request) {
            Ok(()) => self.answer(request, peer, Door::Listener).await,
            Err(outcome) => {
                let (id, route) = (self.ids.of(&request), Arc::clone(&self.no_route));
                let record = Record::new(id, route, asked(&request));
                self.refuse(&record, &outcome)
            }
        };
        if self.is_draining() && version < Version::HTTP_2 {
            // The client's next request then opens a connection, which goes to another server.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// What is served now.
    pub(crate) fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    pub(crate) fn id_of<B>(&self, request: &Request<B>) -> Arc<str> {
        self.ids.of(request)
    }

    pub(crate) fn server_name(&self) -> &str {
        &self.server_name
    }

    /// What stands for the route of a request that has none.
    pub(crate) fn no_route(&self) -> &Arc<str> {
        &self.no_route
    }

    pub(crate) fn shows_reasons(&self) -> bool {
        self.show_reasons
    }

    /// Answers a request, through as many local redirects as there may be.
    pub(crate) async fn answer(
        &self,
        request: Request<RequestBody>,
        peer: Peer,
        door: Door,
    ) -> Response<ResponseBody> {
        let generation = self.generation.load_full();
        let id = self.ids.of(&request);
        let mut via = Via { peer, door, id, from: None };
        let mut request = request;
        for _ in 0..=LOCAL_REDIRECTS_MAX {
            match self.route(&generation, request, &via).await {
                Done::Answered(response) => return response,
                Done::Redirected(redirect) => {
                    request = redirect.request;
                    via.from = Some(redirect.from);
                }
            }
        }
        let record = Record::new(via.id, Arc::clone(&self.no_route), asked(&request));
        self.refuse(&record, &Outcome::RedirectLoop)
    }

    /// Finds out whom a request is for, and lets it be answered.
    async fn route(
        &self,
        generation: &Generation,
        mut request: Request<RequestBody>,
        via: &Via,
    ) -> Done {
        if matches!(via.door, Door::Listener | Door::Invocation) {
            if request.uri().path() == "/readyz" {
                return Done::Answered(self.readiness(generation).await);
            }
            if let Some(response) = self.own(&request, via) {
                return Done::Answered(response);
            }
        }
        let question = match via.door {
            Door::Listener if !self.takes_deliveries() => Question::NotDaprs,
            door => generation.ask(&request, door),
        };
        match question {
            Question::NotDaprs => {
                request.headers_mut().remove(INVOCATION_HEADER);
                self.http(generation, request, via).await
            }
            Question::Answered(status, json) => Done::Answered(answered(status, json)),
            Question::Refused(outcome) => self.refused(via, asked(&request), &outcome),
            Question::Delivery(entry, trigger) => {
                self.run(generation, &entry, (request, trigger), via).await
            }
        }
    }

    /// What the server answers by itself.
    fn own(&self, request: &Request<RequestBody>, via: &Via) -> Option<Response<ResponseBody>> {
        match request.uri().path() {
            "/healthz" => Some(plain(StatusCode::OK, "OK")),
            // It has no path, and a guest's 200 would be taken for a tunnel.
            _ if request.method() == Method::CONNECT => {
                let (id, route) = (Arc::clone(&via.id), Arc::clone(&self.no_route));
                let record = Record::new(id, route, asked(request));
                let outcome = Outcome::BadRequest("this server makes no tunnels\n");
                Some(self.refuse(&record, &outcome))
            }
            _ => None,
        }
    }

    /// Whether requests are welcome. Routes that use no Dapr serve without it.
    async fn readiness(&self, generation: &Generation) -> Response<ResponseBody> {
        if self.is_draining() {
            return refusal(&Outcome::Draining, None);
        }
        match &self.ready {
            Some(ready) if generation.served.table.uses_dapr && !is_ready(&**ready).await => {
                plain(StatusCode::SERVICE_UNAVAILABLE, "waiting for the Dapr sidecar\n")
            }
            Some(_) | None => plain(StatusCode::OK, "OK"),
        }
    }
}

/// Leaves a request with its one host in the `Host` header. What the request line has comes first
/// (RFC 9112 section 3.2.2), and so does HTTP/2's `:authority` (RFC 9113 section 8.3.1).
fn one_host(request: &mut Request<RequestBody>) -> Result<(), Outcome> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    // RFC 9112 section 3.2: whoever looked at another of several hosts saw another request.
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(Outcome::BadRequest("a request names its host, in one `Host` header\n"));
    }
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    Ok(())
}

fn plain(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response
}

fn answered(status: StatusCode, json: Option<String>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(json.unwrap_or_default()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
