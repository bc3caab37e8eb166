//! Benchmarks: each server in turn, several rounds, one table.
//!
//! Timings of one machine say little; what counts is the ratio to the first server of the same run,
//! with the same client. Load goes to 127.0.0.1 only and ends by itself.

mod load;
mod server;
mod sidecar;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{cargo, daprd, root, say};
use load::Sample;
use server::Server;
use sidecar::Sidecar;

const CONNECTIONS: usize = 100;

/// One server of a comparison.
struct Contender {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

/// `examples/hello` through all of Trilby, with a new instance for each request, against hyper
/// answering the same 12 bytes.
pub(crate) fn hello(rounds: usize, seconds: u64) -> Result<()> {
    build()?;
    let contenders = [native("plain hyper", "plain-hyper"), trilby("trilby", "examples/hello")];
    compare(&contenders, rounds, seconds)
}

/// One state get and one set for each request: through daprd from a native service with the crate
/// `dapr`, and from a guest; and from the same guest with the embedded runtime. All use
/// `state.in-memory`.
pub(crate) fn dapr(rounds: usize, seconds: u64) -> Result<()> {
    const APP: &str = "tests/guests/bench";
    build()?;
    let sidecar = Sidecar::start(&daprd::build()?.daprd, &root().join(APP).join("components"))?;
    let env = vec![
        ("DAPR_GRPC_PORT", sidecar.grpc_port.to_string()),
        ("DAPR_HTTP_PORT", sidecar.http_port.to_string()),
    ];
    let contenders = [
        Contender { env: env.clone(), ..native("native, daprd", "native-dapr") },
        Contender { env, ..trilby("trilby, daprd", APP) },
        trilby("trilby, embedded", APP),
    ];
    compare(&contenders, rounds, seconds)
}

/// Builds all servers as they are shipped.
fn build() -> Result<()> {
    let packages = ["--package", "trilby", "--package", "trilby-testkit"];
    cargo::run(&[&["build", "--profile", "dist"], &packages[..]].concat(), &[])
}

/// A native service of the testkit.
fn native(name: &'static str, program: &str) -> Contender {
    let program = cargo::target().join("dist").join(program);
    Contender { name, program, args: Vec::new(), env: Vec::new() }
}

/// Trilby with an application of this repository.
fn trilby(name: &'static str, app: &str) -> Contender {
    let app = root().join(app).display().to_string();
    let args = ["serve", &app, "--listen", "127.0.0.1:0"].map(str::to_owned);
    let program = cargo::target().join("dist/trilby");
    Contender { name, program, args: args.into(), env: Vec::new() }
}

/// Puts the same load on each server in turn. The first is what the others are compared with.
fn compare(contenders: &[Contender], rounds: usize, seconds: u64) -> Result<()> {
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); contenders.len()];
    for round in 0..rounds {
        say(&format!("round {} of {rounds}", round + 1));
        // Each round begins with another server, so that none always meets a warm machine.
        for turn in 0..contenders.len() {
            let which = (turn + round) % contenders.len();
            let contender = contenders.get(which).context("no such server")?;
            let mut server = Server::start(contender)?;
            load::run(&server.url, CONNECTIONS, 1)?;
            let before = server.cpu_micros()?;
            let mut sample = load::run(&server.url, CONNECTIONS, seconds)?;
            sample.cpu_micros = (server.cpu_micros()? - before) / sample.requests.max(1.0);
            server.stop();
            samples.get_mut(which).context("no such server")?.push(sample);
        }
    }
    let medians: Vec<(&str, Sample)> = contenders
        .iter()
        .zip(&samples)
        .map(|(contender, all)| (contender.name, median(all)))
        .collect();
    print(&medians, rounds, seconds);
    Ok(())
}

fn median(samples: &[Sample]) -> Sample {
    let middle = |value: fn(&Sample) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Sample {
        requests: middle(|s| s.requests),
        per_second: middle(|s| s.per_second),
        p50_micros: middle(|s| s.p50_micros),
        p99_micros: middle(|s| s.p99_micros),
        cpu_micros: middle(|s| s.cpu_micros),
    }
}

#[expect(clippy::print_stdout, reason = "this is the command's output")]
fn print(medians: &[(&str, Sample)], rounds: usize, seconds: u64) {
    println!(
        "\nmedians of {rounds} rounds of {seconds} s, {CONNECTIONS} keep-alive connections, client \
         {}\n\n{:<16} {:>10} {:>9} {:>9} {:>16} {:>9}",
        load::client(),
        "server",
        "req/s",
        "P50 µs",
        "P99 µs",
        "CPU µs/request",
        "ratio"
    );
    let yardstick = medians.first().map_or(f64::NAN, |(_, sample)| sample.per_second);
    for (name, sample) in medians {
        println!(
            "{name:<16} {:>10.0} {:>9.0} {:>9.0} {:>16.1} {:>9.3}",
            sample.per_second,
            sample.p50_micros,
            sample.p99_micros,
            sample.cpu_micros,
            sample.per_second / yardstick
        );
    }
}
