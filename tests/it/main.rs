//! The whole of Trilby on real parts: the `trilby` binary, guests in real languages, daprd, Redis,
//! HTTP clients.
//!
//! [`matrix!`](matrix) runs the same test against every back end: the same guest, the same
//! expectations.

/// Declares a module of tests, one for each back end. The named function takes the
/// [`Backend`](trilby_testkit::Backend).
macro_rules! matrix {
    ($name:ident) => {
        mod $name {
            matrix! { @of $name embedded_memory EmbeddedMemory }
            matrix! { @of $name embedded_sqlite EmbeddedSqlite }
            matrix! { @of $name daprd_memory DaprdMemory }
            matrix! { @of $name daprd_sqlite DaprdSqlite }
            matrix! { @of $name daprd_redis DaprdRedis }
        }
    };
    (@of $name:ident $case:ident $backend:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() -> anyhow::Result<()> {
            let backend = trilby_testkit::Backend::$backend;
            if backend.is_left_out() { Ok(()) } else { super::$name(backend).await }
        }
    };
}

mod folder;
mod heads;
mod outbound;
mod outbound_server;
mod probe;
mod raw;
mod registry;
mod script;
mod sdks;
mod shown;
mod tls_client;
mod wat;

mod abi_errors;
mod abi_state;
mod bad_component;
mod bad_manifest;
mod bad_module;
mod bad_network;
mod bad_responses;
mod bad_route;
mod bad_store;
mod bad_wagi;
mod blocks;
mod blocks2;
mod bodies;
mod cgi_env;
mod cgi_hosts;
mod check;
mod connections;
mod differential;
mod drain;
mod drain_load;
mod early_answers;
mod events;
mod examples;
mod files;
mod files_paths;
mod guest_env;
mod inbound;
mod isolation;
mod languages;
mod limits;
mod limits_share;
mod limits_size;
mod local_redirects;
mod log_dir;
mod messaging;
mod migrate;
mod oci;
mod outbound_handles;
mod outbound_hosts;
mod outbound_https;
mod outbound_limits;
mod outbound_traffic;
mod outbound_wagi;
mod outbound_wait;
mod outcomes;
mod proxies;
mod readme;
mod reload;
mod reload_topics;
mod reload_watch;
mod responses;
mod routes_cmd;
mod routing;
mod routing_wagi;
mod sidecar;
mod sidecar_tls;
mod start;
mod start_build;
mod start_cache;
mod start_wagi;
mod streaming;
mod subroutes;
mod tls;
mod tls_reload;
mod wagi;
