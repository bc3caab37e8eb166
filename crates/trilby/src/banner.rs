//! What is served, told once at the start on standard output.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use trilby_manifest::{App, Grants, Limits, Route, Trigger};

use crate::dapr::Dapr;
use crate::load::label;

pub(crate) fn print(
    app: &App,
    dapr: &Dapr,
    local: SocketAddr,
    ready: Duration,
    (modules, cached): (usize, usize),
) {
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
        "\ndapr      {}\nserving   http://{local}\nready in {} ms  ({modules} {noun}, {cached} from \
         the cache)\n",
        backend(dapr),
        ready.as_millis(),
    );
    // Nobody may be reading; the server serves all the same.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn backend(dapr: &Dapr) -> String {
    match dapr {
        Dapr::Sidecar(sidecar) => format!("sidecar at {}", sidecar.address()),
        Dapr::Embedded(runtime) => {
            let components: Vec<String> = runtime
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

fn table(routes: &[Route]) -> String {
    let mut rows = vec![["ROUTE", "MODULE", "LIMITS", "GRANTS"].map(str::to_owned)];
    for route in routes {
        let kind = match route.trigger {
            Trigger::Http { .. } => "ANY",
            Trigger::Topic { .. } => "SUB",
            Trigger::Binding { .. } => "BIND",
        };
        let module = route.module.file_name().map(|name| name.to_string_lossy().into_owned());
        rows.push([
            format!("{kind:<4} {}", label(&route.trigger)),
            module.unwrap_or_default(),
            limits(&route.limits),
            grants(&route.grants),
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

fn limits(limits: &Limits) -> String {
    let deadline = Duration::from_millis(u64::try_from(limits.deadline.as_millis()).unwrap_or(0));
    format!("{}, {} MiB", humantime::format_duration(deadline), limits.memory_bytes_max >> 20)
}

fn grants(grants: &Grants) -> String {
    let blocks = [
        ("state", &grants.state),
        ("publish", &grants.publish),
        ("binding", &grants.bindings),
        ("secret", &grants.secrets),
    ];
    let all: Vec<String> = blocks
        .iter()
        .flat_map(|(block, grants)| grants.iter().map(move |grant| format!("{block}:{grant}")))
        .collect();
    if all.is_empty() { "-".to_owned() } else { all.join(" ") }
}
