//! A `redis-server` of the test's own.

use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::{Process, free_port};

/// A running Redis, empty at first.
pub struct Redis {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Redis {
    /// Starts `redis-server` on a free port, without persistence.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn start(program: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        command.arg(folder.path()).arg("--port").arg(port.to_string());
        let mut process = Process::start("redis-server", &mut command)?;
        process.line("Ready to accept connections").await.context("Redis does not start")?;
        Ok(Self { port, _process: process, _folder: folder })
    }
}
