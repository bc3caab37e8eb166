//! Load on a server: wrk where it is installed, else the testkit's own generator.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{cargo, tools};

/// What one load showed.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    pub(crate) p50_micros: f64,
    pub(crate) p99_micros: f64,
    /// CPU time of the server for each request; set by the caller.
    pub(crate) cpu_micros: f64,
}

/// The client in use.
pub(crate) fn client() -> &'static str {
    if tools::find("wrk").is_some() { "wrk, 1 thread" } else { "load (of the testkit)" }
}

/// Sends requests for some seconds.
pub(crate) fn run(url: &str, connections: usize, seconds: u64) -> Result<Sample> {
    let connections = connections.to_string();
    if tools::find("wrk").is_some() {
        let length = format!("{seconds}s");
        let text = output("wrk", &["-t1", "-c", &connections, "-d", &length, "--latency", url])?;
        return parse_wrk(&text).with_context(|| format!("unexpected output of wrk:\n{text}"));
    }
    let load = cargo::target().join("dist/load").display().to_string();
    parse_load(&output(&load, &[url, &connections, &seconds.to_string()])?)
}

fn output(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output().context("cannot run the client")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{program} failed: {text}");
    Ok(text)
}

fn parse_wrk(text: &str) -> Option<Sample> {
    // Errors would make the figures worthless.
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return None;
    }
    let value = |label: &str| {
        let line = text.lines().map(str::trim).find(|line| line.starts_with(label))?;
        line.strip_prefix(label)?.split_whitespace().next()
    };
    let line = text.lines().find(|line| line.contains(" requests in "))?;
    Some(Sample {
        requests: line.split_whitespace().next()?.parse().ok()?,
        per_second: value("Requests/sec:")?.parse().ok()?,
        p50_micros: micros(value("50%")?)?,
        p99_micros: micros(value("99%")?)?,
        cpu_micros: 0.0,
    })
}

/// `1.5ms` and the like.
fn micros(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let (number, unit) =
        units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.parse::<f64>().ok().map(|number| number * unit)
}

fn parse_load(text: &str) -> Result<Sample> {
    let report: serde_json::Value = serde_json::from_str(text)?;
    let field = |name: &str| {
        report.get(name).and_then(serde_json::Value::as_f64).with_context(|| format!("no {name}"))
    };
    ensure!(field("failures")? == 0.0, "requests failed: {text}");
    Ok(Sample {
        requests: field("requests")?,
        per_second: field("requests")? / field("seconds")?,
        p50_micros: field("p50_us")?,
        p99_micros: field("p99_us")?,
        cpu_micros: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "Running 1s test @ http://127.0.0.1:1/
  1 threads and 100 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   467.80us   90.52us   2.00ms   83.24%
  Latency Distribution
     50%  467.00us
     75%  501.00us
     90%  554.00us
     99%    1.25ms
  208455 requests in 1.00s, 22.46MB read
Requests/sec: 207900.12
Transfer/sec:     22.40MB
";

    #[test]
    fn wrk_is_understood() {
        let sample = parse_wrk(WRK).expect("valid");
        assert_eq!(sample.requests, 208_455.0);
        assert_eq!(sample.per_second, 207_900.12);
        assert_eq!((sample.p50_micros, sample.p99_micros), (467.0, 1250.0));
        assert!(parse_wrk(&format!("{WRK}  Non-2xx or 3xx responses: 5\n")).is_none());
    }

    #[test]
    fn the_own_generator_is_understood() {
        let text = r#"{"requests": 10, "failures": 0, "seconds": 2.0, "p50_us": 3, "p99_us": 9}"#;
        let sample = parse_load(text).expect("valid");
        assert_eq!((sample.per_second, sample.p99_micros), (5.0, 9.0));
        assert!(parse_load(&text.replace("\"failures\": 0", "\"failures\": 1")).is_err());
    }
}
