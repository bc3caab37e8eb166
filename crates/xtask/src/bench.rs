//! Benchmarks: each server in turn, several rounds, one table.
//!
//! Timings of one machine say little; what counts is the ratio to plain hyper in the same run,
//! with the same client. Load goes to 127.0.0.1 only and ends by itself.

mod load;
mod server;

use anyhow::{Context, Result};

use crate::{cargo, root, say};
use load::Sample;
use server::Server;

const CONNECTIONS: usize = 100;

/// `examples/hello` through all of Trilby, with a new instance for each request, against hyper
/// answering the same 12 bytes.
pub(crate) fn hello(rounds: usize, seconds: u64) -> Result<()> {
    cargo::run(&["build", "--release", "--package", "trilby", "--package", "trilby-testkit"], &[])?;
    let release = cargo::target().join("release");
    let hello = root().join("examples/hello").display().to_string();
    let servers = [
        ("plain hyper", release.join("plain-hyper"), Vec::new()),
        ("trilby", release.join("trilby"), vec!["serve", &hello, "--listen", "127.0.0.1:0"]),
    ];
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); servers.len()];
    for round in 0..rounds {
        say(&format!("round {} of {rounds}", round + 1));
        // Each round begins with another server, so that none always meets a warm machine.
        for turn in 0..servers.len() {
            let which = (turn + round) % servers.len();
            let (name, program, args) = servers.get(which).context("no such server")?;
            let mut server = Server::start(name, program, args)?;
            load::run(&server.url, CONNECTIONS, 1)?;
            let before = server.cpu_micros()?;
            let mut sample = load::run(&server.url, CONNECTIONS, seconds)?;
            sample.cpu_micros = (server.cpu_micros()? - before) / sample.requests.max(1.0);
            server.stop();
            samples.get_mut(which).context("no such server")?.push(sample);
        }
    }
    let medians: Vec<(&str, Sample)> =
        servers.iter().zip(&samples).map(|((name, ..), all)| (*name, median(all))).collect();
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
         {}\n\n{:<12} {:>10} {:>9} {:>9} {:>16} {:>9}",
        load::client(),
        "server",
        "req/s",
        "P50 µs",
        "P99 µs",
        "CPU µs/request",
        "of hyper"
    );
    let yardstick = medians.first().map_or(f64::NAN, |(_, sample)| sample.per_second);
    for (name, sample) in medians {
        println!(
            "{name:<12} {:>10.0} {:>9.0} {:>9.0} {:>16.1} {:>9.3}",
            sample.per_second,
            sample.p50_micros,
            sample.p99_micros,
            sample.cpu_micros,
            sample.per_second / yardstick
        );
    }
}
