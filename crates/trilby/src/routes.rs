//! `trilby routes` and `trilby schema`.

use std::io::Write as _;

use serde_json::json;
use trilby_manifest::{App, Route, Trigger};

use crate::banner;
use crate::cli::RoutesOptions;
use crate::failure::Failure;
use crate::prepare::Workshop;
use crate::settings;
use crate::table::label;

/// Shows the table of routes as it is served, with those that modules of WAGI declare themselves.
pub(crate) fn run(options: &RoutesOptions) -> Result<(), Failure> {
    let runtime = settings::runtime()?;
    let prepared = Workshop::new(&options.app).prepare(runtime.handle())?;
    let app = prepared.app();
    let text = if options.json { as_json(app) } else { banner::table(&app.routes) };
    print(&text)
}

/// Prints the JSON Schema of the manifest.
pub(crate) fn schema() -> Result<(), Failure> {
    let schema = serde_json::to_string_pretty(&trilby_manifest::schema());
    print(&(schema.map_err(|error| Failure::Other(error.into()))? + "\n"))
}

fn print(text: &str) -> Result<(), Failure> {
    // Whoever reads may have seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn as_json(app: &App) -> String {
    let routes: Vec<_> = app.routes.iter().map(|route| row(app, route)).collect();
    format!("{:#}\n", json!({ "app": app.name, "routes": routes }))
}

fn row(app: &App, route: &Route) -> serde_json::Value {
    let (kind, methods, host) = match &route.trigger {
        Trigger::Http { methods, host, .. } => ("path", methods.clone(), host.clone()),
        Trigger::Topic { .. } => ("topic", Vec::new(), None),
        Trigger::Binding { .. } => ("binding", Vec::new(), None),
        Trigger::Job { .. } => ("job", Vec::new(), None),
        Trigger::Configuration { .. } => ("configuration", Vec::new(), None),
    };
    json!({
        kind: label(&route.trigger),
        "methods": methods,
        "host": host,
        "target": route.target.to_string(),
        "entrypoint": route.entrypoint,
        "file": app.file.display().to_string(),
        "line": route.place.line,
    })
}
