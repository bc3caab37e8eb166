//! Reads `trilby.toml` and WAGI's `modules.toml` into a validated [`App`].
//!
//! In the order in which a file passes through: `load` chooses and reads the file; `source` keeps
//! its text, to show the lines that messages are about; `reader` gives typed access to a parsed
//! table; `trilby_toml` and `modules_toml` read the two formats, with `route`, `trigger`, `http`,
//! `topic`,
//! `target`, `argv`, `guest`, `granted`, `networks`, `limits` and `paths` for their parts; `across` and `cover`
//! check the routes against each other.
//!
//! Every problem of a file is found and reported at once (`findings`), each with its place. What
//! later stages find is reported in the same way, by [`Loaded::report`].
//!
//! Beside it stand [`schema`], the JSON Schema of `trilby.toml`; [`migrate()`], which makes a
//! `trilby.toml` of a `modules.toml`; and [`parse_env_file`], for variables from outside.
//!
//! # `trilby.toml`
//!
//! ```toml
//! version = 1                      # required
//! name = "orders"                  # the Dapr app id; default: the folder's name
//!
//! [dapr]
//! components = "components"        # default: this folder, if it exists
//! apps = { billing = "http://127.0.0.1:4000" } # other apps here, for `invoke` without a sidecar
//!
//! [server]
//! trusted-proxies = ["10.0.0.0/8"] # whose Forwarded and X-Forwarded-* are believed; default: none
//!
//! [limits]                         # of every request; these are the defaults
//! deadline = "10s"                 # wall time; all times are at most 1h
//! cpu = "10s"                      # computing time; default: the deadline
//! memory = "64 MiB"                # 64 KiB to 4 GiB
//! head-in = "64 KiB"               # 1 KiB to 256 KiB
//! body-in = "10 MiB"
//! head-out = "64 KiB"              # 256 B to 1 MiB
//! body-out = "64 MiB"
//! stderr = "64 KiB"
//! dapr-timeout = "5s"              # of one Dapr call
//! http-timeout = "5s"              # of one outbound HTTP request
//! http-body = "10 MiB"             # of the outbound responses that a guest has open
//! http-calls = 8                   # of these open at once, at most 1000
//! concurrency = 256                # of the process; a route may have less
//! queue = 1024                     # of the process; a route may have its own
//! connections = 10000              # of the process
//! head-timeout = "30s"             # of the process
//! write-timeout = "30s"            # of the process
//!
//! [env]                            # given to all guests
//! GREETING = "hello"
//!
//! [[route]]
//! path = "/orders/:id/..."         # or topic, binding, job, configuration: see below
//! methods = ["GET", "POST"]        # default: all; HEAD goes with GET
//! host = "api.example.com"         # or "*.example.com"; default: every host
//! module = "orders.wasm"           # relative to this file's folder, as all paths; or "oci:…"
//! build = "make orders.wasm"       # run when the module is missing or older than a source
//! sources = ["src"]                # default: the manifest's folder
//! entrypoint = "_start"
//! argv = "${SCRIPT_NAME} ${ARGS}"  # WAGI's template; default: the arguments of RFC 3875
//! env = { GREETING = "hi" }
//! volumes = { "/in" = "in", "/out" = { host = "out", writable = true } }
//! allowed-hosts = ["https://api.example.com", "http://*.internal:8080"] # default: none
//! allowed-networks = ["10.0.0.0/8"] # private networks where these may be; default: none
//! authorization = false            # whether the guest sees the Authorization header
//! response-headers = { "Cache-Control" = "no-store" } # unless the guest sets them itself
//! limits = { deadline = "1s" }     # all but those of the process
//!
//! [route.grants]                   # default: nothing
//! state = ["store/key", "store/prefix*"]
//! state-read = ["store/key"]       # one half of `state`; the other one is
//! state-write = ["store/key"]
//! state-query = ["store"]
//! publish = ["pubsub/topic"]
//! bindings = ["name/operation"]
//! invoke = ["app/method", "app/v1/*"]
//! secrets = ["store/name"]
//! configuration = ["store/key"]
//! lock = ["store/resource"]
//! jobs = ["name", "prefix*"]
//! encrypt = ["component/key"]
//! decrypt = ["component/key"]
//! conversation = ["component"]
//! actors = ["Type/id"]
//! metadata = ["read", "write"]
//! call = ["ListActorReminders"]    # any other unary rpc of Dapr
//!
//! [[route]]
//! topic = "pubsub/orders"
//! match = "event.type == 'placed'" # CEL; the route of the topic without it gets the rest
//! dead-letter = "failed-orders"    # for events that could not be delivered
//! bulk = { max-messages = 100, max-await = "1s" } # or true: several events at once
//! raw-payload = false              # whether what is published has no CloudEvents envelope
//! envelope = false                 # whether the guest gets the envelope instead of its data
//! module = "orders.wasm"
//!
//! [[route]]
//! binding = "nightly"              # an input binding, by its component's name
//! module = "orders.wasm"
//!
//! [[route]]
//! job = "report-*"                 # the app's jobs, by name
//! module = "orders.wasm"
//!
//! [[route]]
//! configuration = "store/key"      # changes of a key; or "store/prefix*", or "store"
//! module = "orders.wasm"
//!
//! [[route]]
//! path = "/static/..."
//! files = "public"                 # a folder to serve, instead of a module
//! ```
//!
//! An unknown key is an error. The most specific host wins, and then the longest matching path, in
//! whatever order they stand. Two routes may have one path if their hosts or their methods differ.
//!
//! # `modules.toml`
//!
//! It is read as WAGI 0.8 does: the first matching entry wins, an unknown key is ignored (here
//! with a warning), volumes may be written to, and one whose folder is missing is left out. What
//! differs:
//!
//! - A relative module or volume is looked for beside the manifest first, and only then, as in
//!   WAGI, in the working directory.
//! - `bindle:` references and `bindle_server` are refused.
//! - Items of `allowed_hosts` allow their scheme and port only, where WAGI looks at the host alone;
//!   without `http_max_concurrency` there may be as many responses as a `trilby.toml` allows by
//!   default.
//! - Paths that can match no request, or only one that Trilby answers itself, are refused.

mod across;
mod allowed_host;
mod app;
mod apps;
mod argv;
mod cover;
mod env_file;
mod error;
mod findings;
mod granted;
mod grants;
mod guest;
mod http;
mod limits;
mod load;
mod migrate;
mod modules_toml;
mod names;
mod networks;
mod paths;
mod reader;
mod route;
mod schema;
mod source;
mod target;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod topic;
mod trigger;
mod trilby_toml;

pub use allowed_host::{AllowedHost, AllowedHostError};
pub use app::{
    App, Build, BulkOptions, Limits, Origin, Origins, Part, Place, Precedence, ProcessLimits,
    Route, Server, Target, TopicOptions, Trigger, Volume,
};
pub use env_file::{parse_env_file, parse_env_flag};
pub use error::Error;
pub use grants::{Grant, Grants, MetadataGrant, Pattern};
pub use load::{Loaded, load};
pub use migrate::{MigrateError, Migrated, migrate};
pub use networks::parse_network;
pub use schema::schema;
