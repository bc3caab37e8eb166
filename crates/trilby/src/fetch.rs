//! Brings modules from registries.

use std::collections::BTreeMap;

use tokio::runtime::Handle;
use trilby_manifest::{Loaded, Part, Target};
use trilby_oci::{Options, Reference, Store};

use crate::cli::AppOptions;
use crate::failure::Failure;
use crate::settings::user_cache;

/// Puts the file of each module in the place of its reference. All problems are reported.
pub(crate) fn run(
    loaded: &mut Loaded,
    options: &AppOptions,
    runtime: &Handle,
) -> Result<(), Failure> {
    let is_remote = |target: &Target| matches!(target, Target::Registry(_));
    if !loaded.app.routes.iter().any(|route| is_remote(&route.target)) {
        return Ok(());
    }
    let folder = options.module_store.clone().or_else(|| user_cache("oci")).ok_or_else(|| {
        Failure::configuration(
            "there is no folder for modules from registries; name one with --module-store",
        )
    })?;
    let store = Store::open(folder).map_err(Failure::configuration)?;
    let how = Options {
        insecure_registries: options.insecure_registry.clone(),
        pull_timeout: options.pull_timeout,
        ..Options::from_env()
    };
    let mut fetched: BTreeMap<String, Result<Target, String>> = BTreeMap::new();
    for route in &loaded.app.routes {
        if let Target::Registry(text) = &route.target
            && !fetched.contains_key(text)
        {
            fetched.insert(text.clone(), runtime.block_on(fetch(&store, text, &how)));
        }
    }
    let mut problems = Vec::new();
    for route in &loaded.app.routes {
        if let Target::Registry(text) = &route.target
            && let Some(Err(error)) = fetched.get(text)
        {
            problems.push(loaded.report(&route.place, Part::Module, error, None));
        }
    }
    if !problems.is_empty() {
        return Err(Failure::configuration(problems.join("\n\n")));
    }
    for route in &mut loaded.app.routes {
        if let Target::Registry(text) = &route.target
            && let Some(Ok(target)) = fetched.get(text)
        {
            route.target = target.clone();
        }
    }
    Ok(())
}

async fn fetch(store: &Store, text: &str, how: &Options) -> Result<Target, String> {
    let reference = Reference::parse(text).map_err(|error| error.to_string())?;
    let fetched = trilby_oci::fetch(store, &reference, how).await;
    let fetched = fetched.map_err(|error| with_causes(&error))?;
    tracing::info!(
        reference = %reference,
        digest = %fetched.manifest_digest,
        from_store = fetched.from_store,
        "module from a registry"
    );
    Ok(Target::Module(fetched.path))
}

/// The error, and what lies behind it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
