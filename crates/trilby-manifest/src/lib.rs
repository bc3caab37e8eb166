//! Reads `trilby.toml` and WAGI's `modules.toml` into a validated [`App`].
//!
//! In the order in which a file passes through: `load` chooses and reads the file; `source` keeps
//! its text, to show the lines that messages are about; `reader` gives typed access to a parsed
//! table; `trilby_toml` and `modules_toml` read the two formats, with `route`, `trigger`,
//! `guest`, `limits`, `paths` and `reference` for their parts; `across` checks the routes against
//! each other.
//!
//! Every problem of a file is found and reported at once (`findings`), each with its place.
//!
//! # `trilby.toml`
//!
//! ```toml
//! version = 1                      # required
//! name = "orders"                  # the Dapr app id; default: the folder's name
//!
//! [dapr]
//! components = "components"        # default: this folder, if it exists
//!
//! [limits]                         # of every request; these are the defaults
//! deadline = "10s"                 # at most 1h
//! memory = "64 MiB"                # 64 KiB to 4 GiB
//! body-in = "10 MiB"
//! body-out = "64 MiB"
//! stderr = "64 KiB"
//! dapr-timeout = "5s"              # at most 1h
//! concurrency = 256                # of the process
//! queue = 1024                     # of the process
//!
//! [env]                            # given to all guests
//! GREETING = "hello"
//!
//! [[route]]
//! path = "/orders/..."             # or topic = "pubsub/topic", or binding = "name"
//! module = "orders.wasm"           # relative to this file's folder, as all paths
//! build = "make orders.wasm"       # run when the module is missing or older than a source
//! sources = ["src"]                # default: the manifest's folder
//! entrypoint = "_start"
//! argv = "${SCRIPT_NAME} ${ARGS}"  # WAGI's template; default: the arguments of RFC 3875
//! env = { GREETING = "hi" }
//! volumes = { "/in" = "in", "/out" = { host = "out", writable = true } }
//! limits = { deadline = "1s" }     # all but those of the process
//!
//! [route.grants]                   # default: nothing
//! state = ["store/key", "store/prefix*"]
//! publish = ["pubsub/topic"]
//! bindings = ["name"]
//! secrets = ["store/name"]
//! ```
//!
//! An unknown key is an error. The longest matching path wins, in whatever order they stand.
//!
//! # `modules.toml`
//!
//! It is read as WAGI 0.8 does: the first matching entry wins, an unknown key is ignored (here
//! with a warning), volumes may be written to, and one whose folder is missing is left out. What
//! differs:
//!
//! - A relative module or volume is looked for beside the manifest first, and only then, as in
//!   WAGI, in the working directory.
//! - Modules come from files only: `oci:` and `bindle:` references, and `bindle_server`, are
//!   refused.
//! - Guests have no outbound HTTP: `allowed_hosts` and `http_max_concurrency` have no effect.
//! - Paths that can match no request, or only one that Trilby answers itself, are refused.

mod across;
mod app;
mod error;
mod findings;
mod grants;
mod guest;
mod limits;
mod load;
mod modules_toml;
mod names;
mod paths;
mod reader;
mod reference;
mod route;
mod source;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trigger;
mod trilby_toml;

pub use app::{App, Build, Limits, Place, Precedence, Route, Trigger, Volume};
pub use error::Error;
pub use grants::{Grant, Grants, Pattern};
pub use load::{Loaded, load};
