//! The SDKs for guests in Go and C: their tests run outside of WebAssembly. Rust's is a crate of the
//! workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{root, say, tools};

/// Checks the sources in Go, the guests' included, and runs the tests of both SDKs.
pub(super) fn check(applications: &[PathBuf]) -> Result<()> {
    let sdk = root().join("crates/trilby-guest");
    if found("go", &["version"])? {
        let guests = applications.iter().filter(|folder| folder.join("go.mod").is_file());
        for folder in guests.chain([&sdk.join("go")]) {
            formatted(folder)?;
            let wasm = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
            run(Command::new("go").args(["vet", "./..."]).envs(wasm), folder)?;
        }
        run(Command::new("go").args(["vet", "./..."]), &sdk.join("go"))?;
        run(Command::new("go").args(["test", "./..."]), &sdk.join("go"))?;
    }
    if found("cc", &["--version"])? {
        test_c(&sdk.join("c"))?;
    }
    Ok(())
}

/// `gofmt` names what is not formatted, and is content all the same.
fn formatted(folder: &Path) -> Result<()> {
    let output = Command::new("gofmt").args(["-l", "."]).current_dir(folder).output();
    let output = output.context("cannot run gofmt")?;
    let files = String::from_utf8_lossy(&output.stdout);
    let good = output.status.success() && files.is_empty();
    ensure!(good, "in {}, run `gofmt -w .` for: {}", folder.display(), files.trim_end());
    Ok(())
}

fn test_c(folder: &Path) -> Result<()> {
    let out = crate::cargo::target().join("sdk");
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let program = out.join("test-c");
    let warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wpedantic"];
    let cc = || {
        let mut cc = Command::new("cc");
        cc.args(["-std=c11", "-Werror"]).args(warnings);
        cc
    };
    run(cc().args(["-fsyntax-only", "blocks.c"]), folder)?;
    run(cc().arg("-o").arg(&program).arg("test.c"), folder)?;
    run(&mut Command::new(&program), folder)
}

/// Whether a compiler is there; with `CI` set, it must be.
fn found(program: &str, args: &[&str]) -> Result<bool> {
    if tools::works(program, args) {
        return Ok(true);
    }
    if std::env::var_os("CI").is_some() {
        bail!("the tests of the SDKs need {program}");
    }
    say(&format!("left out, for want of {program}: the tests of its SDK"));
    Ok(false)
}

fn run(command: &mut Command, folder: &Path) -> Result<()> {
    let name = command.get_program().display().to_string();
    say(&format!("{name} in {}", folder.strip_prefix(root()).unwrap_or(folder).display()));
    let status = command.current_dir(folder).status();
    let status = status.with_context(|| format!("cannot run {name}"))?;
    ensure!(status.success(), "`{name}` failed in {} ({status})", folder.display());
    Ok(())
}
