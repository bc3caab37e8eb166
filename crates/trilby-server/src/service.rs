//! The service: one request in, one response out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};
use trilby_dapr::Inbound;

use crate::admit::Refused;
use crate::body::{RequestBody, ResponseBody, request_body};
use crate::dapr_app::{DaprApp, Question};
use crate::entry::{Entry, Table};
use crate::outcome::Outcome;
use crate::prepare::{self, Incoming};
use crate::record::Record;
use crate::respond::{Guest, refusal, respond};
use crate::{Admission, events};

/// Bytes of a guest's answer to a delivery; the answer is a status and a few words.
const DELIVERY_ANSWER_BYTES_MAX: usize = 64 << 10;

/// What the service is made of.
pub struct ServiceSettings {
    /// The routes.
    pub table: Table,
    /// The bound on running and waiting requests.
    pub admission: Admission,
    /// Whether deliveries may come over the listener: only daprd brings them that way.
    pub deliveries_over_http: bool,
    /// What daprd must send as `dapr-api-token` (`APP_API_TOKEN`).
    pub app_token: Option<String>,
    /// The name of the host in `SERVER_NAME` for a request that does not say.
    pub server_name: String,
}

/// Answers requests.
pub struct Service {
    table: Table,
    admission: Admission,
    dapr_app: DaprApp,
    server_name: String,
    /// What stands for the route in the record of a request that has none.
    no_route: Arc<str>,
    draining: AtomicBool,
    ids: RequestIds,
}

/// The two ends of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client.
    pub remote: SocketAddr,
    /// The listener.
    pub local: SocketAddr,
}

/// Which door a request came in by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Listener,
    Embedded,
}

impl Service {
    /// A service that is ready.
    #[must_use]
    pub fn new(settings: ServiceSettings) -> Self {
        let dapr_app =
            DaprApp::new(&settings.table, settings.deliveries_over_http, settings.app_token);
        Self {
            table: settings.table,
            admission: settings.admission,
            dapr_app,
            server_name: settings.server_name,
            no_route: Arc::from("-"),
            draining: AtomicBool::new(false),
            ids: RequestIds::new(),
        }
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
        request: Request<RequestBody>,
        peer: Peer,
    ) -> Response<ResponseBody> {
        let version = request.version();
        let mut response = self.route(request, peer, Door::Listener).await;
        if self.is_draining() && version < http::Version::HTTP_2 {
            // The client's next request then opens a connection, which goes to another server.
            response
                .headers_mut()
                .insert(header::CONNECTION, http::HeaderValue::from_static("close"));
        }
        response
    }

    async fn route(
        self: &Arc<Self>,
        request: Request<RequestBody>,
        peer: Peer,
        door: Door,
    ) -> Response<ResponseBody> {
        if door == Door::Listener {
            match request.uri().path() {
                "/healthz" => return plain(StatusCode::OK, "OK"),
                "/readyz" if self.is_draining() => return refusal(&Outcome::Draining),
                "/readyz" => return plain(StatusCode::OK, "OK"),
                _ => {}
            }
            // It has no path, and a guest's 200 would be taken for a tunnel.
            if request.method() == Method::CONNECT {
                let outcome = Outcome::BadRequest("this server makes no tunnels\n");
                return refuse(&self.record(&request, &self.no_route), &outcome);
            }
        }
        match self.dapr_app.ask(&request, door == Door::Embedded) {
            Question::NotDaprs => {}
            Question::Answered(status, json) => return answered(status, json),
            Question::Refused(outcome) => {
                return refuse(&self.record(&request, &self.no_route), &outcome);
            }
            Question::Topic(pubsub, topic) => {
                if let Some(entry) = self.table.topics.get(&(pubsub, topic)) {
                    return self.run(Arc::clone(entry), request, peer, Trigger::Topic).await;
                }
            }
            Question::Binding(name) => {
                if let Some(entry) = self.table.bindings.get(&name) {
                    return self
                        .run(Arc::clone(entry), request, peer, Trigger::Binding(name))
                        .await;
                }
            }
        }
        let found = self.table.http.find(request.uri().path());
        let Some((entry, script)) =
            found.map(|found| (Arc::clone(found.value), found.script_name.len()))
        else {
            return refuse(&self.record(&request, &self.no_route), &Outcome::NoRoute);
        };
        self.run(entry, request, peer, Trigger::Http { script }).await
    }

