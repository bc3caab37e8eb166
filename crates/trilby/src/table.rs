//! Joins an application with its back end.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use trilby_cgi::{HostPattern, RouteTable};
use trilby_dapr::Blocks;
use trilby_host::{Access, Host, HostSettings, HttpSettings};
use trilby_manifest::{App, Part, Pattern, Precedence, Route, Target, Trigger};
use trilby_outbound::{Outbound, Policy};
use trilby_sandbox::{Program, Volume};
use trilby_server::{Answers, Entry, Files, Guest, Table, events};

use crate::admissions::Admissions;
use crate::dapr;
use crate::failure::Failure;
use crate::guest_log::GuestLog;
use crate::prepare::Prepared;
use crate::subscriptions::Subscriptions;

/// What the guests of all routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) blocks: Arc<dyn Blocks>,
    pub(crate) outbound: Outbound,
    pub(crate) admissions: Admissions,
    pub(crate) log: Option<GuestLog>,
}

/// The table of all routes.
pub(crate) fn table(
    prepared: &Prepared,
    shared: &Shared,
    subscriptions: Subscriptions,
) -> Result<Table, Failure> {
    let app = prepared.app();
    let mut http = Vec::new();
    let mut problems = Vec::new();
    let mut delivered = Delivered::default();
    for (route, program) in app.routes.iter().zip(&prepared.programs.by_route) {
        let Some(entry) = entry(app, route, program.as_ref(), shared).map(Arc::new) else {
            let title = format!("module {}: it is not linked", route.target);
            problems.push(prepared.loaded.report(&route.place, Part::Module, &title, None));
            continue;
        };
        if !matches!(route.trigger, Trigger::Http { .. }) {
            delivered.add(&route.trigger, entry);
            continue;
        }
        match http_route(app, route, entry) {
            Ok(route) => http.push(route),
            Err(problem) => {
                problems.push(prepared.loaded.report(&route.place, Part::Trigger, &problem, None))
            }
        }
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n\n")));
    }
    let precedence = match app.precedence {
        Precedence::FirstMatch => trilby_cgi::Precedence::FirstMatch,
        Precedence::LongestMatch => trilby_cgi::Precedence::LongestMatch,
    };
    // What comes over streams must not come over the app channel too.
    let told = match subscriptions {
        Subscriptions::Streaming => Vec::new(),
        Subscriptions::Auto | Subscriptions::AppChannel => prepared.wanted.subscriptions.clone(),
    };
    let bodies = app.routes.iter().map(|route| route.limits.body_in_bytes_max);
    Ok(Table {
        http: RouteTable::new(precedence, http),
        topics: delivered.topics,
        bindings: delivered.bindings,
        jobs: delivered.jobs,
        configurations: delivered.configurations,
        subscriptions: told,
        uses_dapr: dapr::is_used(app),
        body_in_bytes_max: bodies.max().unwrap_or_default(),
    })
}

/// The routes that no client starts.
#[derive(Default)]
struct Delivered {
    topics: HashMap<String, Arc<Entry>>,
    bindings: HashMap<String, Arc<Entry>>,
    jobs: Vec<(Pattern, Arc<Entry>)>,
    configurations: Vec<(String, Pattern, Arc<Entry>)>,
}

impl Delivered {
    fn add(&mut self, trigger: &Trigger, entry: Arc<Entry>) {
        match trigger {
            Trigger::Http { .. } => {}
            Trigger::Topic { pubsub, topic, options } => {
                let path = events::topic_path(pubsub, topic, options.condition.as_deref());
                self.topics.insert(path, entry);
            }
            Trigger::Binding { name } => {
                self.bindings.insert(name.clone(), entry);
            }
            Trigger::Job { pattern } => self.jobs.push((pattern.clone(), entry)),
            Trigger::Configuration { store, pattern } => {
                self.configurations.push((store.clone(), pattern.clone(), entry));
            }
        }
    }
}

