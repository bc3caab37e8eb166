//! WASI preview 1 for a guest that lives for one request.
//!
//! Most guests only read their environment and standard input and write to standard output. For
//! them it is not worth the time to build what wasmtime-wasi wants: tables of descriptors and
//! resources, generators of random numbers, boxed streams. So the calls that such guests make are
//! answered [`quick`]ly from what the request came with, and whatever else a guest asks for (other
//! descriptors, other functions, odd pointers) makes wasmtime-wasi take over, for good. Both have
//! the same pipes, and the tests hold one against the other.

mod quick;
mod strings;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use wasmtime::Linker;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, p0};

use self::strings::Strings;
use crate::input::Stdin;
use crate::program::State;
use crate::{LineSink, Volume, pipe};

/// How many random bytes a guest may ask for at once: the host holds them in memory of its own.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// What a guest of WASI begins with.
pub(crate) struct Begin<'a> {
    pub(crate) arguments: &'a [String],
    pub(crate) environment: &'a [(Cow<'a, str>, Cow<'a, str>)],
    pub(crate) stdin: Stdin,
    pub(crate) stdout: pipe::Writer,
    pub(crate) stderr: LineSink,
}

/// The WASI state of one run.
pub(crate) struct Wasi {
    arguments: Strings,
    environment: Strings,
    /// The streams, until wasmtime-wasi has them.
    own: Option<Own>,
    full: Option<Box<WasiP1Ctx>>,
}

struct Own {
    stdin: Stdin,
    stdout: pipe::Writer,
    stderr: LineSink,
}

impl Wasi {
    /// State for a guest without folders. Nothing if its arguments or its environment have more
    /// bytes than WASI can count.
    pub(crate) fn new(begin: Begin<'_>) -> Option<Self> {
        let Begin { arguments, environment, stdin, stdout, stderr } = begin;
        Some(Self {
            arguments: Strings::of_arguments(arguments)?,
            environment: Strings::of_environment(environment)?,
            own: Some(Own { stdin, stdout, stderr }),
            full: None,
        })
    }

    /// Opens the folders of the guest. May wait for disks.
    pub(crate) fn open(&mut self, volumes: &[Volume]) -> Result<(), String> {
        let mut builder = builder(&self.arguments, &self.environment, self.own.take());
        for volume in volumes {
            let perms = if volume.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            builder.preopened_dir(&volume.host, &volume.guest, perms).map_err(|error| {
                format!("{} as {}: {error:#}", volume.host.display(), volume.guest)
            })?;
        }
        self.full = Some(Box::new(builder.build_p1()));
        Ok(())
    }

    /// The state of wasmtime-wasi, which has the streams from now on.
    fn full(&mut self) -> &mut WasiP1Ctx {
        let Self { arguments, environment, own, full } = self;
        full.get_or_insert_with(|| Box::new(builder(arguments, environment, own.take()).build_p1()))
    }
}

/// What wasmtime-wasi's state is built with.
fn builder(arguments: &Strings, environment: &Strings, own: Option<Own>) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    if let Some(own) = own {
        builder.stdin(own.stdin).stdout(own.stdout).stderr(own.stderr);
    }
    for argument in arguments.iter() {
        builder.arg(argument);
    }
    for variable in environment.iter() {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        builder.env(name, value);
    }
    builder.allow_tcp(false).allow_udp(false).max_random_size(RANDOM_BYTES_MAX);
    builder
}

/// Defines WASI preview 1, and its predecessor `wasi_unstable` that old modules import.
pub(crate) fn link<H: Send + 'static>(linker: &mut Linker<State<H>>) -> wasmtime::Result<()> {
    p0::add_to_linker_async(linker, |state| state.wasi().full())?;
    p1::add_to_linker_async(linker, |state| state.wasi().full())?;
    quick::link(linker)
}
