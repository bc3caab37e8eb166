//! The engine: one per process, with its settings, its clock and its compilation cache.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::resources::{MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};
use crate::{Cache, Error};

/// How often running guests are asked to yield. An endless guest holds a worker thread for at
/// most about this long at a time; connections and timers wait for several such turns.
const EPOCH_TICK: Duration = Duration::from_millis(2);

/// Bytes of a returned memory that are cleared in place instead of being given back to the
/// system, at most: the fastest setting measured for small guests.
const KEEP_RESIDENT_BYTES_MAX: usize = 16 << 20;

/// The same for all memories of the pool together: what stays with the process after a burst.
const KEEP_RESIDENT_BYTES_TOTAL: usize = 512 << 20;

/// Host stack of a guest, in bytes; of it, wasm may use half.
const STACK_BYTES: usize = 1 << 20;

/// A page of linear memory, as the WebAssembly specification has it.
const WASM_PAGE_BYTES: u64 = 64 << 10;

/// What the engine must be sized for.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// The largest memory limit of any route, in bytes.
    pub memory_bytes_max: usize,
    /// Guests running at once.
    pub instances_max: usize,
    /// Where compiled modules are kept; `None` compiles at every start.
    pub cache: Option<Cache>,
}

/// Compiles modules and owns the memory of all guests. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    cache: Option<Cache>,
    /// Dropping the last clone ends the ticker thread.
    _ticker: Arc<Sender<()>>,
}

/// A compiled core module.
#[derive(Clone)]
pub struct Module {
    pub(crate) inner: wasmtime::Module,
    /// Whether the compilation cache had it.
    pub cached: bool,
}

impl Module {
    /// The imports of the module: pairs of an import module and a name in it.
    #[must_use]
    pub fn imports(&self) -> Vec<(String, String)> {
        let imports = self.inner.imports();
        imports.map(|import| (import.module().to_owned(), import.name().to_owned())).collect()
    }

    /// Whether the module exports a function of this name.
    #[must_use]
    pub fn has_function(&self, name: &str) -> bool {
        self.inner.get_export(name).is_some_and(|export| export.func().is_some())
    }

    /// The memory with which an instance begins, in bytes.
    #[must_use]
    pub fn memory_bytes_min(&self) -> u64 {
        let pages = self.inner.resources_required().max_initial_memory_size.unwrap_or(0);
        pages.saturating_mul(WASM_PAGE_BYTES)
    }
}

