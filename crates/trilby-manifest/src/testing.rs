//! A folder of files to load in tests.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{App, Error, Loaded, Target, load};

/// A folder named `app`, removed when dropped.
pub(crate) struct Folder {
    temp: TempDir,
}

impl Folder {
    /// A folder with the modules `a.wasm` and `b.wasm` and the empty folder `data`.
    pub(crate) fn new() -> Self {
        let folder = Self { temp: tempfile::tempdir().expect("can make a folder") };
        folder.with("a.wasm", "").with("b.wasm", "").with("data/", "")
    }

    /// Adds a file, or a folder when the path ends in `/`.
    pub(crate) fn with(self, path: &str, content: &str) -> Self {
        let full = self.path().join(path);
        let folder = if path.ends_with('/') { Some(full.as_path()) } else { full.parent() };
        std::fs::create_dir_all(folder.expect("has a parent")).expect("can make folders");
        if !path.ends_with('/') {
            std::fs::write(&full, content).expect("can write");
        }
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.temp.path().join("app")
    }

    pub(crate) fn load(&self, path: &str) -> Result<Loaded, Error> {
        load(&self.path().join(path))
    }

    /// The report of a load that must fail, with paths relative to the folder.
    pub(crate) fn report(&self, path: &str) -> String {
        let error = self.load(path).expect_err("must not load");
        self.relative(&error.to_string())
    }

    pub(crate) fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.path().display()), "")
            .replace(&self.path().display().to_string(), "app")
    }
}

/// The report about a `trilby.toml` that must not load.
pub(crate) fn report(text: &str) -> String {
    Folder::new().with("trilby.toml", text).report("")
}

/// The app of a `trilby.toml`, with the warnings. The paths are relative to the folder.
pub(crate) fn loaded(text: &str) -> Loaded {
    let folder = Folder::new().with("trilby.toml", text);
    let mut loaded = folder.load("").unwrap_or_else(|error| panic!("{error}"));
    relocate(&mut loaded.app, &folder.path());
    loaded.warnings = loaded.warnings.iter().map(|line| folder.relative(line)).collect();
    loaded
}

fn relocate(app: &mut App, folder: &Path) {
    let relative = |path: &mut PathBuf| {
        if let Ok(short) = path.strip_prefix(folder) {
            *path = short.to_owned();
        }
    };
    relative(&mut app.file);
    app.components.iter_mut().for_each(relative);
    for route in &mut app.routes {
        match &mut route.target {
            Target::Module(path) | Target::Files(path) => relative(path),
            Target::Registry(_) => {}
        }
        route.volumes.iter_mut().for_each(|volume| relative(&mut volume.host));
    }
}

/// The manifest of the crate's documentation, which has every key.
pub(crate) fn documented() -> String {
    let lines = include_str!("lib.rs").lines().skip_while(|line| !line.ends_with("```toml"));
    let text: Vec<_> = lines.skip(1).map_while(|line| line.strip_prefix("//!")).collect();
    let text = text.join("\n");
    text.split_once("```").expect("the block ends").0.to_owned()
}