    fn record<B>(&self, request: &Request<B>, route: &Arc<str>) -> Record {
        Record::new(self.ids.of(request), Arc::clone(route))
    }

    /// Admits a request, prepares its guest and lets it answer.
    async fn run(
        self: &Arc<Self>,
        entry: Arc<Entry>,
        request: Request<RequestBody>,
        peer: Peer,
        trigger: Trigger,
    ) -> Response<ResponseBody> {
        let record = self.record(&request, &entry.label);
        let limits = &entry.route.limits;
        let body_bytes_max = u64::try_from(limits.body_in_bytes_max).unwrap_or(u64::MAX);
        if request.body().size_hint().lower() > body_bytes_max {
            return refuse(&record, &Outcome::BodyTooLarge);
        }
        let turn = match self.admission.enter(Instant::now() + limits.deadline).await {
            Ok(turn) => turn,
            Err(Refused::QueueFull | Refused::WaitedTooLong) => {
                return refuse(&record, &Outcome::Busy);
            }
        };
        let head_only = request.method() == Method::HEAD;
        let script_bytes = match trigger {
            Trigger::Http { script } => Some(script),
            Trigger::Topic | Trigger::Binding(_) => None,
        };
        let (request, variables) = match opened(request, trigger, &entry).await {
            Ok(opened) => opened,
            Err(outcome) => return refuse(&record, &outcome),
        };
        let incoming = Incoming {
            request,
            peer,
            request_id: Arc::clone(record.request_id()),
            script_bytes,
            variables,
            server_name: &self.server_name,
        };
        match prepare::guest(entry, incoming) {
            Ok((run, output)) => respond(Guest { run, output, record, turn, head_only }).await,
            Err(outcome) => refuse(&record, &outcome),
        }
    }
}

/// What starts a guest.
enum Trigger {
    /// A request, of whose path the route matched so many bytes.
    Http {
        script: usize,
    },
    Topic,
    Binding(String),
}

/// The request and the variables as its trigger wants them. An event is read whole, only now that
/// it has its turn: what waits in the queue holds no bodies.
async fn opened(
    request: Request<RequestBody>,
    trigger: Trigger,
    entry: &Entry,
) -> Result<(Request<RequestBody>, events::Variables), Outcome> {
    let limits = &entry.route.limits;
    match trigger {
        Trigger::Http { .. } => Ok((request, events::http_variables())),
        Trigger::Binding(name) => Ok((request, events::binding_variables(&name))),
        Trigger::Topic => {
            let unwrapped = events::unwrap(request, limits.body_in_bytes_max);
            timeout(limits.deadline, unwrapped).await.unwrap_or(Err(Outcome::BodyBrokenOff))
        }
    }
}

#[async_trait]
impl Inbound for ServiceHandle {
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let peer = Peer { remote: nowhere, local: nowhere };
        let request = request.map(request_body);
        let response = self.0.route(request, peer, Door::Embedded).await;
        let (head, body) = response.into_parts();
        let limited = http_body_util::Limited::new(body, DELIVERY_ANSWER_BYTES_MAX);
        match limited.collect().await {
            Ok(whole) => Response::from_parts(head, whole.to_bytes()),
            Err(_) => {
                let mut failed = Response::new(Bytes::new());
                *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                failed
            }
        }
    }
}

/// The service as a receiver of the embedded runtime's deliveries.
pub struct ServiceHandle(pub Arc<Service>);

/// Turns a request away, with its line in the log.
fn refuse(record: &Record, outcome: &Outcome) -> Response<ResponseBody> {
    record.finish(outcome, outcome.status());
    refusal(outcome)
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
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

/// Gives each request an id: the client's own if it sent a sensible one, else a new one.
struct RequestIds {
    prefix: u64,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        use std::hash::BuildHasher;
        // The standard library's hasher is seeded at random: enough to tell processes apart.
        let prefix = std::hash::RandomState::new().hash_one(std::process::id());
        Self { prefix, next: AtomicU64::new(1) }
    }

    fn of<B>(&self, request: &Request<B>) -> Arc<str> {
        const ID_BYTES_MAX: usize = 128;
        let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
        match given {
            Some(id) if !id.is_empty() && id.len() <= ID_BYTES_MAX => Arc::from(id),
            _ => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                Arc::from(format!("{:08x}-{number:x}", self.prefix >> 32))
            }
        }
    }
}
