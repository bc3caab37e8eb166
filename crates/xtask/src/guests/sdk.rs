//! The SDKs for guests in Go and C: their tests run outside of WebAssembly. Rust's is a crate of the
//! workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{root, say, tools};

/// Checks the sources in Go, the guests' included, runs the tests of both SDKs, and checks that the
/// guide shows what was compiled.
pub(super) fn check(applications: &[PathBuf]) -> Result<()> {
    let sdk = root().join("crates/trilby-guest");
    check_guide(&sdk)?;
    if found("go", &["version"])? {
        let guests = applications.iter().filter(|folder| folder.join("go.mod").is_file());
        for folder in guests.chain([&sdk.join("go")]) {
            formatted(folder)?;
            let wasm = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
            run(Command::new("go").args(["vet", "./..."]).envs(wasm), folder)?;
        }
        let of_dapr = root().join("tests/sdks/go");
        formatted(&of_dapr)?;
        run(Command::new("go").args(["vet", "./..."]), &of_dapr)?;
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
    run(cc().args(["-fsyntax-only", "guide.c"]), folder)?;
    run(cc().arg("-o").arg(&program).arg("test.c"), folder)?;
    run(&mut Command::new(&program), folder)
}

/// Each block of the guide in Go or C must stand in the sources that are compiled. Those in Rust
/// are doctests.
fn check_guide(sdk: &Path) -> Result<()> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let mut go = String::new();
    for entry in fs::read_dir(sdk.join("go/guide"))? {
        go.push_str(&read(&entry?.path())?);
    }
    let guide = read(&sdk.join("GUIDE.md"))?;
    for (language, source) in [("go", go), ("c", read(&sdk.join("c/guide.c"))?)] {
        let strange = strange_blocks(&guide, language, &source)?;
        ensure!(
            strange.is_empty(),
            "GUIDE.md has blocks of {language} that are not in its sources, at lines {strange:?}"
        );
    }
    Ok(())
}

/// The lines at which blocks of a language begin that do not stand in a source word for word,
/// whatever their indentation. That there are no blocks at all is an error.
fn strange_blocks(guide: &str, language: &str, source: &str) -> Result<Vec<usize>> {
    let source: Vec<&str> = source.lines().map(str::trim).collect();
    let opening = format!("```{language}");
    let mut lines = guide.lines().map(str::trim).zip(1..);
    let (mut blocks, mut strange) = (0, Vec::new());
    while let Some((_, start)) = lines.find(|(line, _)| *line == opening) {
        let text = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
        let block: Vec<&str> = text.collect();
        blocks += 1;
        if block.is_empty() || !source.windows(block.len()).any(|part| part == block) {
            strange.push(start);
        }
    }
    ensure!(blocks > 0, "GUIDE.md has no block of {language}");
    Ok(strange)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_the_guide_are_those_of_the_source() {
        let guide = "text\n```go\nfunc A() {\n\tx()\n}\n```\n```c\nelse\n```\n";
        let same = "package a\n\nfunc A() {\n  x()\n}\n";
        assert!(strange_blocks(guide, "go", same).unwrap().is_empty());
        for other in ["", "func A() {\n\ty()\n}\n", "func A() {\n\n\tx()\n}\n"] {
            assert_eq!(strange_blocks(guide, "go", other).unwrap(), vec![2_usize], "{other:?}");
        }
        assert!(strange_blocks(guide, "zig", same).is_err());
    }
}
