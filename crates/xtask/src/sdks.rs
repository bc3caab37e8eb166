//! Dapr's official SDKs for the programs in `tests/sdks`, pinned with their hashes. Rust's crate
//! comes with the tests themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{cached, root, say, tools};

/// Where the SDKs are; none where what installs one is missing.
pub(crate) struct Sdks {
    /// The folder of Python's packages.
    pub(crate) python: Option<PathBuf>,
    /// The program in Go.
    pub(crate) go: Option<PathBuf>,
    /// The folder of Node's packages.
    pub(crate) js: Option<PathBuf>,
}

impl Sdks {
    /// The variables that name them to the tests; empty where one is not there.
    pub(crate) fn variables(&self) -> [(&'static str, String); 3] {
        let text = |path: &Option<PathBuf>| {
            path.as_deref().map(|path| path.display().to_string()).unwrap_or_default()
        };
        [
            ("TRILBY_TEST_SDK_PYTHON", text(&self.python)),
            ("TRILBY_TEST_SDK_GO", text(&self.go)),
            ("TRILBY_TEST_SDK_JS", text(&self.js)),
        ]
    }

    pub(crate) fn tell(&self) {
        for (name, value) in self.variables() {
            say(&format!("{name}={value}"));
        }
    }
}

/// Installs the SDKs that are not in the cache yet. With `CI` set, it is an error if one cannot be.
pub(crate) fn install() -> Result<Sdks> {
    let python =
        if there("python3", &["-m", "pip", "--version"])? { Some(python()?) } else { None };
    let go = if there("go", &["version"])? { Some(go()?) } else { None };
    let js = if there("node", &["--version"])? && there("npm", &["--version"])? {
        Some(js()?)
    } else {
        None
    };
    Ok(Sdks { python, go, js })
}

fn there(program: &str, args: &[&str]) -> Result<bool> {
    if tools::works(program, args) {
        return Ok(true);
    }
    let what = format!("`{program} {}`", args.join(" "));
    if std::env::var_os("CI").is_some() {
        bail!("the tests of Dapr's SDKs need {what}");
    }
    say(&format!("left out, for want of {what}: the tests of its SDK"));
    Ok(false)
}

fn python() -> Result<PathBuf> {
    let lock = source("python").join("requirements.txt");
    // Packages with code of the machine suit one version of Python.
    let version = Command::new("python3").arg("--version").output()?.stdout;
    let key = cached::key(&[&String::from_utf8(version)?], std::slice::from_ref(&lock))?;
    cached::folder(&format!("sdk-python-{key}"), |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--no-deps", "--require-hashes", "--timeout", "60", "--retries", "3"]);
        pip.arg("--target").arg(folder).arg("--requirement").arg(&lock);
        run("Python", pip.env("PIP_ROOT_USER_ACTION", "ignore"))
    })
}

fn go() -> Result<PathBuf> {
    let module = source("go");
    let key = cached::key(&[], &cached::go_files(&module)?)?;
    let folder = cached::folder(&format!("sdk-go-{key}"), |folder| {
        let mut go = Command::new("go");
        go.args(["build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o"]);
        go.arg(folder.join("sdk")).current_dir(&module).env("CGO_ENABLED", "0");
        run("Go", &mut go)
    })?;
    Ok(folder.join("sdk"))
}

fn js() -> Result<PathBuf> {
    let files = ["package.json", "package-lock.json"].map(|name| source("js").join(name));
    let key = cached::key(&[], &files)?;
    let folder = cached::folder(&format!("sdk-js-{key}"), |folder| {
        for file in &files {
            let name = file.file_name().context("a file without a name")?;
            std::fs::copy(file, folder.join(name))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        npm.args(["--fetch-timeout=60000", "--fetch-retries=3"]).current_dir(folder);
        run("JavaScript", &mut npm)
    })?;
    Ok(folder.join("node_modules"))
}

fn source(name: &str) -> PathBuf {
    root().join("tests/sdks").join(name)
}

fn run(language: &str, command: &mut Command) -> Result<()> {
    say(&format!("installing Dapr's SDK for {language}, once"));
    let name = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    ensure!(status.success(), "`{name}` could not install Dapr's SDK for {language} ({status})");
    Ok(())
}
