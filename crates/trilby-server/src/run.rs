//! One request on its way: to its route, to its turn, to its guest or its file.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body::Body;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use trilby_cgi::{Client, Lookup};

use crate::admit::Turn;
use crate::body::{RequestBody, ResponseBody};
use crate::dapr_app::answers::Meaning;
use crate::entry::{Answers, Entry};
use crate::events::Opened;
use crate::generation::Generation;
use crate::outcome::Outcome;
use crate::prepare::{self, Incoming, Prepared};
use crate::record::{Asked, Record, asked};
use crate::redirect::Redirect;
use crate::respond::{Responded, Running, refusal, respond};
use crate::service::{Door, Service};
use crate::{Files, Peer, Served, events};

/// What starts a guest.
pub(crate) enum Trigger {
    /// A request, of whose path the route matched so many bytes, with the path's parameters.
    Http { script: usize, params: Vec<(String, String)>, client: Client<'static> },
    /// An event of a topic, or several.
    Topic,
    /// A trigger of a binding.
    Binding(String),
    /// A job that is due.
    Job(String),
    /// A change in a store, of a key.
    Configuration(String, String),
}

/// How a request came in, and what it is called.
pub(crate) struct Via {
    pub(crate) peer: Peer,
    pub(crate) door: Door,
    pub(crate) id: Arc<str>,
    /// The path that the client asked for, when a guest has led here.
    pub(crate) from: Option<Arc<str>>,
}

/// What became of a request.
pub(crate) enum Done {
    Answered(Response<ResponseBody>),
    /// A guest has another path answer instead.
    Redirected(Redirect),
}

impl Service {
    /// Answers a request by its path.
    pub(crate) async fn http(
        &self,
        generation: &Generation,
        request: Request<RequestBody>,
        via: &Via,
    ) -> Done {
        let Served { table, trusted_proxies, .. } = &generation.served;
        let (entry, trigger) = {
            let Peer { remote, tls, .. } = via.peer;
            let client = trilby_cgi::client(remote, tls, request.headers(), trusted_proxies);
            let host = client.host.as_deref().or_else(|| host_of(&request));
            match table.http.find(request.method(), host, request.uri().path()) {
                Lookup::Found(found) => {
                    let (script, params) = (found.script_name.len(), owned(&found.params));
                    let client = client.into_owned();
                    (Arc::clone(found.value), Trigger::Http { script, params, client })
                }
                Lookup::MethodNotAllowed { allow } => {
                    let outcome = Outcome::MethodNotAllowed { allow };
                    return self.refused(via, asked(&request), &outcome);
                }
                Lookup::NotFound => {
                    return self.refused(via, asked(&request), &Outcome::NoRoute);
                }
            }
        };
        self.run(generation, &entry, (request, trigger), via).await
    }

    /// Lets a route answer.
    pub(crate) async fn run(
        &self,
        generation: &Generation,
        entry: &Arc<Entry>,
        (request, trigger): (Request<RequestBody>, Trigger),
        via: &Via,
    ) -> Done {
        let record = Record::new(Arc::clone(&via.id), Arc::clone(&entry.label), asked(&request));
        if head_bytes(&request) > entry.route.limits.head_in_bytes_max {
            return Done::Answered(self.refuse(&record, &Outcome::HeadTooLarge));
        }
        let guest = match &entry.answers {
            Answers::Guest(guest) => Arc::clone(guest),
            Answers::Files(files) => {
                return Done::Answered(match file(entry, files, (request, trigger)).await {
                    Ok(response) => {
                        record.finish(&Outcome::Ok, response.status());
                        with_headers(response, &entry.response_headers)
                    }
                    Err(outcome) => self.refuse(&record, &outcome),
                });
            }
        };
        let follows = matches!(trigger, Trigger::Http { .. });
        let head_only = request.method() == Method::HEAD;
        let admitted = self.admit(generation, entry, (request, trigger), via).await;
        let prepared = admitted.and_then(|(turn, incoming, meaning)| {
            let prepared = prepare::guest(Arc::clone(entry), guest, incoming)?;
            Ok((turn, prepared, meaning))
        });
        let (turn, prepared, meaning) = match prepared {
            Ok(prepared) => prepared,
            Err(outcome) => return Done::Answered(self.refuse(&record, &outcome)),
        };
        let Prepared { run, output, head } = prepared;
        let head_bytes_max = entry.route.limits.head_out_bytes_max;
        let running = Running { run, output, record, turn, head_only, head_bytes_max, follows };
        match respond(running).await {
            Responded::Response(response) => {
                let response = meaning.of(response).await;
                Done::Answered(with_headers(response, &entry.response_headers))
            }
            Responded::LocalRedirect(to) => {
                match Redirect::new(head, via.from.as_ref(), &to) {
                    Some(redirect) => Done::Redirected(redirect),
                    // It was seen to be a path when the answer was decoded.
                    None => {
                        let asked = (Method::GET, http::Uri::default());
                        self.refused(via, asked, &Outcome::RedirectLoop)
                    }
                }
            }
            Responded::Refused(record, outcome) => Done::Answered(self.refuse(&record, &outcome)),
        }
    }

