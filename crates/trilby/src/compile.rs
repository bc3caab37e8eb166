//! Compiles modules: in parallel, and each content once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};
use trilby_manifest::{App, Target};
use trilby_sandbox::{Cache, Engine, EngineSettings, Module};

use crate::failure::Failure;

/// What compiling each file gave.
pub(crate) type Compiled = BTreeMap<PathBuf, Result<Module, String>>;

/// An engine and what it has compiled so far.
pub(crate) struct Compiler {
    engine: Engine,
    size: Size,
    /// By content, what the last application had.
    known: HashMap<Key, Module>,
}

type Key = [u8; 32];

/// What an engine is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Size {
    memory_bytes_max: usize,
    instances_max: usize,
}

impl Size {
    fn of(app: &App) -> Self {
        let memory = app.routes.iter().map(|route| route.limits.memory_bytes_max).max();
        Self {
            memory_bytes_max: memory.unwrap_or(64 << 10),
            instances_max: app.server.limits.instances_max,
        }
    }
}

impl Compiler {
    pub(crate) fn new(app: &App, cache: Option<Cache>) -> Result<Self, Failure> {
        let size = Size::of(app);
        let Size { memory_bytes_max, instances_max } = size;
        let engine = Engine::new(EngineSettings { memory_bytes_max, instances_max, cache })
            .map_err(|error| Failure::Other(error.into()))?;
        Ok(Self { engine, size, known: HashMap::new() })
    }

    /// Whether the engine is as large as this application wants it.
    pub(crate) fn fits(&self, app: &App) -> bool {
        self.size == Size::of(app)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles the modules of all routes.
    pub(crate) fn compile(&mut self, app: &App) -> Compiled {
        let files: BTreeSet<&Path> =
            app.routes.iter().filter_map(|route| route.target.module()).collect();
        let mut by_content: BTreeMap<Key, (Vec<u8>, Vec<&Path>)> = BTreeMap::new();
        let mut compiled = Compiled::new();
        for file in files {
            match std::fs::read(file) {
                Ok(content) => {
                    let key = Sha256::digest(&content).into();
                    by_content.entry(key).or_insert_with(|| (content, Vec::new())).1.push(file);
                }
                Err(error) => {
                    compiled.insert(file.to_owned(), Err(format!("cannot read it: {error}")));
                }
            }
        }
        let work: Vec<_> = by_content.into_iter().collect();
        let results = in_parallel(&work, |(key, (content, same))| {
            (*key, same.clone(), self.one(key, content, same))
        });
        let mut known = HashMap::new();
        for (key, same, result) in results {
            if let Ok(module) = &result {
                known.insert(key, module.clone());
            }
            for file in same {
                compiled.insert(file.to_owned(), result.clone());
            }
        }
        self.known = known;
        compiled
    }

    fn one(&self, key: &Key, content: &[u8], same: &[&Path]) -> Result<Module, String> {
        if let Some(module) = self.known.get(key) {
            let mut module = module.clone();
            module.cached = true;
            return Ok(module);
        }
        let name = same.first().map(|path| path.display().to_string()).unwrap_or_default();
        self.engine.compile_named(content, &name).map_err(|error| error.to_string())
    }
}

/// Does all work with as many threads as the machine has cores.
fn in_parallel<T: Sync, R: Send>(work: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(work.len());
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some(item) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(each(item));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

/// The name of a route's module in messages and tables.
pub(crate) fn short_name(target: &Target) -> String {
    match target {
        Target::Module(path) | Target::Files(path) => {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        }
        Target::Registry(reference) => format!("oci:{reference}"),
    }
}