impl Engine {
    /// Sets up the engine. Where the machine cannot reserve the pool's memory, instances are
    /// allocated on demand, with a warning.
    ///
    /// # Errors
    ///
    /// When wasmtime cannot run on this machine, or no thread can be started.
    pub fn new(settings: EngineSettings) -> Result<Self, Error> {
        let pooled = wasmtime::Engine::new(&config(Some(&settings)));
        let inner = match pooled {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "cannot reserve a pool of instances; allocating them on demand, which is slower"
                );
                wasmtime::Engine::new(&config(None)).map_err(|e| Error::Engine(format!("{e:#}")))?
            }
        };
        Self::ticking(inner, settings.cache)
    }

    fn ticking(inner: wasmtime::Engine, cache: Option<Cache>) -> Result<Self, Error> {
        let ticker = start_ticker(&inner).map_err(|e| Error::Engine(e.to_string()))?;
        Ok(Self { inner, cache, _ticker: Arc::new(ticker) })
    }

    /// Compiles a module (`.wasm` or `.wat` bytes), or takes it from the cache.
    ///
    /// # Errors
    ///
    /// When the bytes are not a valid core module, or no instance could hold it.
    pub fn compile(&self, content: &[u8]) -> Result<Module, Error> {
        if wasmparser::Parser::is_component(content) {
            return Err(Error::Component);
        }
        if let Some(inner) = self.cache.as_ref().and_then(|c| c.load(&self.inner, content)) {
            return fitting(Module { inner, cached: true });
        }
        if !content.starts_with(b"\0asm") && std::str::from_utf8(content).is_err() {
            let text = "it is neither a binary module nor WebAssembly text";
            return Err(Error::Invalid(text.to_owned()));
        }
        let inner = wasmtime::Module::new(&self.inner, content).map_err(|error| refusal(&error))?;
        if let Some(cache) = &self.cache {
            cache.store(&self.inner, content, &inner);
        }
        fitting(Module { inner, cached: false })
    }

    /// The same, with a name for the place of a mistake in WebAssembly text.
    ///
    /// # Errors
    ///
    /// As for [`Self::compile`].
    pub fn compile_named(&self, content: &[u8], name: &str) -> Result<Module, Error> {
        self.compile(content).map_err(|error| match error {
            // What wasmtime calls text that came without a file.
            Error::Invalid(text) => Error::Invalid(text.replace("<anon>", name)),
            other => other,
        })
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

/// Valid modules are refused, too: those that no instance of the pool could hold.
fn refusal(error: &wasmtime::Error) -> Error {
    let text = format!("{error:#}");
    if !text.contains("pooling allocator") {
        return Error::Invalid(text);
    }
    let reason = error.root_cause().to_string();
    match reason.contains("minimum byte size") {
        true => Error::TooLarge(reason),
        false => Error::Resources(reason),
    }
}

/// Refuses what the pool would refuse when there is none: such a module would otherwise fail with
/// each request. The size of its memory is for the route's limit to judge.
fn fitting(module: Module) -> Result<Module, Error> {
    let needs = module.inner.resources_required();
    let elements = needs.max_initial_table_size.unwrap_or(0);
    if needs.num_memories > MEMORIES_MAX {
        return Err(Error::Resources(format!("it has {} memories", needs.num_memories)));
    }
    if needs.num_tables > TABLES_MAX {
        return Err(Error::Resources(format!("it has {} tables", needs.num_tables)));
    }
    if usize::try_from(elements).map_or(true, |elements| elements > TABLE_ELEMENTS_MAX) {
        return Err(Error::Resources(format!("a table begins with {elements} elements")));
    }
    Ok(module)
}

fn config(pooled: Option<&EngineSettings>) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    config.async_stack_size(STACK_BYTES);
    config.max_wasm_stack(STACK_BYTES / 2);
    if let Some(settings) = pooled {
        let count = u32::try_from(settings.instances_max).unwrap_or(u32::MAX);
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(count)
            .total_memories(count.saturating_mul(MEMORIES_MAX))
            .total_tables(count.saturating_mul(TABLES_MAX))
            .total_stacks(count)
            .max_memories_per_module(MEMORIES_MAX)
            .max_tables_per_module(TABLES_MAX)
            .table_elements(TABLE_ELEMENTS_MAX)
            .max_core_instance_size(4 << 20)
            .max_memory_size(settings.memory_bytes_max)
            .linear_memory_keep_resident(keep_resident_bytes(settings.instances_max))
            .table_keep_resident(1 << 20)
            .pagemap_scan(Enabled::Auto);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn keep_resident_bytes(instances_max: usize) -> usize {
    (KEEP_RESIDENT_BYTES_TOTAL / instances_max.max(1)).min(KEEP_RESIDENT_BYTES_MAX)
}

/// One thread for all guests advances the epoch. It is a thread of its own, not a task: endless
/// guests on every worker would keep a task from ever running.
fn start_ticker(engine: &wasmtime::Engine) -> std::io::Result<Sender<()>> {
    let (stop, stopped) = channel::<()>();
    let engine = engine.weak();
    std::thread::Builder::new().name("epoch".into()).spawn(move || {
        while stopped.recv_timeout(EPOCH_TICK) == Err(RecvTimeoutError::Timeout) {
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    })?;
    Ok(stop)
}

#[cfg(test)]
mod tests;
