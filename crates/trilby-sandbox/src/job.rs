//! One request's work, and how it ended.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Input, InputError, LineSink, pipe};

/// The bounds of one run.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// When the guest is ended, whether it computes or waits.
    pub deadline: Instant,
    /// For how long the guest may compute; `None` leaves it to the deadline, which costs nothing to
    /// watch.
    pub cpu: Option<Duration>,
    /// The guest's linear memory, in bytes. Its tables have a constant limit of their own.
    pub memory_bytes_max: usize,
}

/// A folder of the host, given to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The path that the guest sees.
    pub guest: String,
    /// The folder on the host.
    pub host: PathBuf,
    /// Whether the guest may write.
    pub writable: bool,
}

/// All that one run of a program needs. `H` is the state of the host functions.
pub struct Job<'a, H> {
    /// The arguments; by convention the first names the program.
    pub args: Vec<String>,
    /// The environment.
    pub env: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: pipe::Writer,
    /// Standard error.
    pub stderr: LineSink,
    /// The folders that the guest may open.
    pub volumes: &'a [Volume],
    /// The state of the host functions for this run.
    pub host: H,
    /// The bounds.
    pub limits: RunLimits,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The entry point returned, or the guest exited with 0.
    Done,
    /// The guest exited with another code.
    Exit(i32),
    /// The guest trapped, or a host function refused its arguments; with the reason and the
    /// guest's call stack, in one line.
    Trap(String),
    /// The guest failed after it was refused memory, or a table, beyond its limit.
    Memory {
        /// The size in bytes that it asked for last.
        asked_bytes: usize,
    },
    /// The deadline passed.
    Deadline,
    /// The guest computed for longer than it may.
    Cpu,
    /// The guest wrote more than its limit.
    Output,
    /// The request body broke off, or was too large, and the guest was told so when it read on.
    /// What it answered to that does not count.
    Input(InputError),
    /// A folder that was promised to the guest could not be opened.
    Volume(String),
    /// As many guests run as the engine has room for.
    Exhausted,
    /// No instance could be made though one was free, such as for want of memory of the machine.
    Instance(String),
}
