//! The project's own tasks: `cargo xtask test`, `check`, `guests`, `sdks`, `fuzz`,
//! `bench`.
//!
//! In the order in which `test` uses them: [`tools`] finds what a machine must have; [`daprd`]
//! builds the real daprd and its control plane once, into a cache outside the checkout ([`cached`]);
//! [`sdks`] installs Dapr's SDKs there; [`guests`] builds the WebAssembly modules of examples and
//! tests; [`cargo`] runs everything else in the release profile, so that dependencies are compiled
//! once.

mod bench;
mod cached;
mod cargo;
mod daprd;
mod fuzz;
mod guests;
mod sdks;
mod size;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests, real daprd and Redis included
    Test {
        /// Passed to the test programs, such as a part of a test's name
        filter: Vec<String>,
    },
    /// Check format, lints, sizes, docs and licences
    Check,
    /// Run what CI runs: `check`, then `test`
    Ci,
    /// Build the WebAssembly modules of examples and tests
    Guests,
    /// Install Dapr's SDKs for the tests, and tell where they are
    Sdks,
    /// Run the fuzz targets
    Fuzz {
        /// The targets, by name; all if none is given
        targets: Vec<String>,
        /// Seconds for each
        #[arg(long, default_value_t = 10)]
        seconds: u32,
    },
    /// Measure, against native servers in the same run
    Bench {
        /// What to measure
        #[arg(value_parser = ["hello", "dapr"])]
        what: String,
        /// Rounds, each with every server in turn
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Seconds of load for each server in a round
        #[arg(long, default_value_t = 8)]
        seconds: u64,
    },
    /// Check that files are small
    Size,
}

#[expect(clippy::print_stderr, reason = "the last words of the program")]
fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Test { filter } => test(&filter),
        Task::Check => check(),
        Task::Ci => check().and_then(|()| test(&[])),
        Task::Guests => guests::build(),
        Task::Sdks => sdks::install().map(|sdks| sdks.tell()),
        Task::Fuzz { targets, seconds } => fuzz::run(targets, seconds),
        Task::Bench { what, rounds, seconds } => match what.as_str() {
            "dapr" => bench::dapr(rounds, seconds),
            _ => bench::hello(rounds, seconds),
        },
        Task::Size => size::check(),
    }
}

fn test(filter: &[String]) -> Result<()> {
    let parts = tools::Parts::find()?;
    let dapr = parts.go.then(daprd::build).transpose()?;
    let sdks = sdks::install()?;
    guests::build()?;
    cargo::test(filter, dapr.as_ref(), parts.redis.as_deref(), &sdks)
}

fn check() -> Result<()> {
    cargo::run(&["fmt", "--all", "--check"], &[])?;
    size::check()?;
    cargo::run(
        &["clippy", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"],
        &[],
    )?;
    let deny_warnings = [("RUSTDOCFLAGS", "--deny warnings")];
    cargo::run(&["doc", "--release", "--workspace", "--no-deps"], &deny_warnings)?;
    guests::lint()?;
    cargo::deny()
}

/// The root of the repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Tells what is done now.
#[expect(clippy::print_stderr, reason = "progress of the tasks")]
fn say(what: &str) {
    eprintln!("== {what}");
}
