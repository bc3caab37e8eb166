//! A daprd without an app, for the benchmark of Dapr's building blocks.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running daprd; killed when dropped.
pub(crate) struct Sidecar {
    child: Child,
    pub(crate) grpc_port: u16,
    pub(crate) http_port: u16,
}

impl Sidecar {
    /// Starts daprd with the components of a folder, and waits until they are there.
    pub(crate) fn start(daprd: &Path, components: &Path) -> Result<Self> {
        let (grpc_port, http_port) = (free_port()?, free_port()?);
        let mut command = Command::new(daprd);
        command.args(["--app-id", "bench", "--dapr-listen-addresses", "127.0.0.1"]);
        command.arg("--resources-path").arg(components);
        let ports = [
            ("--dapr-grpc-port", grpc_port),
            ("--dapr-http-port", http_port),
            ("--dapr-internal-grpc-port", free_port()?),
            ("--metrics-port", free_port()?),
        ];
        for (flag, port) in ports {
            command.args([flag, &port.to_string()]);
        }
        command.env("DAPR_HOST_IP", "127.0.0.1").stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.context("cannot start daprd")?;
        let mut sidecar = Self { child, grpc_port, http_port };
        let end = Instant::now() + READY_WITHIN;
        while !sidecar.is_healthy() {
            if let Some(status) = sidecar.child.try_wait()? {
                bail!("daprd ended ({status})");
            }
            if Instant::now() > end {
                bail!("daprd is not healthy after {READY_WITHIN:?}");
            }
        }
        Ok(sidecar)
    }

    /// Asks as a health probe does, and gives up soon.
    fn is_healthy(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http_port))?;
            stream.set_read_timeout(Some(Duration::from_millis(500)))?;
            stream.write_all(
                b"GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 204"))
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
