//! Programs: modules linked with the host's functions, ready to run any number of times.

use std::sync::Arc;

use tokio::task::JoinHandle;
use wasmtime::{InstancePre, Linker, Store, UnknownImportError, UpdateDeadline};

use crate::ending::{self, Failure};
use crate::metered::Metered;
use crate::resources::Resources;
use crate::wasi::{self, Begin, Wasi};
use crate::{Ending, Engine, Error, Job, Module, Volume};

/// All state of one run. It lives in the store and dies with it; nothing of a request is ever
/// kept in a host function.
pub struct State<H> {
    /// The state of the host functions.
    pub host: H,
    wasi: Wasi,
    resources: Resources,
}

impl<H> State<H> {
    pub(crate) fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }
}

/// The host functions that programs are linked with.
pub struct Linked<H: Send + 'static> {
    engine: Engine,
    linker: Linker<State<H>>,
    offered: Vec<String>,
}

impl<H: Send + 'static> Linked<H> {
    /// Defines WASI preview 1, its predecessor `wasi_unstable` that old modules import, and what `hook` adds: functions in the import modules named by
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
        wasi::link(&mut linker)
            .and_then(|()| hook(&mut linker))
            .map_err(|e| Error::Engine(format!("{e:#}")))?;
        let offered =
            ["wasi_snapshot_preview1", "wasi_unstable"].iter().chain(added).map(|&m| m.to_owned());
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
        let deadline = job.limits.deadline;
        let ended = tokio::time::timeout_at(deadline, self.run_to_end(job)).await;
        ended.unwrap_or(Ending::Deadline)
    }

    async fn run_to_end(&self, job: Job<'_, H>) -> Ending {
        let resources = Resources::new(job.limits.memory_bytes_max);
        let cpu = job.limits.cpu;
        let (stdout, input_failure) = (job.stdout.clone(), job.stdin.failure());
        let (wasi, host) = match begin(job).await {
            Ok(parts) => parts,
            Err(ending) => return ending,
        };
        let mut store = Store::new(self.engine.inner(), State { host, wasi, resources });
        store.limiter(|state| &mut state.resources);
        // Each tick of the epoch makes the guest yield to the other tasks of its thread; the
        // deadline's timer is then polled, and ends a guest that is past it. Tokio's own yield
        // also lets the thread look at its sockets and timers, which it otherwise does only
        // once in some sixty polls: with endless guests on each thread, more than half a second.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        let result = match cpu {
            None => self.call(&mut store).await,
            Some(budget) => match Metered::new(self.call(&mut store), budget).await {
                Some(result) => result,
                None => return Ending::Cpu,
            },
        };
        let refused_bytes = store.data().resources.refused_bytes();
        ending::of(result, refused_bytes, &stdout, &input_failure)
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

async fn begin<H>(job: Job<'_, H>) -> Result<(Wasi, H), Ending> {
    let begin = Begin {
        arguments: &job.args,
        environment: &job.env,
        stdin: job.stdin.into_stdin(),
        stdout: job.stdout,
        stderr: job.stderr,
    };
    let too_large = || Ending::Instance("the environment is larger than WASI allows".to_owned());
    let mut wasi = Wasi::new(begin).ok_or_else(too_large)?;
    if !job.volumes.is_empty() {
        wasi = with_volumes(wasi, job.volumes.to_vec())
            .await
            .unwrap_or_else(|error| Err(Ending::Volume(error.to_string())))?;
    }
    Ok((wasi, job.host))
}

/// Opens the volumes on a thread that may block: a folder may lie on a disk that hangs. Past the
/// deadline nobody waits for it any more.
fn with_volumes(mut wasi: Wasi, volumes: Vec<Volume>) -> JoinHandle<Result<Wasi, Ending>> {
    tokio::task::spawn_blocking(move || {
        wasi.open(&volumes).map_err(Ending::Volume)?;
        Ok(wasi)
    })
}

#[cfg(test)]
mod tests;
