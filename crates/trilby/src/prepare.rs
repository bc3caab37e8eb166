//! From a path to programs: all that can be known of an application before anything is opened or
//! bound.

use tokio::runtime::Handle;
use trilby_manifest::{App, Loaded};
use trilby_sandbox::Cache;

use crate::cli::AppOptions;
use crate::compile::Compiler;
use crate::failure::Failure;
use crate::link::{self, Programs};
use crate::{build, fetch, settings, subroutes};

/// An application, ready to be joined with its back end.
pub(crate) struct Prepared {
    pub(crate) loaded: Loaded,
    pub(crate) programs: Programs,
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
        let mut loaded =
            trilby_manifest::load(&self.options.path).map_err(Failure::configuration)?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let env = settings::guest_env(&self.options)?;
        for route in &mut loaded.app.routes {
            route.env.extend(env.clone());
        }
        build::run(&loaded, self.options.no_build)?;
        fetch::run(&mut loaded, &self.options, runtime)?;
        let compiler = match self.compiler.take() {
            Some(compiler) if compiler.fits(&loaded.app) => compiler,
            _ => Compiler::new(&loaded.app, self.cache.clone())?,
        };
        let compiler = self.compiler.insert(compiler);
        let compiled = compiler.compile(&loaded.app);
        let linked = link::linked(compiler.engine())?;
        subroutes::expand(&mut loaded, &compiled, &linked, runtime)?;
        let programs = link::programs(&loaded, &compiled, &linked)?;
        Ok(Prepared { loaded, programs })
    }
}
