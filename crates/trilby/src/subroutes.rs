//! WAGI's `_routes`: a module that says itself which of its functions answer which paths.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::time::Instant;
use trilby_host::{Access, Host, HostSettings, Unavailable};
use trilby_manifest::{Loaded, Part, Precedence, Route, Trigger};
use trilby_sandbox::{Ending, Input, Job, LineSink, Linked, Module, RunLimits, pipe};

use crate::compile::Compiled;
use crate::failure::Failure;

/// The export that is called at the start.
const EXPORT: &str = "_routes";

/// What it may write.
const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// Asks each module of a `modules.toml` that has `_routes`, and puts its sub-routes before the
/// route that it has there: the last declared goes first, as in WAGI, and the route itself last.
pub(crate) fn expand(
    loaded: &mut Loaded,
    compiled: &Compiled,
    linked: &Linked<Host>,
    runtime: &Handle,
) -> Result<(), Failure> {
    if loaded.app.precedence != Precedence::FirstMatch {
        return Ok(());
    }
    let mut routes = Vec::new();
    let mut problems = Vec::new();
    for route in &loaded.app.routes {
        let module = route.target.module().and_then(|path| compiled.get(path)?.as_ref().ok());
        if let Some(module) = module.filter(|module| module.has_function(EXPORT)) {
            let asked = runtime.block_on(ask(route, module, linked));
            match asked.and_then(|text| parse(route, module, &text)) {
                Ok(subroutes) => routes.extend(subroutes.into_iter().rev()),
                Err(problem) => {
                    let title = format!("module {}: `{EXPORT}` {problem}", route.target);
                    problems.push(loaded.report(&route.place, Part::Module, &title, Some(HELP)));
                }
            }
        }
        routes.push(route.clone());
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n\n")));
    }
    loaded.app.routes = routes;
    Ok(())
}

const HELP: &str = "it prints a line for each sub-route, `/path function` or `/path/... function`";

/// Runs `_routes`, without arguments, variables, folders or any other capability.
async fn ask(route: &Route, module: &Module, linked: &Linked<Host>) -> Result<String, String> {
    let program = linked.program(module, EXPORT).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + route.limits.deadline;
    let (stdout, output) = pipe::new(OUTPUT_BYTES_MAX);
    let name = route.target.to_string();
    let settings = HostSettings {
        blocks: Arc::new(Unavailable),
        access: Arc::new(Access::default()),
        call_timeout: route.limits.dapr_timeout,
        http: None,
    };
    let job = Job {
        args: Vec::new(),
        env: Vec::new(),
        stdin: Input::empty(),
        stdout,
        stderr: LineSink::new(route.limits.stderr_bytes_max, move |line| {
            tracing::info!(target: "trilby::guest", module = &*name, "{line}");
        }),
        volumes: &[],
        host: Host::new(settings, deadline, None),
        limits: RunLimits { deadline, cpu: None, memory_bytes_max: route.limits.memory_bytes_max },
    };
    match program.run(job).await {
        Ending::Done => {}
        Ending::Trap(reason) => return Err(format!("trapped: {reason}")),
        Ending::Exit(code) => return Err(format!("exited with code {code}")),
        Ending::Deadline => return Err("did not end in time".to_owned()),
        Ending::Output => return Err(format!("wrote more than {OUTPUT_BYTES_MAX} bytes")),
        other => return Err(format!("failed: {other:?}")),
    }
    let mut text = Vec::new();
    while let Some(chunk) = output.try_read() {
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).map_err(|_| "wrote what is not UTF-8".to_owned())
}

/// The sub-routes in the order of their lines.
fn parse(parent: &Route, module: &Module, text: &str) -> Result<Vec<Route>, String> {
    let Trigger::Http { path: parent_path, .. } = &parent.trigger else { return Ok(Vec::new()) };
    let base = parent_path.strip_suffix("/...").unwrap_or(parent_path);
    let mut routes = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [subpath, function] = fields.as_slice() else {
            return Err(format!("wrote \"{}\", which is not two words", line.escape_debug()));
        };
        let path = format!("{}/{}", base.trim_end_matches('/'), subpath.trim_start_matches('/'));
        trilby_cgi::Pattern::parse_wagi(&path)
            .map_err(|error| format!("wrote the path \"{}\": {error}", path.escape_debug()))?;
        if !module.has_function(function) {
            let function = function.escape_debug();
            return Err(format!(
                "wrote the function \"{function}\", which the module does not export"
            ));
        }
        let trigger = Trigger::Http { path, methods: Vec::new(), host: None };
        routes.push(Route { trigger, entrypoint: (*function).to_owned(), ..parent.clone() });
    }
    if routes.is_empty() {
        return Err("wrote no route".to_owned());
    }
    Ok(routes)
}
