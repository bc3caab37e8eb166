//! Dapr's building blocks beside state, messages and invocation, as guests call them: the same
//! guests (`tests/guests/dapr`), the same expectations, embedded and with a daprd.

#![expect(clippy::indexing_slicing, reason = "in a test, what is not there is a failure")]

/// Declares a module of tests, embedded and with a daprd. The named function takes the
/// [`Backend`](trilby_testkit::Backend).
macro_rules! both {
    ($name:ident) => {
        mod $name {
            both! { @of $name embedded EmbeddedMemory }
            both! { @of $name daprd DaprdMemory }
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

mod actor_host;

mod actors;
mod configuration;
mod conversation;
mod crypto;
mod crypto_faults;
mod jobs;
mod jobs_errors;
mod jobs_kept;
mod languages;
mod lock;
