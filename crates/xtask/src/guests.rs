//! The WebAssembly modules of examples and tests.

mod sdk;
mod zig;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{cargo, root, say, tools};

/// Builds every application below `examples/` and `tests/guests/` with the commands of its own
/// manifest, as `trilby serve` would. What needs a compiler that is not there is left out.
pub(crate) fn build() -> Result<()> {
    cargo::run(&["build", "--release", "--package", "trilby"], &[])?;
    for folder in applications()? {
        let name = folder.strip_prefix(root()).unwrap_or(&folder).display().to_string();
        let Some(env) = compiler(&folder)? else {
            say(&format!("left out, for want of its compiler: {name}"));
            continue;
        };
        say(&format!("guests of {name}"));
        let status = Command::new(cargo::target().join("release/trilby"))
            .arg("build")
            .arg(&folder)
            .envs(env)
            .status()
            .context("cannot run trilby")?;
        ensure!(status.success(), "building the guests of {name} failed");
    }
    Ok(())
}

/// The variables that the compiler of an application's language needs; `None` when there is no such
/// compiler. Rust is always there.
fn compiler(folder: &Path) -> Result<Option<Vec<(&'static str, OsString)>>> {
    if folder.join("go.mod").is_file() && !tools::works("go", &["version"]) {
        return Ok(None);
    }
    // The lock file brings the compiler along.
    if folder.join("package-lock.json").is_file() && !tools::works("npm", &["--version"]) {
        ensure!(std::env::var_os("CI").is_none(), "the guest in AssemblyScript needs npm");
        return Ok(None);
    }
    if fs::read_to_string(folder.join("trilby.toml"))?.contains("-m ziglang ") {
        return Ok(zig::environment()?.map(Vec::from));
    }
    Ok(Some(Vec::new()))
}

/// Checks the sources of guests in Rust, which are workspaces of their own, and runs their tests;
/// then those in other languages.
pub(crate) fn lint() -> Result<()> {
    let applications = applications()?;
    for folder in &applications {
        if !folder.join("Cargo.toml").is_file() {
            continue;
        }
        let manifest = folder.join("Cargo.toml").display().to_string();
        // Inside the guest's own folder, where `trilby build` puts the modules, too.
        let target = folder.join("target").display().to_string();
        let at = ["--manifest-path", &manifest];
        cargo::run(&[&["fmt", "--check"], &at[..]].concat(), &[])?;
        let clippy = [&["clippy", "--target-dir", &target], &at[..], &["--", "--deny", "warnings"]];
        cargo::run(&clippy.concat(), &[])?;
        cargo::run(&[&["test", "--target-dir", &target], &at[..]].concat(), &[])?;
    }
    sdk::check(&applications)
}

fn applications() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for parent in ["examples", "tests/guests"] {
        for entry in fs::read_dir(root().join(parent))? {
            let folder = entry?.path();
            if folder.join("trilby.toml").is_file() {
                folders.push(folder);
            }
        }
    }
    folders.sort();
    Ok(folders)
}
