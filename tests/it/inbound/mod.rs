//! Events, triggers, jobs and changes of configuration, as they reach a guest over every way in.
//!
//! [`ways!`](ways) runs the same test over each: the same guest (`tests/guests/inbound`), the same
//! expectations.

#![expect(clippy::indexing_slicing, reason = "in a test, what is not there is a failure")]

/// Declares a module of tests, one for each way in. The named function takes the
/// [`Way`](app::Way). With names behind it, only these ways.
macro_rules! ways {
    ($name:ident) => {
        ways! { $name: embedded Embedded, http Http, grpc Grpc, streams Streams }
    };
    ($name:ident: $($case:ident $way:ident),+) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> anyhow::Result<()> {
                    let way = crate::inbound::app::Way::$way;
                    if way.is_left_out() { Ok(()) } else { super::$name(way).await }
                }
            )+
        }
    };
}

mod app;
mod setup;

mod bindings;
mod bulk;
mod chosen;
mod configuration;
mod dead_letter;
mod declared;
mod drain;
mod health;
mod jobs;
mod outcomes;
mod readiness;
mod restarts;
mod routing;
mod tokens;
mod topics;
