//! `trilby migrate`: from WAGI's `modules.toml` to `trilby.toml`.

use std::io::Write as _;

use crate::cli::MigrateOptions;
use crate::failure::Failure;

/// Prints the manifest that does the same.
pub(crate) fn run(options: &MigrateOptions) -> Result<(), Failure> {
    let loaded = trilby_manifest::load(&options.path).map_err(Failure::configuration)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let migrated = trilby_manifest::migrate(&loaded).map_err(Failure::configuration)?;
    // Whoever reads may have seen enough.
    let _ = std::io::stdout().write_all(migrated.text.as_bytes());
    Ok(())
}
