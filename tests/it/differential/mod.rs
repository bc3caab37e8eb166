//! The differential suite: the same client does the same at a real daprd and at the embedded
//! runtime's served Dapr API, over HTTP and over gRPC, and what the two tell is compared.
//!
//! A case (see [`case`]) is a list of steps; run over one protocol, it gives a transcript. Ids,
//! times and addresses are replaced by their kind, and lists whose order means nothing are sorted;
//! all else must be equal, but for the differences that `crates/trilby-embedded/DIFFERENCES.md` has
//! a row for: these must show.

mod across;
mod case;
mod cases;
mod compare;
mod components;
mod differences;
mod groups;
mod normal;
mod run;
mod session;
mod steps;
mod subscription;
mod watch;

use anyhow::Result;
use trilby_testkit::{Backend, Options};

use cases::{api, bare, bindings, conversation, crypto, jobs, publish, secrets, state, watched};
use groups::{Setup, check, sides};

/// What most groups have; the name is a group's own.
const PLAIN: Setup =
    Setup { name: "", options: with_secrets, components: components::all, redis: &[] };

fn with_secrets() -> Options {
    let variables = [("SUITE_SECRET", "from the environment"), ("SUITE_EMPTY", "")];
    let env: Vec<_> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Options { daprd_env: env.clone(), env, ..Options::default() }
}

/// Declares tests, one for each group.
macro_rules! groups {
    ($($name:ident: $setup:expr, $cases:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<()> {
            check(&Setup { name: stringify!($name), ..$setup }, $cases).await
        }
    )*};
}

groups! {
    state_in_memory: PLAIN, state("memory");
    state_in_sqlite: PLAIN, state("sqlite");
    state_refused: PLAIN, [cases::state_errors::errors(), cases::state_errors::prefixes()];
    publishing: PLAIN, [publish::all()];
    binding: PLAIN, [bindings::all()];
    secret: PLAIN, [secrets::all()];
    secret_scopes: SCOPED, [secrets::scoped()];
    encryption: PLAIN, [crypto::all()];
    conversing: PLAIN, [conversation::all()];
    the_api: PLAIN, [api::told(), api::unknown(), api::actors(), api::sizes()];
    invocation: PLAIN, [api::invocation()];
    tokens: GUARDED, [api::tokens()];
    configuration: CONFIGURED, [watched::values(true)];
    configuration_in_redis: CONFIGURED_IN_REDIS, [watched::values(false)];
    locks: LOCKED, [watched::locks()];
    locks_in_redis: LOCKED_IN_REDIS, [watched::locks()];
    state_in_redis: IN_REDIS, state("redis");
    jobs: SCHEDULED, [jobs::all()];
    nothing: BARE, [bare::all()];
}

const SCOPED: Setup = Setup {
    options: || Options { configuration: Some(SCOPES.to_owned()), ..with_secrets() },
    ..PLAIN
};

const SCOPES: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: scopes
spec:
  secrets:
    scopes:
      - {storeName: secrets, defaultAccess: deny, allowedSecrets: [plain, none]}
      - {storeName: many, defaultAccess: allow, deniedSecrets: [plain]}
";

const GUARDED: Setup = Setup {
    options: || {
        let token = ("DAPR_API_TOKEN".to_owned(), "right".to_owned());
        Options { env: vec![token.clone()], daprd_env: vec![token], ..Options::default() }
    },
    ..PLAIN
};

const CONFIGURED: Setup =
    Setup { components: components::configuration, redis: &components::SETTINGS, ..PLAIN };

const CONFIGURED_IN_REDIS: Setup =
    Setup { components: components::configuration_in_redis, ..CONFIGURED };

const LOCKED_IN_REDIS: Setup = Setup { components: components::locks_in_redis, ..PLAIN };

const IN_REDIS: Setup = Setup { components: components::redis, ..PLAIN };

const SHARED: Setup = Setup { components: components::shared, ..PLAIN };

const LOCKED: Setup = Setup { components: components::locks, ..PLAIN };

const SCHEDULED: Setup = Setup {
    options: || Options { control_plane: true, ..Options::default() },
    components: components::none,
    ..PLAIN
};

const BARE: Setup = Setup { components: components::none, ..PLAIN };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_sqlite_is_shared() -> Result<()> {
    if Backend::DaprdRedis.is_left_out() { Ok(()) } else { across::files(&SHARED).await }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_encrypts_the_other_decrypts() -> Result<()> {
    if Backend::DaprdRedis.is_left_out() { Ok(()) } else { across::envelopes(&SHARED).await }
}

/// The suite's own test: two daprds must tell the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transcripts_of_two_daprds_are_equal() -> Result<()> {
    if Backend::DaprdRedis.is_left_out() {
        return Ok(());
    }
    let cases = state("memory").into_iter().flatten().collect();
    sides(&Setup { name: "twice", ..PLAIN }, Backend::DaprdMemory, cases).await
}
