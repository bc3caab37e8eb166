//! A server under load, and the CPU time that it has used.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::Contender;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts a program that prints `serving   http://ADDRESS`.
    pub(crate) fn start(contender: &Contender) -> Result<Self> {
        let Contender { name, program, args, env } = contender;
        let mut child = Command::new(program)
            .args(args)
            .env_remove("PORT")
            .env_remove("DAPR_GRPC_PORT")
            .env_remove("DAPR_GRPC_ENDPOINT")
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("no output")?;
        let mut server = Self { child, url: String::new() };
        for line in BufReader::new(stdout).lines() {
            if let Some((_, address)) = line?.split_once("serving   http://") {
                server.url = format!("http://{}/", address.trim());
                return Ok(server);
            }
        }
        anyhow::bail!("{name} ended before it served")
    }

    /// User and system time so far, in microseconds (proc(5): fields 14 and 15, in ticks).
    pub(crate) fn cpu_micros(&self) -> Result<f64> {
        // The unit that Linux has used for user space on every architecture since 2.6.
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field, the name, is in parentheses and may hold spaces.
        let (_, rest) = stat.rsplit_once(')').context("not a stat file")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| -> Result<f64> {
            Ok(fields.get(at).context("not a stat file")?.parse::<f64>()?)
        };
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND * 1e6)
    }

    pub(crate) fn stop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
