//! From a path to programs: all that can be known of an application before anything is opened or
//! bound.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;
use trilby_host::Host;
use trilby_manifest::{App, Loaded};
use trilby_sandbox::{Cache, Linked};

use crate::cli::AppOptions;
use crate::compile::{Compiled, Compiler};
use crate::failure::Failure;
use crate::link::{self, Programs};
use crate::wanted::Wanted;
use crate::{build, fetch, settings, subroutes};

/// An application, ready to be joined with its back end.
pub(crate) struct Prepared {
    pub(crate) loaded: Loaded,
    pub(crate) programs: Programs,
    pub(crate) wanted: Wanted,
}

impl Prepared {
    pub(crate) fn app(&self) -> &App {
        &self.loaded.app
    }
}

/// What is kept from one load to the next, so that a reload compiles only what is new.
pub(crate) struct Workshop {
    options: AppOptions,
    cache: Option<Cache>,
    compiler: Option<Compiler>,
}

impl Workshop {
    pub(crate) fn new(options: &AppOptions) -> Self {
        Self { options: options.clone(), cache: settings::cache(options), compiler: None }
    }

    /// Loads the application, builds and fetches its modules, compiles and links them. Every problem
    /// is reported, not only the first. Blocks, so it must not be called on the async runtime itself.
    pub(crate) fn prepare(&mut self, runtime: &Handle) -> Result<Prepared, Failure> {
        self.prepare_changed(runtime, &BTreeSet::new())
    }

    /// The same, with sources that have changed, however new the modules are that were made of them.
    pub(crate) fn prepare_changed(
        &mut self,
        runtime: &Handle,
        changed: &BTreeSet<PathBuf>,
    ) -> Result<Prepared, Failure> {
        let mut loaded = load(&self.options.path)?;
        // Before anything is built: a route that a module adds itself is for clients.
        let wanted = Wanted::of(&loaded)?;
        let env = settings::guest_env(&self.options)?;
        for route in &mut loaded.app.routes {
            route.env.extend(env.clone());
        }
        if self.options.no_build {
            build::forbid(&loaded)?;
        } else {
            build::run(&loaded, self.options.build_timeout, runtime, changed)?;
        }
        fetch::run(&mut loaded, &self.options, runtime)?;
        let (compiled, linked) = self.compile(&loaded.app)?;
        subroutes::expand(&mut loaded, &compiled, &linked, runtime)?;
        let programs = link::programs(&loaded, &compiled, &linked)?;
        Ok(Prepared { loaded, programs, wanted })
    }

    /// The application with the routes that modules of WAGI declare themselves, as far as these are
    /// files here.
    pub(crate) fn expanded(&mut self, runtime: &Handle) -> Result<Loaded, Failure> {
        let mut loaded = load(&self.options.path)?;
        let (compiled, linked) = self.compile(&loaded.app)?;
        subroutes::expand(&mut loaded, &compiled, &linked, runtime)?;
        Ok(loaded)
    }

    fn compile(&mut self, app: &App) -> Result<(Compiled, Linked<Host>), Failure> {
        let compiler = match self.compiler.take() {
            Some(compiler) if compiler.fits(app) => compiler,
            _ => Compiler::new(app, self.cache.clone())?,
        };
        let compiler = self.compiler.insert(compiler);
        let compiled = compiler.compile(app);
        Ok((compiled, link::linked(compiler.engine())?))
    }
}

/// Loads a manifest, and tells what its author should know.
fn load(path: &Path) -> Result<Loaded, Failure> {
    let loaded = trilby_manifest::load(path).map_err(Failure::configuration)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded)
}
