//! Programs: modules linked with the host's functions, ready to run any number of times.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{InstancePre, Linker, ResourceLimiter, Store, UnknownImportError, UpdateDeadline};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::input::InputError;
use crate::{Ending, Engine, Error, Job, Module, RunLimits, Volume, pipe};

/// All state of one run. It lives in the store and dies with it; nothing of a request is ever
/// kept in a host function.
pub struct State<H> {
    /// The state of the host functions.
    pub host: H,
    wasi: WasiP1Ctx,
    memory: MemoryLimit,
}

/// The host functions that programs are linked with.
pub struct Linked<H: Send + 'static> {
    engine: Engine,
    linker: Linker<State<H>>,
    offered: Vec<String>,
}

impl<H: Send + 'static> Linked<H> {
    /// Defines WASI preview 1, and what `hook` adds: functions in the import modules named by
    /// `added`.
    ///
    /// # Errors
    ///
    /// When two functions have the same name.
    pub fn new(
        engine: &Engine,
        added: &[&str],
        hook: impl FnOnce(&mut Linker<State<H>>) -> wasmtime::Result<()>,
    ) -> Result<Self, Error> {
        let mut linker = Linker::new(engine.inner());
        wasmtime_wasi::p1::add_to_linker_async(&mut linker, |state: &mut State<H>| &mut state.wasi)
            .and_then(|_| hook(&mut linker))
            .map_err(|e| Error::Engine(format!("{e:#}")))?;
        let offered = ["wasi_snapshot_preview1"].iter().chain(added).map(|&m| m.to_owned());
        Ok(Self { engine: engine.clone(), linker, offered: offered.collect() })
    }

    /// Resolves a module's imports, once for all its runs.
    ///
    /// # Errors
    ///
    /// When an import is not offered or has another type, or the entry point is not there.
    pub fn program(&self, module: &Module, entrypoint: &str) -> Result<Program<H>, Error> {
        check_entrypoint(&module.inner, entrypoint)?;
        let pre =
            self.linker.instantiate_pre(&module.inner).map_err(|error| match error
                .downcast_ref::<UnknownImportError>(
            ) {
                Some(import) => Error::UnknownImport {
                    module: import.module().to_owned(),
                    name: import.name().to_owned(),
                    offered: self.offered.clone(),
                },
                None => Error::Link(format!("{error:#}")),
            })?;
        let initialize = entrypoint != "_start" && module.inner.get_export("_initialize").is_some();
        let entrypoint = Arc::from(entrypoint);
        Ok(Program { engine: self.engine.clone(), pre, entrypoint, initialize })
    }
}

fn check_entrypoint(module: &wasmtime::Module, entrypoint: &str) -> Result<(), Error> {
    let is_entry = |ty: &wasmtime::ExternType| {
        ty.func().is_some_and(|f| f.params().len() == 0 && f.results().len() == 0)
    };
    if module.get_export(entrypoint).as_ref().is_some_and(is_entry) {
        return Ok(());
    }
    let exports = module
        .exports()
        .filter(|export| export.ty().func().is_some())
        .map(|export| export.name().to_owned())
        .collect();
    Err(Error::EntryPoint { entrypoint: entrypoint.to_owned(), exports })
}

/// A module with its imports resolved. Cheap to clone.
pub struct Program<H: Send + 'static> {
    engine: Engine,
    pre: InstancePre<State<H>>,
    entrypoint: Arc<str>,
    initialize: bool,
}

impl<H: Send + 'static> Clone for Program<H> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            pre: self.pre.clone(),
            entrypoint: Arc::clone(&self.entrypoint),
            initialize: self.initialize,
        }
    }
}

