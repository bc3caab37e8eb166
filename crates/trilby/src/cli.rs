//! Flags. Parsing does no I/O.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::subscriptions::Subscriptions;

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
    Serve(Box<ServeOptions>),
    /// Find everything that is wrong with an application, without serving it
    Check(CheckOptions),
    /// Show which path leads to which module
    Routes(RoutesOptions),
    /// Build the modules that are missing or older than their sources, and end
    Build(BuildOptions),
    /// Print the JSON Schema of `trilby.toml`, for editors
    Schema,
    /// Print the `trilby.toml` that does what a `modules.toml` of WAGI does
    Migrate(MigrateOptions),
}

/// What an application is, and how its modules are come by.
#[derive(Clone, Debug, Args)]
pub(crate) struct AppOptions {
    /// A folder with `trilby.toml` or `modules.toml`, one of those files, or a `.wasm`/`.wat`
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,

    /// A variable for all guests, over those of the manifest; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,

    /// A file of such variables, a line NAME=VALUE for each; may be repeated
    #[arg(long, env = "TRILBY_ENV_FILE", value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,

    /// Do not build modules, even when they are missing or older than their sources
    #[arg(long, env = "TRILBY_NO_BUILD")]
    pub(crate) no_build: bool,

    /// How long one build command may take
    #[arg(long, env = "TRILBY_BUILD_TIMEOUT", default_value = "15m", value_parser = duration)]
    pub(crate) build_timeout: Duration,

    /// Folder of compiled modules [default: trilby/modules in the user's cache folder]
    #[arg(long, env = "TRILBY_CACHE_DIR", value_name = "FOLDER", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile every module at start, and keep nothing
    #[arg(long, env = "TRILBY_NO_CACHE")]
    pub(crate) no_cache: bool,

    /// Folder of modules from registries [default: trilby/oci in the user's cache folder]
    #[arg(long, env = "TRILBY_MODULE_STORE", value_name = "FOLDER")]
    pub(crate) module_store: Option<PathBuf>,

    /// A registry that is asked by plain HTTP, as HOST or HOST:PORT; may be repeated. This machine's
    /// own need no mention
    #[arg(long, env = "TRILBY_INSECURE_REGISTRY", value_name = "HOST", value_delimiter = ',')]
    pub(crate) insecure_registry: Vec<String>,

    /// How long fetching one module may take
    #[arg(long, env = "TRILBY_PULL_TIMEOUT", default_value = "60s", value_parser = duration)]
    pub(crate) pull_timeout: Duration,
}

/// Where the building blocks come from.
#[derive(Clone, Debug, Args)]
pub(crate) struct DaprOptions {
    /// Folder for the embedded runtime's own files, such as the default state store
    #[arg(long, env = "TRILBY_DATA_DIR", value_name = "FOLDER", default_value = ".trilby")]
    pub(crate) data_dir: PathBuf,

    /// Folder of Dapr component files, instead of the manifest's
    #[arg(long, env = "TRILBY_COMPONENTS", value_name = "FOLDER")]
    pub(crate) components: Option<PathBuf>,

    /// File of Dapr's kind `Configuration` for the embedded runtime, beside the components
    #[arg(long, env = "TRILBY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// How events of topics come from a sidecar
    #[arg(long, env = "TRILBY_SUBSCRIPTIONS", value_enum, default_value = "auto")]
    pub(crate) subscriptions: Subscriptions,
}

/// Dapr's API, served over the embedded runtime to other processes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Dapr's API, served")]
pub(crate) struct ApiOptions {
    /// Port of Dapr's gRPC API, for any Dapr SDK; 0 takes a free one
    #[arg(long, env = "TRILBY_DAPR_GRPC_PORT", value_name = "PORT")]
    pub(crate) dapr_grpc_port: Option<u16>,

    /// Port of Dapr's HTTP API; 0 takes a free one
    #[arg(long, env = "TRILBY_DAPR_HTTP_PORT", value_name = "PORT")]
    pub(crate) dapr_http_port: Option<u16>,

    /// Folder for Unix sockets of both, `dapr-APP-grpc.socket` and `dapr-APP-http.socket`
    #[arg(long, env = "TRILBY_DAPR_UNIX_SOCKET", value_name = "FOLDER")]
    pub(crate) dapr_unix_socket: Option<PathBuf>,

    /// Address of both ports. With one that others reach, set DAPR_API_TOKEN: callers must send it
    #[arg(
        long,
        env = "TRILBY_DAPR_LISTEN_ADDRESS",
        value_name = "ADDRESS",
        default_value = "127.0.0.1"
    )]
    pub(crate) dapr_listen_address: IpAddr,
}

#[derive(Debug, Args)]
pub(crate) struct BuildOptions {
    /// A folder with `trilby.toml`, or that file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,

    /// How long one build command may take
    #[arg(long, env = "TRILBY_BUILD_TIMEOUT", default_value = "15m", value_parser = duration)]
    pub(crate) build_timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    pub(crate) app: AppOptions,

    #[command(flatten)]
    pub(crate) dapr: DaprOptions,

    /// Print every limit of every route, and where it was set
    #[arg(long)]
    pub(crate) show: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RoutesOptions {
    #[command(flatten)]
    pub(crate) app: AppOptions,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateOptions {
    #[command(flatten)]
    pub(crate) app: AppOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    pub(crate) app: AppOptions,

    #[command(flatten)]
    pub(crate) dapr: DaprOptions,

    /// Address to listen on [default: 0.0.0.0:$PORT if PORT is set, else 127.0.0.1:3000]
    #[arg(long, short, env = "TRILBY_LISTEN", value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,

    /// Certificate chain for TLS, in PEM; read again when it changes
    #[arg(long, env = "TRILBY_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key for TLS, in PEM
    #[arg(long, env = "TRILBY_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Proxies whose word about the client is taken, instead of the manifest's: addresses or
    /// networks, with commas between them
    #[arg(long, env = "TRILBY_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    pub(crate) trusted_proxies: Option<Vec<String>>,

    /// Write what guests print on standard error to files below this folder too, one for each route
    #[arg(long, env = "TRILBY_LOG_DIR", value_name = "FOLDER")]
    pub(crate) log_dir: Option<PathBuf>,

    /// Load the application again when its manifest, modules or sources change
    #[arg(long, env = "TRILBY_WATCH")]
    pub(crate) watch: bool,

    /// Tell clients why a module failed; for development
    #[arg(long, env = "TRILBY_SHOW_ERRORS")]
    pub(crate) show_errors: bool,

    /// After a signal, keep accepting for this long while `/readyz` says no
    #[arg(long, env = "TRILBY_DRAIN_SETTLE", default_value = "250ms", value_parser = duration)]
    pub(crate) drain_settle: Duration,

    /// After that, wait this long for requests in flight and events not delivered yet. Together
    /// with the settling it fits into the 30s that Kubernetes gives a pod to end
    #[arg(long, env = "TRILBY_DRAIN_TIMEOUT", default_value = "25s", value_parser = duration)]
    pub(crate) drain_timeout: Duration,

    // Last: its heading would stand over what comes after it.
    #[command(flatten)]
    pub(crate) api: ApiOptions,
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
        assert_eq!(options.app.path, PathBuf::from("app"));
        assert_eq!(options.listen.as_deref(), Some("[::1]:0"));
        assert!(options.app.no_build);
        assert_eq!(options.drain_timeout, Duration::from_secs(25));
    }
}
