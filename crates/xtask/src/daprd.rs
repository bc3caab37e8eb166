//! The real daprd and its control plane, built from `tests/daprd` once and kept outside the
//! checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::{root, say};

const LINK_FLAGS: &str = "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.3";

/// What is built: daprd is the module itself, the others are `tool`s of its `go.mod`.
const PACKAGES: [&str; 3] =
    [".", "github.com/dapr/dapr/cmd/scheduler", "github.com/dapr/dapr/cmd/placement"];

/// The paths of Dapr's programs.
pub(crate) struct Programs {
    pub(crate) daprd: PathBuf,
    /// Jobs and reminders need it.
    pub(crate) scheduler: PathBuf,
    /// Actors need it.
    pub(crate) placement: PathBuf,
}

impl Programs {
    fn of(folder: &Path) -> Self {
        Self {
            daprd: folder.join("daprd"),
            scheduler: folder.join("scheduler"),
            placement: folder.join("placement"),
        }
    }

    fn are_there(&self) -> bool {
        [&self.daprd, &self.scheduler, &self.placement].iter().all(|path| path.is_file())
    }
}

/// The programs, made from what `tests/daprd` holds now.
pub(crate) fn build() -> Result<Programs> {
    let source = root().join("tests/daprd");
    let folder = cache()?.join(format!("daprd-{}", key(&source)?));
    let programs = Programs::of(&folder);
    if programs.are_there() {
        return Ok(programs);
    }
    say("building daprd, scheduler and placement, once: some minutes");
    let unfinished = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&unfinished)?;
    // Go takes a path that ends in a separator for a folder, into which each program goes by name.
    let status = Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-ldflags", LINK_FLAGS, "-o"])
        .arg(unfinished.join(""))
        .args(PACKAGES)
        .current_dir(&source)
        .env("CGO_ENABLED", "0")
        .status()?;
    ensure!(status.success(), "go build of daprd failed ({status})");
    if let Err(error) = fs::rename(&unfinished, &folder) {
        // Whoever built the same at the same time was first.
        ensure!(programs.are_there(), "cannot make {}: {error}", folder.display());
        fs::remove_dir_all(&unfinished)?;
    }
    Ok(programs)
}

/// The folder for what is heavy to make.
pub(crate) fn cache() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("trilby"))
}

/// Changes with every byte of the sources, and with how they are built.
fn key(source: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(source)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Path::new(name).extension().is_some_and(|e| e == "go")
            || ["go.mod", "go.sum"].contains(&name)
    });
    files.sort();
    let mut digest = Sha256::new();
    digest.update(LINK_FLAGS);
    digest.update(PACKAGES.join(" "));
    for file in files {
        digest.update(fs::read(&file).with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}
