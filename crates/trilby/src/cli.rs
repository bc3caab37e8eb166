//! Flags. Parsing does no I/O.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Serve WebAssembly modules over HTTP, with Dapr's building blocks beside them.
#[derive(Debug, Parser)]
#[command(name = "trilby", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The form of log lines
    #[arg(long, global = true, env = "TRILBY_LOG_FORMAT", default_value = "auto")]
    pub(crate) log_format: LogFormat,

    /// What to log, as for `RUST_LOG`: a level, or `target=level` pairs
    #[arg(long, global = true, env = "TRILBY_LOG", default_value = "info")]
    pub(crate) log: String,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// JSON in a pod (`K_SERVICE` or `KUBERNETES_SERVICE_HOST` is set), text elsewhere
    Auto,
    /// For people
    Text,
    /// One object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a folder, a manifest or a single module
    Serve(ServeOptions),
    /// Build the modules that are missing or older than their sources, and end
    Build(BuildOptions),
}

#[derive(Debug, Args)]
pub(crate) struct BuildOptions {
    /// A folder with `trilby.toml`, or that file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// A folder with `trilby.toml` or `modules.toml`, one of those files, or a `.wasm`/`.wat`
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,

    /// Address to listen on [default: 0.0.0.0:$PORT if PORT is set, else 127.0.0.1:3000]
    #[arg(long, short, env = "TRILBY_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Do not build modules, even when they are missing or older than their sources
    #[arg(long, env = "TRILBY_NO_BUILD")]
    pub(crate) no_build: bool,

    /// Folder of compiled modules [default: trilby/modules in the user's cache folder]
    #[arg(long, env = "TRILBY_CACHE_DIR", value_name = "FOLDER", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile every module at start, and keep nothing
    #[arg(long, env = "TRILBY_NO_CACHE")]
    pub(crate) no_cache: bool,

    /// Folder for the embedded runtime's own files, such as the default state store
    #[arg(long, env = "TRILBY_DATA_DIR", value_name = "FOLDER", default_value = ".trilby")]
    pub(crate) data_dir: PathBuf,

    /// Folder of Dapr component files, instead of the manifest's
    #[arg(long, env = "TRILBY_COMPONENTS", value_name = "FOLDER")]
    pub(crate) components: Option<PathBuf>,

    /// After a signal, keep accepting for this long while `/readyz` says no
    #[arg(long, env = "TRILBY_DRAIN_SETTLE", default_value = "250ms", value_parser = duration)]
    pub(crate) drain_settle: Duration,

    /// After that, wait this long for requests in flight and events not delivered yet. Together
    /// with the settling it fits into the 30s that Kubernetes gives a pod to end
    #[arg(long, env = "TRILBY_DRAIN_TIMEOUT", default_value = "25s", value_parser = duration)]
    pub(crate) drain_timeout: Duration,
}

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_takes_a_path_and_flags() {
        let cli = Cli::parse_from(["trilby", "serve", "app", "--listen", "[::1]:0", "--no-build"]);
        let Command::Serve(options) = cli.command else { panic!("not serve") };
        assert_eq!(options.path, PathBuf::from("app"));
        assert_eq!(options.listen, "[::1]:0".parse().ok());
        assert!(options.no_build);
        assert_eq!(options.drain_timeout, Duration::from_secs(25));
    }
}