    /// Waits for a request's turn, and opens it.
    async fn admit<'a>(
        &'a self,
        generation: &'a Generation,
        entry: &Entry,
        (request, trigger): (Request<RequestBody>, Trigger),
        via: &'a Via,
    ) -> Result<(Turn, Incoming<'a>, Meaning), Outcome> {
        let limits = &entry.route.limits;
        let body_bytes_max = u64::try_from(limits.body_in_bytes_max).unwrap_or(u64::MAX);
        if request.body().size_hint().lower() > body_bytes_max {
            return Err(Outcome::BodyTooLarge);
        }
        let turn = turn(generation, entry).await?;
        let opened = match &trigger {
            Trigger::Http { .. } => events::http(request),
            // An event is read whole, only now that it has its turn: what waits in the queue holds
            // no bodies.
            delivery => {
                let opened = timeout(limits.deadline, events::open(request, delivery, entry)).await;
                opened.unwrap_or(Err(Outcome::BodyBrokenOff))?
            }
        };
        let Opened { request, variables, meaning } = opened;
        let (script_bytes, params, client) = match trigger {
            Trigger::Http { script, params, client } => (Some(script), params, client),
            // A delivery's headers are its event's metadata, and say nothing of a client.
            _ => (None, Vec::new(), Client::direct(via.peer.remote, via.peer.tls)),
        };
        let incoming = Incoming {
            request,
            local_port: via.peer.local.port(),
            client,
            params,
            redirected_from: via.from.as_deref(),
            request_id: Arc::clone(&via.id),
            script_bytes,
            variables,
            server_name: self.server_name(),
        };
        Ok((turn, incoming, meaning))
    }

    /// Turns a request away that has no route.
    pub(crate) fn refused(&self, via: &Via, asked: Asked, outcome: &Outcome) -> Done {
        let record = Record::new(Arc::clone(&via.id), Arc::clone(self.no_route()), asked);
        Done::Answered(self.refuse(&record, outcome))
    }

    /// Turns a request away, with its line in the log.
    pub(crate) fn refuse(&self, record: &Record, outcome: &Outcome) -> Response<ResponseBody> {
        record.finish(outcome, outcome.status());
        let id = record.request_id();
        let mut response = refusal(outcome, self.shows_reasons().then_some(id));
        // Whoever reports the failure can name it.
        if let Ok(id) = HeaderValue::from_str(id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }
}

/// The turn of a request: the route's own first, so that what waits for a busy route takes no
/// place from the others.
async fn turn(generation: &Generation, entry: &Entry) -> Result<Turn, Outcome> {
    let deadline = Instant::now() + entry.route.limits.deadline;
    let of_route = turn_of_route(entry, deadline).await?;
    let of_process = generation.served.admission.enter(deadline).await?;
    Ok(Turn { _of_route: of_route, _of_process: of_process })
}

/// The turn that a route gives itself, if it has a bound of its own.
async fn turn_of_route(
    entry: &Entry,
    deadline: Instant,
) -> Result<Option<OwnedSemaphorePermit>, Outcome> {
    match &entry.admission {
        Some(admission) => Ok(Some(admission.enter(deadline).await?)),
        None => Ok(None),
    }
}

/// Answers with a file. It takes no turn from guests: its bound is the route's own, and lasts until
/// the file is sent.
async fn file(
    entry: &Entry,
    files: &Files,
    (request, trigger): (Request<RequestBody>, Trigger),
) -> Result<Response<ResponseBody>, Outcome> {
    let (head, _body) = request.into_parts();
    let path = head.uri.path();
    let script = match trigger {
        Trigger::Http { script, .. } => script,
        _ => path.len(),
    };
    let (script_name, path_info) = path.split_at_checked(script).unwrap_or((path, ""));
    let deadline = Instant::now() + entry.route.limits.deadline;
    let turn = turn_of_route(entry, deadline).await?;
    let answered = timeout_at(deadline, files.answer(&head, (script_name, path_info), turn)).await;
    answered.unwrap_or(Err(Outcome::Deadline))
}

fn owned(params: &[(&str, &str)]) -> Vec<(String, String)> {
    params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The host that the client asked for.
pub(crate) fn host_of(request: &Request<RequestBody>) -> Option<&str> {
    request.headers().get(header::HOST).and_then(|value| value.to_str().ok())
}

/// The request line and the headers, about as HTTP/1.1 writes them.
fn head_bytes(request: &Request<RequestBody>) -> usize {
    const LINE_BYTES: usize = 4;
    let uri = request.uri();
    let line = uri.path().len() + uri.query().map_or(0, str::len) + request.method().as_str().len();
    let of = |(name, value): (&header::HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + LINE_BYTES
    };
    line + LINE_BYTES + request.headers().iter().map(of).sum::<usize>()
}

/// Adds the route's headers, except where the answer has its own.
fn with_headers(
    mut response: Response<ResponseBody>,
    headers: &HeaderMap,
) -> Response<ResponseBody> {
    for (name, value) in headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}
