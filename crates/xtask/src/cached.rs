//! What is heavy to make: made once, and kept outside the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// The folder for all of it.
pub(crate) fn root() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("trilby"))
}

/// A folder of this name, which `make` fills if it is not there. It is filled under another name,
/// so that what broke off is never taken for it.
pub(crate) fn folder(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = root()?.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    let unfinished = folder.with_file_name(format!("{name}.{}", std::process::id()));
    fs::create_dir_all(&unfinished)
        .with_context(|| format!("cannot create {}", unfinished.display()))?;
    if let Err(error) = make(&unfinished) {
        // What the caller wants to know is why it broke off.
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    if let Err(error) = fs::rename(&unfinished, &folder) {
        // Whoever made the same at the same time was first.
        ensure!(folder.is_dir(), "cannot make {}: {error}", folder.display());
        fs::remove_dir_all(&unfinished)?;
    }
    Ok(folder)
}

/// Changes with every byte of the files, and with how something is made of them.
pub(crate) fn key(how: &[&str], files: &[PathBuf]) -> Result<String> {
    let mut digest = Sha256::new();
    for part in how {
        digest.update(part);
    }
    for file in files {
        digest.update(fs::read(file).with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The files of a Go module: its sources and its locks.
pub(crate) fn go_files(module: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(module)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Path::new(name).extension().is_some_and(|e| e == "go")
            || ["go.mod", "go.sum"].contains(&name)
    });
    files.sort();
    Ok(files)
}
