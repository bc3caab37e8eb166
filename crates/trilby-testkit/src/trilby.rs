//! The real `trilby` binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::Client;
use crate::process::Process;

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// How to start `trilby serve`.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What to serve.
    pub path: PathBuf,
    /// The working directory.
    pub folder: PathBuf,
    /// Arguments after the path.
    pub args: Vec<String>,
    /// The environment, besides the test's own without its `DAPR_` and `PORT` variables.
    pub env: Vec<(String, String)>,
}

/// A running `trilby serve`.
pub struct Trilby {
    process: Process,
    /// Its address, `host:port`.
    pub address: String,
    /// A client for it.
    pub http: Client,
}

impl Launch {
    /// Serves `path` from `folder`, on a free port.
    pub fn new(path: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        let args = ["--no-build", "--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
        Self { path: path.into(), folder: folder.into(), args, env: Vec::new() }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// The command, not yet started.
    ///
    /// # Errors
    ///
    /// When the binary is not there.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(binary()?);
        crate::process::without_settings(&mut command);
        command.arg("serve").arg(&self.path).args(&self.args).current_dir(&self.folder);
        command.env("TRILBY_LOG", "info,trilby=debug").env("NO_COLOR", "1");
        // In a pod the default is JSON.
        command.env("TRILBY_LOG_FORMAT", "text");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Starts and waits until it serves.
    ///
    /// # Errors
    ///
    /// When it ends instead; with its output.
    pub async fn start(&self) -> Result<Trilby> {
        let mut process = Process::start("trilby", &mut self.command()?)?;
        let line = process.line("serving   http://").await?;
        let (_, address) = line.split_once("http://").context("no address")?;
        let address = address.trim().to_owned();
        let http = Client::new(&format!("http://{address}"));
        Ok(Trilby { process, address, http })
    }

    /// Runs a start that must fail: exit code, standard output and standard error together.
    ///
    /// # Errors
    ///
    /// When it serves instead.
    pub async fn fails(&self) -> Result<(i32, String)> {
        let mut process = Process::start("trilby", &mut self.command()?)?;
        let status = process.ended().await.context("it serves, but should fail")?;
        Ok((status.code().unwrap_or(-1), process.output()))
    }
}

impl Trilby {
    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0)
    }

    /// What it has printed and logged.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Waits until a line of its log contains `text`.
    ///
    /// # Errors
    ///
    /// When none does.
    pub async fn logged(&mut self, text: &str) -> Result<String> {
        self.process.line(text).await
    }
}

fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("TRILBY_TEST_BIN") {
        return Ok(path.into());
    }
    // A test's own binary lies in target/PROFILE/deps.
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("not in a target folder")?;
    let path = folder.join("trilby");
    anyhow::ensure!(path.exists(), "{} is missing; run `cargo xtask test`", path.display());
    Ok(path)
}
