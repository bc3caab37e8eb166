//! A load generator, for machines without wrk: keep-alive connections that each send one request
//! after the other. It talks to 127.0.0.1 only and ends by itself.
//!
//! `load http://127.0.0.1:PORT/ CONNECTIONS SECONDS` prints, as JSON: requests, failures, seconds,
//! and the 50th and 99th percentile in microseconds.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is the command's output")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, seconds] = args.as_slice() else {
        anyhow::bail!("usage: load http://127.0.0.1:PORT/ CONNECTIONS SECONDS");
    };
    let url: Uri = url.parse().context("not a URL")?;
    let address: SocketAddr = url.authority().context("no address")?.as_str().parse()?;
    ensure!(address.ip().is_loopback(), "load goes to this machine only");
    let connections: usize = connections.parse().context("not a number of connections")?;
    let length = Duration::from_secs(seconds.parse().context("not a number of seconds")?);
    ensure!(connections <= 1_000 && length <= Duration::from_secs(60), "too much load");

    let started = Instant::now();
    let end = started + length;
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(connection(address, url.clone(), end));
    }
    let (mut latencies, mut failures) = (Vec::new(), 0_u64);
    while let Some(result) = tasks.join_next().await {
        match result? {
            Ok(mut own) => latencies.append(&mut own),
            Err(_) => failures += 1,
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or(0);
    println!(
        r#"{{"requests": {}, "failures": {failures}, "seconds": {elapsed:.3}, "p50_us": {}, "p99_us": {}}}"#,
        latencies.len(),
        at(50),
        at(99)
    );
    Ok(())
}

/// Latencies in microseconds.
async fn connection(address: SocketAddr, url: Uri, end: Instant) -> Result<Vec<u64>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let request = Request::get(url.path())
            .header(http::header::HOST, address.to_string())
            .body(Empty::<Bytes>::new())?;
        let sent = Instant::now();
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        ensure!(response.status().is_success(), "status {}", response.status());
        response.into_body().collect().await?;
        latencies.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(latencies)
}
