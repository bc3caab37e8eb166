//! What files set for the runtime as a whole, and the references in them.

use crate::load::{Context, DeclaredEndpoint, Lookup, nearest};
use crate::settings::Tracing;
use crate::{ApiAccess, Error, Options, Runtime};

impl Runtime {
    /// Which parts of the Dapr API a `Configuration` allows to others than guests.
    #[must_use]
    pub fn api_access(&self) -> &ApiAccess {
        &self.settings.api
    }

    /// What a `Configuration` wants of tracing.
    #[must_use]
    pub fn tracing(&self) -> Option<&Tracing> {
        self.settings.tracing.as_ref()
    }

    pub(super) fn open_endpoints(
        &mut self,
        all: &[DeclaredEndpoint],
        options: &Options,
    ) -> Result<(), Error> {
        for declared in all {
            let endpoint = self.resolved(options, |context| declared.resolve(context))?;
            self.apps.add_endpoint(declared.name.clone(), endpoint)?;
        }
        Ok(())
    }

    /// What `resolve` makes of references to the secret stores that are open.
    pub(super) fn resolved<T>(
        &self,
        options: &Options,
        resolve: impl FnOnce(&Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        resolve(&Context {
            app_id: &options.app_id,
            env: &options.env,
            secrets: &|store, name, key| match self.secrets.get(store) {
                None => {
                    let names: Vec<&str> = self.secrets.keys().map(String::as_str).collect();
                    Lookup::NoStore(nearest(store, &names).map(str::to_owned))
                }
                Some(store) => store.lookup(name, key).map_or(Lookup::NoSecret, Lookup::Found),
            },
        })
    }
}
