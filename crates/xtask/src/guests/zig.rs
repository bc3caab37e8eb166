//! Zig's C compiler, which brings the headers and the C library of WASI along: one Python package
//! instead of an SDK, pinned, and kept outside the checkout.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{cached, say, tools};

const VERSION: &str = "0.17.1";

/// The variables with which `python3 -m ziglang` runs the pinned compiler. It is fetched if it is
/// not in the cache yet.
///
/// Without Python and pip there is none, and what needs it is left out; with `CI` set, that is an
/// error.
pub(super) fn environment() -> Result<Option<[(&'static str, OsString); 2]>> {
    let name = format!("ziglang-{VERSION}");
    if let Some(part) = missing(&cached::root()?.join(&name)) {
        if std::env::var_os("CI").is_some() {
            bail!("the guests in C and Zig need {part}");
        }
        say(&format!("missing, its guests are left out: {part}"));
        return Ok(None);
    }
    let folder = cached::folder(&name, install)?;
    let compiled = folder.join("cache");
    let old = std::env::var_os("PYTHONPATH").filter(|old| !old.is_empty());
    let all = std::iter::once(folder).chain(old.iter().flat_map(std::env::split_paths));
    let path = std::env::join_paths(all).context("the cache's folder has a `:` in its name")?;
    Ok(Some([("PYTHONPATH", path), ("ZIG_GLOBAL_CACHE_DIR", compiled.into())]))
}

/// What the machine lacks, and how it gets there.
fn missing(folder: &Path) -> Option<&'static str> {
    if !tools::works("python3", &["--version"]) {
        return Some("python3: apt-get install python3 python3-pip, or brew install python");
    }
    if !folder.is_dir() && !tools::works("python3", &["-m", "pip", "--version"]) {
        return Some("pip: apt-get install python3-pip, or python3 -m ensurepip");
    }
    None
}

fn install(folder: &Path) -> Result<()> {
    say(&format!("fetching ziglang {VERSION}, once: 100 MB"));
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .arg("--target")
        .arg(folder)
        .arg(format!("ziglang=={VERSION}"))
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .status()
        .context("cannot run python3")?;
    ensure!(status.success(), "pip could not install ziglang {VERSION} ({status})");
    Ok(())
}
