//! A child process whose output is kept line by line.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::until;

/// A running program. It is killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a command. What it prints, on either stream, is kept.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}: {command:?}"))?;
        let lines = Arc::default();
        let stdout = child.stdout.take().map(|stream| keep(stream, &lines));
        let stderr = child.stderr.take().map(|stream| keep(stream, &lines));
        let readers = stdout.into_iter().chain(stderr).collect();
        Ok(Self { name: name.to_owned(), child, lines, readers })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Waits until a printed line contains `text`, and gives that line.
    ///
    /// # Errors
    ///
    /// When the process ends first, or takes too long; with its output.
    pub async fn line(&mut self, text: &str) -> Result<String> {
        let lines = Arc::clone(&self.lines);
        let find = || {
            let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.iter().find(|line| line.contains(text)).cloned()
        };
        let what = format!("`{text}` from {}", self.name);
        let found = until(&what, || {
            // The last lines may still be on their way when the process has ended.
            let ended = self.readers.iter().all(JoinHandle::is_finished);
            std::future::ready(match (find(), ended) {
                (Some(line), _) => Some(Some(line)),
                (None, true) => Some(None),
                (None, false) => None,
            })
        })
        .await;
        match found {
            Ok(Some(line)) => Ok(line),
            Ok(None) => bail!("{} ended before it printed `{text}`:\n{}", self.name, self.output()),
            Err(error) => Err(error.context(self.output())),
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.context("not a process id")?;
        kill_process(id, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Waits for the end, and for all that was printed before it.
    ///
    /// # Errors
    ///
    /// When it takes too long.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let mut ended = || {
            let status = self.child.try_wait().ok().flatten();
            status.filter(|_| self.readers.iter().all(JoinHandle::is_finished))
        };
        until(&what, || std::future::ready(ended())).await
    }

    /// Kills the process at once and waits for its end.
    pub fn kill(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Takes out of a command's environment what would make it behave in another way than on a machine
/// where nobody has set anything.
pub(crate) fn without_settings(command: &mut Command) {
    const NAMES: [&str; 5] = ["APP_API_TOKEN", "APP_ID", "NAMESPACE", "PORT", "NO_COLOR"];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_setting = text.starts_with("DAPR_") || text.starts_with("TRILBY_");
        if is_setting || NAMES.contains(&&*text) {
            command.env_remove(&name);
        }
    }
}

fn keep(stream: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}

/// A port on 127.0.0.1 that nobody listens on. Each call gives another one, below the range from
/// which the system takes the ports of outgoing connections.
///
/// # Errors
///
/// When none is free.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    // Test processes that run at the same time begin at different places.
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(start) % COUNT;
        let port = FIRST + offset;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free on 127.0.0.1")
}
