//! The differential suite: the same client does the same at a real daprd and at the embedded
//! runtime's served Dapr API, over HTTP and over gRPC, and what the two tell is compared.
//!
//! A case (see [`case`]) is a list of steps; run over one protocol, it gives a transcript. Ids,
//! times and addresses are replaced by their kind, and lists whose order means nothing are sorted;
//! all else must be equal, but for the differences that `crates/trilby-embedded/DIFFERENCES.md` has
//! a row for: these must show.

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

use groups::{Setup, check, sides};

const PLAIN: Setup = Setup { options: Options::default, components: components::all };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_in_memory() -> Result<()> {
    check(&PLAIN, cases::state("memory")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_in_sqlite() -> Result<()> {
    check(&PLAIN, cases::state("sqlite")).await
}

/// The suite's own test: two daprds must tell the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transcripts_of_two_daprds_are_equal() -> Result<()> {
    if Backend::DaprdRedis.is_left_out() {
        return Ok(());
    }
    sides(&PLAIN, Backend::DaprdMemory, cases::state("memory")).await
}
