//! From a request to a guest that is ready to run.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use http::{Method, Request};
use http_body::Body;
use tokio::time::Instant;
use trilby_cgi::{BodyLength, Client, RequestMeta};
use trilby_host::Host;
use trilby_sandbox::{Ending, Job, LineSink, RunLimits, pipe};

use crate::body::{self, RequestBody};
use crate::entry::{Entry, Guest};
use crate::events::Variables;
use crate::outcome::Outcome;
use crate::run::host_of;

/// A request on its way to its guest.
pub(crate) struct Incoming<'a> {
    pub(crate) request: Request<RequestBody>,
    /// The port that it came in by; 0 for a delivery.
    pub(crate) local_port: u16,
    /// Who sent it, as far as trusted proxies say so.
    pub(crate) client: Client<'static>,
    /// The path's parameters, not decoded.
    pub(crate) params: Vec<(String, String)>,
    /// The path that the client asked for, when a local redirect has led here.
    pub(crate) redirected_from: Option<&'a str>,
    pub(crate) request_id: Arc<str>,
    /// How much of the path the route matched; `None` for a delivery, which matches as a whole.
    pub(crate) script_bytes: Option<usize>,
    pub(crate) variables: Variables,
    pub(crate) server_name: &'a str,
}

/// A guest that is ready to run.
pub(crate) struct Prepared {
    pub(crate) run: Run,
    /// What it will write.
    pub(crate) output: pipe::Reader,
    /// The head of its request, which a local redirect hands on.
    pub(crate) head: http::request::Parts,
}

type Run = Pin<Box<dyn Future<Output = Ending> + Send>>;
type Pairs = Vec<(Cow<'static, str>, String)>;

/// Builds the environment, the arguments and the pipes. The guest starts when the future is
/// polled for the first time.
pub(crate) fn guest(
    entry: Arc<Entry>,
    settings: Arc<Guest>,
    incoming: Incoming<'_>,
) -> Result<Prepared, Outcome> {
    let environment = environment(&entry, &incoming)?;
    let arguments = arguments(&entry, &settings, &incoming);
    let traceparent = environment
        .iter()
        .find(|(name, _)| name == "TRACEPARENT")
        .map(|(_, value)| Arc::from(value.as_str()));
    let limits = &entry.route.limits;
    let deadline = Instant::now() + limits.deadline;
    let run_limits = RunLimits {
        deadline,
        cpu: (limits.cpu < limits.deadline).then_some(limits.cpu),
        memory_bytes_max: limits.memory_bytes_max,
    };
    let (stdout, reader) = pipe::new(limits.body_out_bytes_max);
    let stderr = log_lines(&entry, &settings, &incoming.request_id);
    let (head, body) = incoming.request.into_parts();
    let stdin = body::input(body, limits.body_in_bytes_max);
    let host = Host::new(settings.host.clone(), deadline, traceparent);
    let variables = incoming.variables;
    let run = async move {
        let env = guest_environment(&entry, &environment, &variables);
        let job = Job {
            args: arguments,
            env,
            stdin,
            stdout,
            stderr,
            volumes: &settings.volumes,
            host,
            limits: run_limits,
        };
        settings.program.run(job).await
    };
    Ok(Prepared { run: Box::pin(run), output: reader, head })
}

/// CGI's variables first, then those of the event, then the route's own: where a name occurs
/// twice, the first wins, so a manifest cannot fake a request.
fn guest_environment<'a>(
    entry: &'a Entry,
    cgi: &'a [(Cow<'static, str>, String)],
    variables: &'a Variables,
) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    let mut all: Vec<(Cow<'a, str>, Cow<'a, str>)> =
        Vec::with_capacity(cgi.len() + variables.len() + entry.route.env.len());
    let cgi = cgi.iter().map(|(name, value)| (name.as_ref(), value.as_str()));
    let event = variables.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let own = entry.route.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in cgi.chain(event) {
        all.push((Cow::Borrowed(name), Cow::Borrowed(value)));
    }
    for (name, value) in own {
        if !all.iter().any(|(taken, _)| taken == name) {
            all.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
    }
    all
}

fn environment(entry: &Entry, incoming: &Incoming<'_>) -> Result<Pairs, Outcome> {
    let request = &incoming.request;
    let path = request.uri().path();
    let (script_name, path_info) =
        incoming.script_bytes.and_then(|at| path.split_at_checked(at)).unwrap_or((path, ""));
    let params: Vec<(&str, &str)> =
        incoming.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let meta = RequestMeta {
        method: request.method(),
        path,
        query: request.uri().query(),
        version: request.version(),
        headers: request.headers(),
        client: &incoming.client,
        local_port: incoming.local_port,
        body: body_length(request),
        script_name,
        path_info,
        params: &params,
        redirected_from: incoming.redirected_from,
        authorization: entry.route.authorization,
        matched_route: &entry.label,
        request_id: &incoming.request_id,
        host: host_of(request),
        default_server_name: incoming.server_name,
    };
    trilby_cgi::environment(&meta)
        .map_err(|_| Outcome::BadRequest("the path has a NUL byte, which CGI cannot pass on\n"))
}

fn body_length(request: &Request<RequestBody>) -> BodyLength {
    if request.body().is_end_stream() {
        return BodyLength::None;
    }
    request.body().size_hint().exact().map_or(BodyLength::Unknown, BodyLength::Known)
}

fn arguments(entry: &Entry, settings: &Guest, incoming: &Incoming<'_>) -> Vec<String> {
    let uri = incoming.request.uri();
    if settings.wagi_arguments {
        return trilby_cgi::argv_wagi(uri.path(), uri.query(), entry.route.argv.as_deref());
    }
    match &entry.route.argv {
        Some(template) => trilby_cgi::argv_wagi(uri.path(), uri.query(), Some(template)),
        None => {
            // RFC 3875 section 4.4 has them for these methods only.
            let indexed = matches!(*incoming.request.method(), Method::GET | Method::HEAD);
            trilby_cgi::argv_rfc(uri.path(), uri.query().filter(|_| indexed))
        }
    }
}

fn log_lines(entry: &Entry, settings: &Guest, request_id: &Arc<str>) -> LineSink {
    let (route, request_id) = (Arc::clone(&entry.label), Arc::clone(request_id));
    let copy = settings.stderr_copy.clone();
    LineSink::new(entry.route.limits.stderr_bytes_max, move |line| {
        tracing::info!(target: "trilby::guest", route = &*route, request_id = &*request_id, "{line}");
        if let Some(copy) = &copy {
            copy(line);
        }
    })
}
