//! `trilby check`: everything that is wrong, and every limit.

use std::fmt::Write as _;
use std::io::Write as _;

use bytesize::ByteSize;
use trilby_manifest::{App, Limits, Origin, Origins, ProcessLimits};

use crate::cli::CheckOptions;
use crate::dapr;
use crate::failure::Failure;
use crate::prepare::Workshop;
use crate::settings;
use crate::table::label;

/// Loads an application as `trilby serve` would, up to what it would open.
pub(crate) fn run(options: &CheckOptions) -> Result<(), Failure> {
    let runtime = settings::runtime()?;
    let prepared = Workshop::new(&options.app).prepare(runtime.handle())?;
    dapr::check(&prepared.loaded, &options.dapr)?;
    let app = prepared.app();
    let mut text = String::new();
    if options.show {
        text.push_str(&shown(app));
        text.push('\n');
    }
    let (routes, modules) = (app.routes.len(), prepared.programs.modules);
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {routes} route{}, {modules} module{}, no error found{}",
        app.file.display(),
        plural(routes),
        plural(modules),
        match prepared.loaded.warnings.len() {
            0 => String::new(),
            warnings => format!(", {warnings} warning{}", plural(warnings)),
        }
    );
    // Nobody may be reading.
    let _ = write!(std::io::stdout(), "{text}");
    Ok(())
}

/// Every limit, and where it was set.
fn shown(app: &App) -> String {
    let mut text = String::from("process\n");
    let origins = &app.server.origins;
    for (key, value) in process(&app.server.limits) {
        line(&mut text, key, &value, origins);
    }
    for route in &app.routes {
        let _ = writeln!(text, "\n{}", label(&route.trigger));
        for (key, value) in of_request(&route.limits) {
            line(&mut text, key, &value, &route.origins);
        }
    }
    text
}

fn line(text: &mut String, key: &str, value: &str, origins: &Origins) {
    let origin = match origins.get(key) {
        None | Some(Origin::Default) => "default".to_owned(),
        Some(Origin::App(line)) => format!("[limits], line {line}"),
        Some(Origin::Route(line)) => format!("the route, line {line}"),
    };
    let _ = writeln!(text, "  {key:<14} {value:<12} {origin}");
}

fn process(limits: &ProcessLimits) -> [(&'static str, String); 5] {
    [
        ("concurrency", limits.instances_max.to_string()),
        ("queue", limits.queue_depth_max.to_string()),
        ("connections", limits.connections_max.to_string()),
        ("head-timeout", time(limits.head_timeout)),
        ("write-timeout", time(limits.write_timeout)),
    ]
}

fn of_request(limits: &Limits) -> [(&'static str, String); 14] {
    [
        ("deadline", time(limits.deadline)),
        ("cpu", time(limits.cpu)),
        ("memory", size(limits.memory_bytes_max)),
        ("head-in", size(limits.head_in_bytes_max)),
        ("body-in", size(limits.body_in_bytes_max)),
        ("head-out", size(limits.head_out_bytes_max)),
        ("body-out", size(limits.body_out_bytes_max)),
        ("stderr", size(limits.stderr_bytes_max)),
        ("dapr-timeout", time(limits.dapr_timeout)),
        ("http-timeout", time(limits.http_timeout)),
        ("http-body", size(limits.http_body_bytes_max)),
        ("http-calls", limits.http_calls_max.to_string()),
        ("concurrency", limits.instances_max.to_string()),
        ("queue", limits.queue_depth_max.to_string()),
    ]
}

fn time(duration: std::time::Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn size(bytes: usize) -> String {
    // Exact, so that what is shown can be written into a manifest.
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let unit = [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        .into_iter()
        .find(|(shift, _)| bytes >= 1 << shift && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(
        || ByteSize(bytes).0.to_string() + " B",
        |(shift, unit)| format!("{} {unit}", bytes >> shift),
    )
}
