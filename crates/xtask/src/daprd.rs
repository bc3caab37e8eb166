//! The real daprd, built from `tests/daprd` once and kept outside the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::{root, say};

const LINK_FLAGS: &str = "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.3";

/// The path of a daprd that is made from what `tests/daprd` holds now.
pub(crate) fn build() -> Result<PathBuf> {
    let source = root().join("tests/daprd");
    let folder = cache()?.join(format!("daprd-{}", key(&source)?));
    let program = folder.join("daprd");
    if program.is_file() {
        return Ok(program);
    }
    say("building daprd, once: some minutes");
    fs::create_dir_all(&folder)?;
    let unfinished = folder.join(format!("daprd.{}", std::process::id()));
    let status = Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-ldflags", LINK_FLAGS, "-o"])
        .arg(&unfinished)
        .arg(".")
        .current_dir(&source)
        .env("CGO_ENABLED", "0")
        .status()?;
    ensure!(status.success(), "go build of daprd failed ({status})");
    fs::rename(&unfinished, &program)?;
    Ok(program)
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
    for file in files {
        digest.update(fs::read(&file).with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}
