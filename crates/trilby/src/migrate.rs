//! `trilby migrate`: from WAGI's `modules.toml` to `trilby.toml`.

use std::io::Write as _;

use trilby_manifest::Target;

use crate::cli::MigrateOptions;
use crate::failure::Failure;
use crate::prepare::Workshop;
use crate::settings;

/// Prints the manifest that does the same.
pub(crate) fn run(options: &MigrateOptions) -> Result<(), Failure> {
    let runtime = settings::runtime()?;
    let mut app = options.app.clone();
    if app.path.is_dir() {
        // The shell may just have made the `trilby.toml` beside it, which this command is to fill.
        app.path.push("modules.toml");
    }
    let loaded = Workshop::new(&app).expanded(runtime.handle())?;
    let migrated = trilby_manifest::migrate(&loaded).map_err(Failure::configuration)?;
    for note in &migrated.notes {
        tracing::warn!("{note}");
    }
    if loaded.app.routes.iter().any(|route| matches!(route.target, Target::Registry(_))) {
        tracing::warn!(
            "modules from registries are not fetched here: if one has sub-routes (`_routes`), write a \
             [[route]] for each, with its function as `entrypoint`"
        );
    }
    // Whoever reads may have seen enough.
    let _ = std::io::stdout().write_all(migrated.text.as_bytes());
    Ok(())
}
