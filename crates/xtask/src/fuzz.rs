//! The targets of `fuzz/`, for a bounded time each, with cargo-fuzz and the project's own stable
//! compiler: without a sanitizer nothing in it needs a nightly one, and the project's own code has
//! no `unsafe` there for a sanitizer to watch.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{cached, cargo, root, say, tools};

const VERSION: &str = "0.13.2";

/// Longer for one input, and it counts as a failure.
const INPUT_SECONDS_MAX: u32 = 5;

/// Runs each target for so many seconds. Inputs that fail lie in `fuzz/artifacts`, and what was
/// learnt in `fuzz/corpus`; git ignores both.
pub(crate) fn run(mut targets: Vec<String>, seconds: u32) -> Result<()> {
    // Zero means for ever to libFuzzer.
    ensure!(seconds > 0, "each target needs at least `--seconds 1`");
    if !tools::works("c++", &["--version"]) {
        bail!("libFuzzer needs a C++ compiler: apt-get install g++, or xcode-select --install");
    }
    let program = program()?;
    if targets.is_empty() {
        targets = list(&program)?;
    }
    let mut failed = Vec::new();
    for target in targets {
        say(&format!("fuzz {target}, {seconds} s"));
        let status = Command::new(&program)
            .args(["run", "--sanitizer", "none", "--fuzz-dir", "fuzz", "--target-dir"])
            .arg(cargo::target().join("fuzz"))
            .args([&target, "--", "-verbosity=0", "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
            .current_dir(root())
            .status()
            .context("cannot run cargo-fuzz")?;
        if !status.success() {
            failed.push(target);
        }
    }
    ensure!(failed.is_empty(), "these fuzz targets failed: {}", failed.join(", "));
    Ok(())
}

/// The names of all targets.
fn list(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program)
        .args(["list", "--fuzz-dir", "fuzz"])
        .current_dir(root())
        .output()
        .context("cannot run cargo-fuzz")?;
    let targets: Vec<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    ensure!(output.status.success() && !targets.is_empty(), "cargo-fuzz finds no targets in fuzz/");
    Ok(targets)
}

/// The pinned cargo-fuzz, installed outside the checkout if it is not there yet.
fn program() -> Result<PathBuf> {
    let folder = cached::root()?.join(format!("cargo-fuzz-{VERSION}"));
    let program = folder.join("bin/cargo-fuzz");
    if !program.is_file() {
        let at = folder.display().to_string();
        let version = ["--version", VERSION, "--root", &at, "cargo-fuzz"];
        cargo::run(&[&["install", "--quiet", "--locked"], &version[..]].concat(), &[])?;
    }
    Ok(program)
}
