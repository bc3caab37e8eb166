//! Builds modules that are missing, or older than their sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::time::timeout;
use trilby_manifest::{App, Build, Loaded, Part, Route};

use crate::cli::BuildOptions;
use crate::failure::Failure;
use crate::settings;

/// Folders that hold what builds make, never sources.
const NOT_SOURCES: [&str; 4] = ["target", ".trilby", ".git", "node_modules"];

/// `trilby build`: what [`run`] does, and no more.
pub(crate) fn only(options: &BuildOptions) -> Result<(), Failure> {
    let loaded = trilby_manifest::load(&options.path).map_err(Failure::configuration)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = settings::runtime()?;
    run(&loaded, options.build_timeout, runtime.handle(), &BTreeSet::new())
}

/// Runs the build commands that are due, one after the other, with their output shown. The first
/// that fails, or takes longer than `within`, ends it. A build with a source among `changed` is due,
/// however new its module is.
pub(crate) fn run(
    loaded: &Loaded,
    within: Duration,
    runtime: &Handle,
    changed: &BTreeSet<PathBuf>,
) -> Result<(), Failure> {
    let app = &loaded.app;
    let mut done = BTreeSet::new();
    for route in &app.routes {
        let Some(build) = &route.build else { continue };
        let Some(module) = route.target.module() else { continue };
        if !is_due(app, build, module) && !has_changed(app, build, changed) {
            continue;
        }
        if done.insert(build.command.as_str()) {
            runtime.block_on(execute(loaded, route, build, within))?;
        }
        if !module.exists() {
            let module = module.display();
            let what = format!("the build command succeeded but did not make {module}");
            return Err(Failure::configuration(problem(loaded, route, &what)));
        }
    }
    Ok(())
}

/// Reports every module that is missing where building is forbidden.
pub(crate) fn forbid(loaded: &Loaded) -> Result<(), Failure> {
    let app = &loaded.app;
    let mut missing = BTreeSet::new();
    let mut problems = Vec::new();
    for route in &app.routes {
        let Some(build) = &route.build else { continue };
        let Some(module) = route.target.module() else { continue };
        if !module.exists() && missing.insert(module) {
            let what = format!(
                "{} is missing, and --no-build forbids building it; run in {}: {}",
                module.display(),
                app.root.display(),
                build.command
            );
            problems.push(problem(loaded, route, &what));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::configuration(problems.join("\n\n"))) }
}

#[expect(clippy::print_stderr, reason = "the build's own output follows this line")]
async fn execute(
    loaded: &Loaded,
    route: &Route,
    build: &Build,
    within: Duration,
) -> Result<(), Failure> {
    eprintln!("building: {}", build.command);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &build.command])
        .current_dir(&loaded.app.root)
        // A guest is built for another target; the host's settings are not meant for it.
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let failed = |what: &str| {
        let what = format!("the build command {what}: {}", build.command);
        Failure::configuration(problem(loaded, route, &what))
    };
    match timeout(within, shell.status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(&format!("failed ({status})"))),
        Ok(Err(error)) => Err(Failure::Other(anyhow::anyhow!("cannot run a shell: {error}"))),
        Err(_) => {
            let within = humantime::format_duration(within);
            Err(failed(&format!("took longer than {within} (--build-timeout)")))
        }
    }
}

fn problem(loaded: &Loaded, route: &Route, what: &str) -> String {
    loaded.report(&route.place, Part::Module, what, None)
}

fn is_due(app: &App, build: &Build, module: &Path) -> bool {
    let Some(made) = modified(module) else { return true };
    build.sources.iter().any(|source| is_newer(&app.root.join(source), made, module))
}

fn has_changed(app: &App, build: &Build, changed: &BTreeSet<PathBuf>) -> bool {
    let below = |source: &PathBuf| {
        files_below(&app.root.join(source)).iter().any(|file| changed.contains(file))
    };
    !changed.is_empty() && build.sources.iter().any(below)
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}

/// Whether a file, or any file below a folder, is newer than `made`.
fn is_newer(path: &Path, made: SystemTime, module: &Path) -> bool {
    files_below(path)
        .iter()
        .any(|file| file != module && modified(file).is_some_and(|changed| changed > made))
}

/// A file itself, or all files below a folder but those that builds make.
pub(crate) fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = vec![path.to_owned()];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if path.file_name().is_some_and(|name| NOT_SOURCES.iter().any(|n| name == *n)) {
            continue;
        }
        match std::fs::read_dir(&path) {
            Ok(entries) => open.extend(entries.flatten().filter(is_real).map(|entry| entry.path())),
            Err(_) => files.push(path),
        }
    }
    files
}

/// Whether an entry is what it seems: a link may lead in a circle.
fn is_real(entry: &std::fs::DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| !kind.is_symlink())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[test]
    fn newer_sources_are_found_and_results_are_not_sources() {
        let folder = std::env::temp_dir().join(format!("trilby-build-{}", std::process::id()));
        fs::create_dir_all(folder.join("src/deep")).expect("can write");
        fs::create_dir_all(folder.join("target")).expect("can write");
        let module = folder.join("a.wasm");
        for file in ["a.wasm", "src/deep/a.rs", "target/x"] {
            fs::write(folder.join(file), "x").expect("can write");
        }
        let made = modified(&folder.join("src/deep/a.rs")).expect("exists");
        let (before, after) = (made - Duration::from_secs(60), made + Duration::from_secs(60));
        assert!(is_newer(&folder, before, &module));
        assert!(!is_newer(&folder, after, &module));
        assert!(!is_newer(&folder.join("target"), before, &module));
        assert!(!is_newer(&module, before, &module));
        fs::remove_dir_all(folder).expect("can remove");
    }
}
