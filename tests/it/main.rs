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
mod probe;
mod raw;
mod wat;

mod abi_errors;
mod abi_state;
mod bad_component;
mod bad_manifest;
mod bad_module;
mod bad_store;
mod bodies;
mod connections;
mod drain;
mod drain_load;
mod events;
mod examples;
mod isolation;
mod messaging;
mod outcomes;
mod readme;
mod sidecar;
mod start;
mod start_build;
mod start_cache;
mod start_wagi;
mod streaming;
mod wagi;
