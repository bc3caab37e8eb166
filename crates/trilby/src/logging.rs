//! Log lines, on standard error.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, LogFormat};

/// Every WASI call of a guest has a span at level info: a tenth of the time of a small request, and
/// in front of each line that the guest writes.
const QUIET: &str = "wasmtime_wasi=warn,wiggle=warn";

/// The form that was chosen at the start.
static JSON: AtomicBool = AtomicBool::new(false);

/// Starts logging. A filter that cannot be read is replaced by the default, with a warning.
pub(crate) fn start(cli: &Cli) {
    // What is wrong with the filter must be seen whatever the filter says.
    let (filter, problem) =
        match EnvFilter::try_new(format!("{QUIET},trilby::logging=warn,{}", cli.log)) {
            Ok(filter) => (filter, None),
            Err(error) => (EnvFilter::new(format!("{QUIET},info")), Some(error)),
        };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let json = is_json_format(cli.log_format);
    JSON.store(json, Ordering::Relaxed);
    if json {
        lines.json().flatten_event(true).init();
    } else {
        lines.with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).init();
    }
    if let Some(error) = problem {
        tracing::warn!(%error, "cannot read the log filter; logging at level info");
    }
    for word in cli.log.split(',').map(str::trim).filter(|word| is_no_level(word)) {
        tracing::error!(
            "the log filter's `{word}` is no level, and stands for a part of the program of that name; \
             levels are off, error, warn, info, debug and trace"
        );
    }
}

/// Whether a word of the filter looks like a level and is none.
fn is_no_level(word: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_plain = !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphabetic());
    let is_ours = ["trilby", "hyper", "tonic", "tower", "rustls", "wasmtime"].contains(&word);
    is_plain && !is_ours && !LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level))
}

/// Whether the log is for machines.
pub(crate) fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

fn is_json_format(format: LogFormat) -> bool {
    let in_pod = || {
        ["K_SERVICE", "KUBERNETES_SERVICE_HOST"].iter().any(|name| std::env::var_os(name).is_some())
    };
    match format {
        LogFormat::Auto => in_pod(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    }
}