fn http_route(
    app: &App,
    route: &Route,
    entry: Arc<Entry>,
) -> Result<trilby_cgi::Route<Arc<Entry>>, String> {
    let Trigger::Http { path, methods, host } = &route.trigger else {
        return Err("not a path".to_owned());
    };
    let pattern = match app.precedence {
        Precedence::FirstMatch => trilby_cgi::Pattern::parse_wagi(path),
        Precedence::LongestMatch => trilby_cgi::Pattern::parse(path),
    };
    let host = host.as_deref().map(HostPattern::parse).transpose();
    let method = |name: &String| Method::from_bytes(name.as_bytes()).map_err(|e| e.to_string());
    Ok(trilby_cgi::Route {
        pattern: pattern.map_err(|error| error.to_string())?,
        methods: methods.iter().map(method).collect::<Result<_, _>>()?,
        host: host.map_err(|error| error.to_string())?,
        value: entry,
    })
}

/// `None` for a module without its program, which linking does not leave behind.
fn entry(
    app: &App,
    route: &Route,
    program: Option<&Program<Host>>,
    shared: &Shared,
) -> Option<Entry> {
    let answers = match &route.target {
        Target::Files(folder) => Answers::Files(Files::new(folder)),
        Target::Module(_) | Target::Registry(_) => {
            Answers::Guest(Arc::new(guest(app, route, program?, shared)))
        }
    };
    let (own, all) = (&route.limits, &app.server.limits);
    // Files take no turn of the process, so they always have a bound of their own.
    let is_of_its_own = matches!(route.target, Target::Files(_))
        || own.instances_max < all.instances_max
        || own.queue_depth_max < all.queue_depth_max;
    let admission = is_of_its_own.then(|| {
        let name = format!("{:?}", route.trigger);
        shared.admissions.get(&name, own.instances_max, own.queue_depth_max)
    });
    Some(Entry {
        route: route.clone(),
        label: Arc::from(label(&route.trigger)),
        response_headers: headers(&route.response_headers),
        admission,
        answers,
    })
}

fn guest(app: &App, route: &Route, program: &Program<Host>, shared: &Shared) -> Guest {
    let limits = &route.limits;
    let volumes = route.volumes.iter().map(|volume| Volume {
        guest: volume.guest.clone(),
        host: volume.host.clone(),
        writable: volume.writable,
    });
    let http = (!route.allowed_hosts.is_empty()).then(|| HttpSettings {
        outbound: shared.outbound.clone(),
        policy: Arc::new(Policy {
            allowed_hosts: route.allowed_hosts.clone(),
            allowed_networks: route.allowed_networks.clone(),
            timeout: limits.http_timeout,
            body_bytes_max: limits.http_body_bytes_max,
        }),
        calls_max: limits.http_calls_max,
    });
    Guest {
        program: program.clone(),
        host: HostSettings {
            blocks: Arc::clone(&shared.blocks),
            access: Arc::new(Access::new(route.grants.clone())),
            call_timeout: limits.dapr_timeout,
            http,
        },
        volumes: volumes.collect(),
        wagi_arguments: app.precedence == Precedence::FirstMatch,
        stderr_copy: shared.log.as_ref().map(|log| log.of(&label(&route.trigger))),
    }
}

/// Loading the manifest has seen that they are valid.
fn headers(pairs: &[(String, String)]) -> HeaderMap {
    let parsed = pairs.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value).ok()?))
    });
    parsed.collect()
}

/// A route's name in logs and messages.
pub(crate) fn label(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Http { path, .. } => path.clone(),
        Trigger::Topic { pubsub, topic, .. } => format!("{pubsub}/{topic}"),
        Trigger::Binding { name } => name.clone(),
        Trigger::Job { pattern } => pattern.to_string(),
        Trigger::Configuration { store, pattern } => format!("{store}/{pattern}"),
    }
}
