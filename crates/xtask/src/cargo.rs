//! Cargo's own commands.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::daprd::Programs;
use crate::sdks::Sdks;
use crate::{root, say, tools};

/// Runs cargo in the root of the repository.
pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    say(&format!("cargo {}", args.join(" ")));
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(args)
        .envs(env.iter().copied())
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed ({status})", args.join(" "));
    }
    Ok(())
}

/// Runs the tests of the workspace.
pub(crate) fn test(
    filter: &[String],
    dapr: Option<&Programs>,
    redis: Option<&Path>,
    sdks: &Sdks,
) -> Result<()> {
    let text = |path: Option<&Path>| path.map(|p| p.display().to_string()).unwrap_or_default();
    let daprd = text(dapr.map(|programs| programs.daprd.as_path()));
    let scheduler = text(dapr.map(|programs| programs.scheduler.as_path()));
    let placement = text(dapr.map(|programs| programs.placement.as_path()));
    let redis = text(redis);
    let sdks = sdks.variables();
    let binary = target().join("release/trilby").display().to_string();
    let env = [
        ("TRILBY_TEST_BIN", binary.as_str()),
        ("TRILBY_TEST_DAPRD", &daprd),
        ("TRILBY_TEST_SCHEDULER", &scheduler),
        ("TRILBY_TEST_PLACEMENT", &placement),
        ("TRILBY_TEST_REDIS", &redis),
        // A test's error says what happened; the way there only hides it.
        ("RUST_BACKTRACE", "0"),
    ];
    let sdks = sdks.iter().map(|(name, value)| (*name, value.as_str()));
    let env: Vec<_> = env.into_iter().chain(sdks).collect();
    let mut args = vec!["test", "--release", "--workspace", "--no-fail-fast"];
    if !filter.is_empty() {
        args.push("--");
        args.extend(filter.iter().map(String::as_str));
    }
    run(&args, &env)
}

/// Checks licences, sources and unwanted crates, where cargo-deny is installed.
pub(crate) fn deny() -> Result<()> {
    if !tools::works("cargo", &["deny", "--version"]) {
        if std::env::var_os("CI").is_some() {
            bail!("cargo-deny is missing; install it with `cargo install --locked cargo-deny`");
        }
        say("left out, for want of cargo-deny: cargo install --locked cargo-deny");
        return Ok(());
    }
    run(&["deny", "check", "bans", "licenses", "sources"], &[])
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
