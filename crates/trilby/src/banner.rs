//! What is served, told once at the start on standard output.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use trilby_dapr_api::{Addresses, Api};
use trilby_manifest::{App, Limits, Route, Target, Trigger};

use crate::compile::short_name;
use crate::dapr::Dapr;
use crate::logging;
use crate::table::label;

pub(crate) fn print(
    app: &App,
    (dapr, api): (&Dapr, Option<&Api>),
    url: &str,
    ready: Duration,
    (modules, cached): (usize, usize),
) {
    if logging::is_json() {
        let millis = u64::try_from(ready.as_millis()).unwrap_or(u64::MAX);
        let (app, routes) = (app.name.as_str(), app.routes.len());
        let dapr_api = api.map(self::api);
        tracing::info!(app, url, dapr_api, routes, modules, cached, millis, "serving");
        return;
    }
    let mut text = format!(
        "trilby {}   {}  ({})\n\n",
        env!("CARGO_PKG_VERSION"),
        app.name,
        app.file.display()
    );
    text.push_str(&table(&app.routes));
    let noun = if modules == 1 { "module" } else { "modules" };
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\ndapr      {}\n{}serving   {url}\nready in {} ms  ({modules} {noun}, {cached} from \
         the cache)\n",
        backend(dapr),
        api.map_or_else(String::new, |api| format!("dapr api  {}\n", self::api(api))),
        ready.as_millis(),
    );
    // Nobody may be reading; the server serves all the same.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Where Dapr's API is served.
fn api(api: &Api) -> String {
    let Addresses { grpc, http, sockets } = api.addresses();
    let grpc = grpc.map(|address| format!("grpc://{address}"));
    let http = http.map(|address| format!("http://{address}"));
    let sockets = sockets.iter().flat_map(|(grpc, http)| [grpc, http]);
    let sockets = sockets.map(|path| format!("unix://{}", path.display()));
    grpc.into_iter().chain(http).chain(sockets).collect::<Vec<_>>().join(", ")
}

fn backend(dapr: &Dapr) -> String {
    match dapr {
        Dapr::Sidecar(sidecar) => format!("sidecar at {}", sidecar.address()),
        Dapr::Embedded(runtime, _) => {
            let components: Vec<String> = runtime
                .inventory()
                .components()
                .iter()
                .map(|component| format!("{} ({})", component.name, component.type_name))
                .collect();
            if components.is_empty() {
                return "embedded, no components".to_owned();
            }
            format!("embedded: {}", components.join(", "))
        }
    }
}

/// The routes, with what answers and what it may do.
pub(crate) fn table(routes: &[Route]) -> String {
    let mut rows = vec![["ROUTE", "MODULE", "LIMITS", "GRANTS"].map(str::to_owned)];
    let kinds = routes.iter().map(|route| kind(&route.trigger).len()).max().unwrap_or(0).max(4);
    for route in routes {
        let kind = kind(&route.trigger);
        let host = match &route.trigger {
            Trigger::Http { host: Some(host), .. } => host.as_str(),
            _ => "",
        };
        let (bounds, granted) = match route.target {
            Target::Files(_) => ("files".to_owned(), "-".to_owned()),
            _ => (limits(&route.limits), grants(route)),
        };
        let entry = match route.entrypoint.as_str() {
            "_start" => String::new(),
            other => format!(" {other}"),
        };
        rows.push([
            format!("{kind:<kinds$} {host}{}", label(&route.trigger)),
            short_name(&route.target) + &entry,
            bounds,
            granted,
        ]);
    }
    let mut widths = [0; 3];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let [a, b, c] = widths;
    rows.iter()
        .map(|[route, module, limits, grants]| {
            let line = format!("{route:<a$}  {module:<b$}  {limits:<c$}  {grants}");
            format!("{}\n", line.trim_end())
        })
        .collect()
}

/// The methods of a path, or what else starts the module.
fn kind(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Http { methods, .. } if methods.is_empty() => "ANY".to_owned(),
        Trigger::Http { methods, .. } => methods.join(","),
        Trigger::Topic { .. } => "SUB".to_owned(),
        Trigger::Binding { .. } => "BIND".to_owned(),
        Trigger::Job { .. } => "JOB".to_owned(),
        Trigger::Configuration { .. } => "CONF".to_owned(),
    }
}

fn limits(limits: &Limits) -> String {
    let deadline = Duration::from_millis(u64::try_from(limits.deadline.as_millis()).unwrap_or(0));
    format!("{}, {} MiB", humantime::format_duration(deadline), limits.memory_bytes_max >> 20)
}

fn grants(route: &Route) -> String {
    let grants = &route.grants;
    let blocks = [
        ("state", &grants.state),
        ("state-read", &grants.state_read),
        ("state-write", &grants.state_write),
        ("state-query", &grants.state_query),
        ("publish", &grants.publish),
        ("binding", &grants.bindings),
        ("invoke", &grants.invoke),
        ("secret", &grants.secrets),
        ("configuration", &grants.configuration),
        ("lock", &grants.lock),
        ("encrypt", &grants.encrypt),
        ("decrypt", &grants.decrypt),
        ("actor", &grants.actors),
    ];
    let mut all: Vec<String> = blocks
        .iter()
        .flat_map(|(block, grants)| grants.iter().map(move |grant| format!("{block}:{grant}")))
        .collect();
    all.extend(grants.jobs.iter().map(|pattern| format!("job:{pattern}")));
    all.extend(grants.conversation.iter().map(|name| format!("conversation:{name}")));
    all.extend(grants.metadata.iter().map(|grant| format!("metadata:{grant}")));
    all.extend(grants.call.iter().map(|rpc| format!("call:{rpc}")));
    all.extend(route.allowed_hosts.iter().map(ToString::to_string));
    if all.is_empty() { "-".to_owned() } else { all.join(" ") }
}
