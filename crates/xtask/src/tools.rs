//! What a machine must have besides Rust.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::say;

/// Which parts are there.
pub(crate) struct Parts {
    /// Go: builds daprd and the Go guests.
    pub(crate) go: bool,
    /// `redis-server`.
    pub(crate) redis: Option<PathBuf>,
}

impl Parts {
    /// Looks for all parts. A missing one is named with the line that installs it; with `CI` set
    /// it is an error.
    pub(crate) fn find() -> Result<Self> {
        let go = works("go", &["version"]);
        let redis = find("redis-server");
        let mut missing = Vec::new();
        if !go {
            missing.push("go (1.26.6 or newer): https://go.dev/dl, or your package manager");
        }
        if redis.is_none() {
            missing.push("redis-server: apt-get install redis-server, or brew install redis");
        }
        if find("curl").is_none() {
            missing.push("curl, for the READMEs' commands: apt-get install curl");
        }
        for part in &missing {
            say(&format!("missing, its tests are left out: {part}"));
        }
        if !missing.is_empty() && std::env::var_os("CI").is_some() {
            bail!("with CI set, every part must be there");
        }
        Ok(Self { go, redis })
    }
}

/// Whether a program can be run.
pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The path of a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}