impl<H: Send + 'static> Program<H> {
    /// Runs the program once, in a new store with new memory. Cancel-safe: dropping the future
    /// ends the guest.
    pub async fn run(&self, job: Job<'_, H>) -> Ending {
        let RunLimits { deadline, memory_bytes_max } = job.limits;
        let input_failure = job.stdin.failure();
        let (stdout, stderr) = (job.stdout.clone(), job.stderr.clone());
        let (wasi, host) = match wasi(job) {
            Ok(parts) => parts,
            Err(ending) => return ending,
        };
        let memory = MemoryLimit { bytes_max: memory_bytes_max, refused_bytes: None };
        let mut store = Store::new(self.engine.inner(), State { host, wasi, memory });
        store.limiter(|state| &mut state.memory);
        // Each tick of the epoch makes the guest yield to the other tasks of its thread; the
        // timeout below is then polled, and ends a guest that is past its deadline. Tokio's own
        // yield also lets the thread look at its sockets and timers, which it otherwise does only
        // once in some sixty polls: with endless guests on each thread, more than half a second.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        let result = tokio::time::timeout_at(deadline, self.call(&mut store)).await;
        stderr.finish();
        let Ok(result) = result else { return Ending::Deadline };
        let refused = store.data().memory.refused_bytes;
        ending(result, refused, &stdout, &input_failure)
    }

    async fn call(&self, store: &mut Store<State<H>>) -> Result<(), Failure> {
        let instance =
            self.pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
        if self.initialize {
            let start = instance
                .get_typed_func::<(), ()>(&mut *store, "_initialize")
                .map_err(Failure::Run)?;
            start.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
        }
        let entry = instance
            .get_typed_func::<(), ()>(&mut *store, &self.entrypoint)
            .map_err(Failure::Run)?;
        entry.call_async(store, ()).await.map_err(Failure::Run)
    }
}

enum Failure {
    Instantiate(wasmtime::Error),
    Run(wasmtime::Error),
}

fn ending(
    result: Result<(), Failure>,
    refused: Option<usize>,
    stdout: &pipe::Writer,
    input: &Mutex<Option<InputError>>,
) -> Ending {
    // Whatever the guest makes of half a body, the request has failed.
    let input = *input.lock().unwrap_or_else(PoisonError::into_inner);
    let done = input.map_or(Ending::Done, Ending::Input);
    let error = match result {
        Ok(()) => return done,
        Err(Failure::Instantiate(error)) if error.downcast_ref::<wasmtime::Trap>().is_none() => {
            return Ending::Instance(format!("{error:#}"));
        }
        Err(Failure::Instantiate(error) | Failure::Run(error)) => error,
    };
    let exit = error.downcast_ref::<I32Exit>().map(|exit| exit.0);
    if exit == Some(0) {
        return done;
    }
    // The guest's own failure often only follows from what the host refused it.
    if stdout.is_over_limit() {
        return Ending::Output;
    }
    if let Some(failure) = input {
        return Ending::Input(failure);
    }
    if let Some(asked_bytes) = refused {
        return Ending::Memory { asked_bytes };
    }
    exit.map_or_else(|| Ending::Trap(describe(&error)), Ending::Exit)
}

/// The error's reason first, then its context (the guest's call stack), on one line.
fn describe(error: &wasmtime::Error) -> String {
    let text = format!("{:#}", error.root_cause());
    let stack = error.downcast_ref::<wasmtime::WasmBacktrace>().map(|trace| {
        let frames = trace.frames().iter().take(8);
        frames.map(|f| f.func_name().unwrap_or("?").to_owned()).collect::<Vec<_>>().join(" < ")
    });
    match stack {
        Some(stack) if !stack.is_empty() => format!("{text} (in {stack})"),
        _ => text,
    }
}

fn wasi<H>(job: Job<'_, H>) -> Result<(WasiP1Ctx, H), Ending> {
    let mut builder = WasiCtxBuilder::new();
    builder.stdin(job.stdin.into_stdin()).stdout(job.stdout).stderr(job.stderr);
    builder.args(&job.args).envs(&job.env);
    builder.allow_tcp(false).allow_udp(false);
    for volume in job.volumes {
        open(&mut builder, volume).map_err(|error| {
            Ending::Volume(format!("{} as {}: {error:#}", volume.host.display(), volume.guest))
        })?;
    }
    Ok((builder.build_p1(), job.host))
}

fn open(builder: &mut WasiCtxBuilder, volume: &Volume) -> wasmtime::Result<()> {
    let perms = if volume.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
    builder.preopened_dir(&volume.host, &volume.guest, perms)?;
    Ok(())
}

/// Refuses memory beyond the limit, and remembers that it did.
struct MemoryLimit {
    bytes_max: usize,
    refused_bytes: Option<usize>,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= self.bytes_max;
        if !allowed {
            self.refused_bytes = Some(desired);
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Tables hold references of a word each; they share the memory's limit.
        Ok(desired.saturating_mul(size_of::<usize>()) <= self.bytes_max)
    }
}
