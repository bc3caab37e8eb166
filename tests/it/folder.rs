//! A small application in a folder of its own, for tests about how `trilby` starts, or why not.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::time::timeout;
use trilby_testkit::{Launch, Trilby};

/// A manifest with one route, `/...`, to `a.wat`.
pub(crate) const MANIFEST: &str =
    "version = 1\nname = \"app\"\n\n[[route]]\npath = \"/...\"\nmodule = \"a.wat\"\n";

/// A module that does nothing. What it answers is not a response; it is there to be loaded.
pub(crate) const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// A module whose every response is this text.
pub(crate) fn saying(text: &str) -> String {
    let output = format!("content-type: text/plain\n\n{text}");
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) {output:?})
            (func (export "_start")
                (i32.store (i32.const 0) (i32.const 64))
                (i32.store (i32.const 4) (i32.const {}))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        output.len()
    )
}

/// The folder. It is the working directory of what is started, and holds its caches, too.
pub(crate) struct Folder(TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    /// A folder with [`MANIFEST`], and its module.
    pub(crate) fn with_app() -> Result<Self> {
        Self::new()?.with("trilby.toml", MANIFEST)?.with("a.wat", saying("a\n"))
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Result<Self> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, content).with_context(|| path.display().to_string())?;
        Ok(self)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `trilby serve .` on a free port, with a compilation cache of its own.
    pub(crate) fn launch(&self) -> Launch {
        let cache = self.path("cache").display().to_string();
        Launch::new(".", self.0.path()).env("TRILBY_CACHE_DIR", cache)
    }

    /// What [`launch`](Self::launch) prints when it refuses to serve.
    pub(crate) async fn refused(&self) -> Result<String> {
        self.refuses(self.launch()).await
    }

    /// What a start prints that must end with exit code 64, with nothing on standard output, and
    /// before it tries to listen: its port is taken, so that trying has another exit code.
    pub(crate) async fn refuses(&self, mut launch: Launch) -> Result<String> {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let port = taken.local_addr()?.port();
        for arg in &mut launch.args {
            if arg == "127.0.0.1:0" {
                *arg = format!("127.0.0.1:{port}");
            }
        }
        let launch = launch.env("TRILBY_LOG", "warn");
        let ended = self.ends(launch.command()?).await?;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""), "{}", ended.stderr);
        Ok(ended.stderr)
    }

    /// Runs a command that must end by itself. In what it prints, the folder's path is `[APP]`.
    pub(crate) async fn ends(&self, command: Command) -> Result<Ended> {
        let mut command = tokio::process::Command::from(command);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(Duration::from_secs(60), command.output());
        let output = output.await.context("it does not end")??;
        let text = |bytes: &[u8]| self.filtered(&String::from_utf8_lossy(bytes));
        Ok(Ended {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    /// All that was printed by a process, which is ended for it: until then, what is on its way on
    /// one stream may be behind what has come on the other.
    pub(crate) async fn output_of(&self, mut trilby: Trilby) -> Result<String> {
        trilby.process().kill();
        trilby.process().ended().await?;
        Ok(self.filtered(&trilby.output()))
    }

    /// The text with `[APP]` for the folder's path.
    pub(crate) fn filtered(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "[APP]")
    }

    /// `trilby` with other arguments than those of `serve`.
    pub(crate) fn trilby(&self, args: &[&str]) -> Result<Command> {
        let serve = self.launch().command()?;
        let mut command = Command::new(serve.get_program());
        command.args(args).current_dir(self.0.path());
        for (name, value) in serve.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }
}
