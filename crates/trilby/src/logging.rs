//! Log lines, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, LogFormat};

/// Every WASI call of a guest has a span at level info: a tenth of the time of a small request, and
/// in front of each line that the guest writes.
const QUIET: &str = "wasmtime_wasi=warn,wiggle=warn";

/// Starts logging. A filter that cannot be read is replaced by the default, with a warning.
pub(crate) fn start(cli: &Cli) {
    let (filter, problem) = match EnvFilter::try_new(format!("{QUIET},{}", cli.log)) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(format!("{QUIET},info")), Some(error)),
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if is_json(cli.log_format) {
        lines.json().flatten_event(true).init();
    } else {
        lines.with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).init();
    }
    if let Some(error) = problem {
        tracing::warn!(%error, "cannot read the log filter; logging at level info");
    }
}

fn is_json(format: LogFormat) -> bool {
    let in_pod = || {
        ["K_SERVICE", "KUBERNETES_SERVICE_HOST"].iter().any(|name| std::env::var_os(name).is_some())
    };
    match format {
        LogFormat::Auto => in_pod(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    }
}
